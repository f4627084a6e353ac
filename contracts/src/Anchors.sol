// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {CoalitionDomain} from "./CoalitionDomain.sol";

/// Roots that somebody has signed, append-only per signer, kind and subject. Anybody may anchor anything: a reader knows
/// whose signature counts for what.
contract Anchors is CoalitionDomain {
    bytes32 private constant ANCHOR_TYPE = keccak256(
        "Anchor(uint16 kind,bytes32 subject,uint64 number,bytes32 previous,bytes32 root,uint64 count)"
    );

    uint256 public constant MOST_AT_ONCE = 128;

    /// `number` counts from 0 within the sequence, `previous` is the root before (zero for the first), `count` says how
    /// many leaves are under `root`.
    struct Anchor {
        address signer;
        uint16 kind;
        bytes32 subject;
        uint64 number;
        bytes32 previous;
        bytes32 root;
        uint64 count;
        bytes signature;
    }

    /// Two slots, never zero: `eth_getProof` shows that one stands, and by the sequence's length that none follows.
    struct Anchored {
        bytes32 root;
        uint64 count;
        uint40 anchoredAt;
    }

    mapping(address signer => mapping(uint16 kind => mapping(bytes32 subject => Anchored[]))) private anchors;

    event RootAnchored(
        address indexed signer,
        uint16 indexed kind,
        bytes32 indexed subject,
        uint64 number,
        bytes32 previous,
        bytes32 root,
        uint64 count
    );

    error AnchorsOutOfRange(uint256 given);
    error RootZero(uint256 index);
    error AnchorSignatureInvalid(uint256 index);
    error AnchorOutOfTurn(uint256 index, uint256 next);
    error NumberTaken(uint256 index);
    error PreviousRootDiffers(uint256 index, bytes32 previous);

    constructor(bytes32 coalitionId_) CoalitionDomain(coalitionId_) {}

    /// How many roots the sequence has: the number of the next one.
    function anchorCount(address signer, uint16 kind, bytes32 subject) external view returns (uint256) {
        return anchors[signer][kind][subject].length;
    }

    function anchorOf(address signer, uint16 kind, bytes32 subject, uint64 number)
        external
        view
        returns (Anchored memory)
    {
        return anchors[signer][kind][subject][number];
    }

    /// For anyone to relay, all or none. What stands already is passed over, so that who relays first stops nobody.
    function anchor(Anchor[] calldata list) external {
        if (list.length == 0 || list.length > MOST_AT_ONCE) revert AnchorsOutOfRange(list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            _anchor(i, list[i]);
        }
    }

    function _anchor(uint256 index, Anchor calldata one) private {
        if (one.root == 0) revert RootZero(index);
        _requireSignature(index, one);
        Anchored[] storage sequence = anchors[one.signer][one.kind][one.subject];
        uint256 next = sequence.length;
        if (one.number > next) revert AnchorOutOfTurn(index, next);
        bytes32 previous = one.number == 0 ? bytes32(0) : sequence[one.number - 1].root;
        if (one.previous != previous) revert PreviousRootDiffers(index, previous);
        if (one.number < next) {
            Anchored storage standing = sequence[one.number];
            if (standing.root != one.root || standing.count != one.count) revert NumberTaken(index);
            return;
        }
        sequence.push(Anchored({root: one.root, count: one.count, anchoredAt: uint40(block.timestamp)}));
        emit RootAnchored(one.signer, one.kind, one.subject, one.number, previous, one.root, one.count);
    }

    function _requireSignature(uint256 index, Anchor calldata one) private view {
        bytes32 digest = _digest(
            keccak256(
                abi.encode(ANCHOR_TYPE, one.kind, one.subject, one.number, one.previous, one.root, one.count)
            )
        );
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, one.signature);
        if (failure != ECDSA.RecoverError.NoError || signer != one.signer) revert AnchorSignatureInvalid(index);
    }
}
