// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Clawbacks} from "./Clawbacks.sol";
import {Clearing} from "./Clearing.sol";
import {CoalitionDomain} from "./CoalitionDomain.sol";
import {EntryRoot} from "./EntryRoot.sol";
import {Governed} from "./Governed.sol";
import {GuardianPause} from "./GuardianPause.sol";
import {IBrands} from "./IBrands.sol";
import {IGovernance} from "./IGovernance.sol";
import {IMembers} from "./IMembers.sol";
import {ISettlement} from "./ISettlement.sol";
import {ISSUE, OPENING, Issuing} from "./Issuing.sol";
import {Packed} from "./Packed.sol";
import {Points} from "./Points.sol";
import {RefusalList} from "./RefusalList.sol";
import {ACCEPTED} from "./Refusals.sol";
import {Transfers} from "./Transfers.sol";

/// The points ledger of one coalition. The unit of writing is a batch of packed entries under one brand's signature; a bad
/// entry is skipped and named, a batch reverts only for its sender, signature, number, deadline or a pause.
contract PointsLedger is Issuing, Clawbacks, Transfers, GuardianPause {
    using EntryRoot for EntryRoot.Leaves;
    using RefusalList for RefusalList.List;

    bytes32 private constant BATCH_TYPE =
        keccak256("Batch(uint32 brand,uint64 number,bytes32 entriesHash,uint40 deadline)");

    struct Header {
        uint32 brand;
        uint64 number;
        uint40 deadline;
    }

    bytes3 public immutable currency;

    event EntryRefused(uint32 indexed brand, uint64 indexed number, uint32 index, bytes4 reason);
    event BatchRecorded(
        uint32 indexed brand, uint64 indexed number, bytes32 root, uint32 entryCount, uint32 refusedCount
    );

    error SenderNotExternal();
    error BatchExpired(uint40 deadline);
    error BatchNumberUsed(uint32 brand, uint64 number);
    error BatchSignatureInvalid();
    error BatchKeyNotValid(uint32 brand, address key);

    constructor(IGovernance governance_, IBrands brands_, IMembers members_, ISettlement settlement_, bytes3 currency_)
        Governed(governance_)
        CoalitionDomain(governance_.coalitionId())
        Points(brands_)
        Transfers(members_)
        Clearing(settlement_)
    {
        currency = currency_;
    }

    function submitBatch(Header calldata header, bytes calldata entries, bytes calldata signature) external {
        _requireNotPaused();
        // An account without code that sends the transaction itself: the entries are in the transaction's calldata.
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert SenderNotExternal();
        if (block.timestamp > header.deadline) revert BatchExpired(header.deadline);
        if (batches[header.brand][header.number] != 0) revert BatchNumberUsed(header.brand, header.number);
        bytes memory copy = entries;
        Batch memory work = _enter(header, keccak256(copy), signature);

        EntryRoot.Leaves memory leaves = EntryRoot.over(copy, Packed.offset(entries));
        (uint256 count, RefusalList.List memory refusals) = _apply(work, header.number, entries, leaves);
        bytes32 root = leaves.root();
        batches[header.brand][header.number] = keccak256(abi.encode(root, refusals.outcome(count)));
        emit BatchRecorded(header.brand, header.number, root, uint32(count), uint32(refusals.count));
    }

    function _enter(Header calldata header, bytes32 entriesHash, bytes calldata signature)
        private
        view
        returns (Batch memory)
    {
        bytes32 digest =
            _digest(keccak256(abi.encode(BATCH_TYPE, header.brand, header.number, entriesHash, header.deadline)));
        (address key, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure != ECDSA.RecoverError.NoError) revert BatchSignatureInvalid();
        (bool isKeyValid, uint8 state, uint96 limit) = brands.enter(header.brand, key);
        if (!isKeyValid) revert BatchKeyNotValid(header.brand, key);
        return _openBatch(header.brand, state, limit);
    }

    /// Each frame is `length (2) ‖ entry` of at least 32 bytes; from the first that is shorter or reaches past the end,
    /// everything to the end is one fragment, which is refused.
    function _apply(Batch memory work, uint64 number, bytes calldata entries, EntryRoot.Leaves memory leaves)
        private
        returns (uint256 count, RefusalList.List memory refusals)
    {
        unchecked {
            uint256 start = Packed.offset(entries);
            uint256 last = start + entries.length;
            while (start < last) {
                uint256 end = start + 2 + Packed.read(start, 2);
                bytes4 reason;
                uint256 kind;
                if (end > last || end - start < EntryRoot.FRAME_MIN) {
                    (reason, end) = (MalformedEntry.selector, last);
                    leaves.addFragment(start, end);
                } else {
                    (kind, reason) = _applyEntry(work, start + 2, end);
                    leaves.add(start, end);
                }
                if (reason != ACCEPTED) {
                    if (refusals.count == 0) refusals.reserve(start, last);
                    refusals.add(count, reason);
                    emit EntryRefused(uint32(work.brand), number, uint32(count), reason);
                }
                start = end;
                ++count;
                if (kind == ISSUE && reason == ACCEPTED) {
                    uint256 further;
                    (start, further) = _issueRun(work, leaves, start, last);
                    count += further;
                }
            }
            _closeBatch(work);
        }
    }

    function _applyEntry(Batch memory work, uint256 start, uint256 end) private returns (uint256 kind, bytes4 reason) {
        kind = Packed.read(start, 1);
        if (kind == ISSUE || kind == OPENING) reason = _issue(work, start, end);
        else if (kind == 3) reason = _clawBack(work, start, end);
        else if (kind == 4) reason = _authorize(work, start, end);
        else if (kind == 5) reason = _capture(work, start, end);
        else if (kind == 6) reason = _void(work, start, end);
        else if (kind == 7) reason = _redeem(work, start, end);
        else if (kind == 8) reason = _refundPoints(work, start, end);
        else if (kind == 9) reason = _transfer(work, start, end);
        else if (kind == 10) reason = _expire(work, start, end);
        else if (kind == 11) reason = _restore(work, start, end);
        else if (kind == 12) reason = _extend(work, start, end);
        else reason = kind == 0 ? MalformedEntry.selector : UnknownEntryKind.selector;
    }
}
