// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {CoalitionDomain} from "./CoalitionDomain.sol";
import {IBrandOwners} from "./IBrandOwners.sol";
import {IClearing} from "./IClearing.sol";
import {IGovernance} from "./IGovernance.sol";
import {ISettlement} from "./ISettlement.sol";
import {RootBranch} from "./RootBranch.sol";

/// Netted cycles of what brands owe one another. A cycle is agreed by the owners of all its brands or has no effect; what it settles
/// of each pair is then applied by anybody, by a branch against its root. Nobody's claim is given up without its owner's signature.
contract Settlement is CoalitionDomain, ISettlement {
    bytes32 private constant CYCLE_TYPE = keccak256(
        "Cycle(bytes32 id,uint64 cutOffBlock,uint32[] brands,bytes32 root,uint32 count,uint40 deadline)"
    );
    bytes32 private constant PAID_TYPE = keccak256("Paid(bytes32 cycle,uint32 creditor,uint32 debtor)");

    /// `root` is over `count` leaves, one a pair and version of terms. `brands` rise.
    struct Cycle {
        bytes32 id;
        uint64 cutOffBlock;
        uint32[] brands;
        bytes32 root;
        uint32 count;
        uint40 deadline;
    }

    /// Leaf `index` of a cycle: keccak(issuer (4) ‖ acceptor (4) ‖ terms (4) ‖ points (32) ‖ netted (16)). Negative points are the
    /// issuer's claim. `netted` is discharged at once, the rest of the points when it is paid.
    struct Pair {
        uint32 index;
        uint32 issuer;
        uint32 acceptor;
        uint32 terms;
        int256 points;
        uint128 netted;
        bytes32[] branch;
    }

    IBrandOwners public immutable brands;
    address public immutable pointsLedger;

    /// The EIP-712 struct hash of an agreed cycle, which its brands signed; zero for an id that is not used.
    mapping(bytes32 id => bytes32 record) public cycle;
    /// What cycles have settled of what is owed, in the same sign; never beyond it when it was applied.
    mapping(uint32 issuer => mapping(uint32 acceptor => mapping(uint32 terms => int256))) public settled;
    /// A bit for each index, 256 a word.
    mapping(bytes32 id => mapping(uint256 word => uint256)) public applied;
    mapping(bytes32 id => mapping(uint256 word => uint256)) public paid;

    event CycleAgreed(
        bytes32 indexed id, uint64 cutOffBlock, uint32[] brands, bytes32 root, uint32 count, uint40 deadline
    );
    event PairApplied(
        bytes32 indexed id,
        uint32 indexed issuer,
        uint32 indexed acceptor,
        uint32 index,
        uint32 terms,
        int256 points,
        uint128 netted
    );
    event PairPaid(bytes32 indexed id, uint32 indexed issuer, uint32 indexed acceptor, uint32 index, int256 points);

    error CycleExpired(uint40 deadline);
    error CutOffAhead(uint64 cutOffBlock);
    error CycleEmpty();
    error CycleIdUsed(bytes32 id);
    error BrandsNotAscending();
    error SignaturesDoNotMatchBrands(uint256 given);
    error CycleNotSignedBy(uint32 brand);
    error CycleNotAgreed(bytes32 id);
    error BrandNotInCycle(uint32 brand);
    error PairNotUnderRoot(uint32 index);
    error NettedAboveSettled(uint32 index);
    error MoreThanOwed(uint32 index, int256 left);
    error PairNotApplied(uint32 index);
    error PaidNotSignedBy(uint32 creditor);

    constructor(IGovernance governance_, IBrandOwners brands_, address pointsLedger_)
        CoalitionDomain(governance_.coalitionId())
    {
        brands = brands_;
        pointsLedger = pointsLedger_;
    }

    /// For anyone to relay. One signature a brand, by the one who owns it now, in the order of the brands.
    function agree(Cycle calldata of_, bytes[] calldata signatures) external {
        if (block.timestamp > of_.deadline) revert CycleExpired(of_.deadline);
        if (of_.cutOffBlock >= block.number) revert CutOffAhead(of_.cutOffBlock);
        if (of_.root == 0 || of_.count == 0) revert CycleEmpty();
        if (cycle[of_.id] != 0) revert CycleIdUsed(of_.id);
        if (signatures.length != of_.brands.length) revert SignaturesDoNotMatchBrands(signatures.length);
        bytes32 record = _record(of_);
        bytes32 digest = _digest(record);
        uint32 last;
        for (uint256 i = 0; i < signatures.length; ++i) {
            uint32 brand = of_.brands[i];
            if (brand <= last) revert BrandsNotAscending();
            if (!_isSignedByOwner(brand, digest, signatures[i])) revert CycleNotSignedBy(brand);
            last = brand;
        }
        cycle[of_.id] = record;
        emit CycleAgreed(of_.id, of_.cutOffBlock, of_.brands, of_.root, of_.count, of_.deadline);
    }

    /// For anyone, in any order, all or none. What is applied already is passed over, so that who comes first stops nobody.
    function applyPairs(Cycle calldata of_, Pair[] calldata pairs) external {
        _requireAgreed(of_);
        for (uint256 i = 0; i < pairs.length; ++i) {
            Pair calldata pair = pairs[i];
            if (_isSet(applied[of_.id], pair.index)) continue;
            _requireUnderRoot(of_, pair);
            _set(applied[of_.id], pair.index);
            _apply(of_.id, pair);
        }
    }

    /// The creditor's owner says that what was left of these pairs was paid. One signature does for all of a creditor and a debtor.
    function confirmPaid(Cycle calldata of_, Pair[] calldata pairs, bytes calldata signature) external {
        _requireAgreed(of_);
        for (uint256 i = 0; i < pairs.length; ++i) {
            Pair calldata pair = pairs[i];
            if (_isSet(paid[of_.id], pair.index)) continue;
            _requireUnderRoot(of_, pair);
            if (!_isSet(applied[of_.id], pair.index)) revert PairNotApplied(pair.index);
            _requirePaid(of_.id, pair, signature);
            _set(paid[of_.id], pair.index);
            int256 points = pair.points - _signedNetted(pair);
            IClearing(pointsLedger).lowerExposure(pair.issuer, pair.acceptor, points);
            emit PairPaid(of_.id, pair.issuer, pair.acceptor, pair.index, points);
        }
    }

    /// Never more than is owed now, in either direction: points given back since the cut-off wait for new ones.
    function _apply(bytes32 id, Pair calldata pair) private {
        int256 netted = _signedNetted(pair);
        if (pair.points < 0 ? netted < pair.points : netted > pair.points) revert NettedAboveSettled(pair.index);
        int256 before = settled[pair.issuer][pair.acceptor][pair.terms];
        int256 left = IClearing(pointsLedger).owed(pair.issuer, pair.acceptor, pair.terms) - before;
        bool isTooMuch = pair.points < 0 ? pair.points < left : pair.points > (left > 0 ? left : int256(0));
        if (isTooMuch) revert MoreThanOwed(pair.index, left);
        settled[pair.issuer][pair.acceptor][pair.terms] = before + pair.points;
        IClearing(pointsLedger).lowerExposure(pair.issuer, pair.acceptor, netted);
        emit PairApplied(id, pair.issuer, pair.acceptor, pair.index, pair.terms, pair.points, pair.netted);
    }

    function _record(Cycle calldata of_) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                CYCLE_TYPE,
                of_.id,
                of_.cutOffBlock,
                keccak256(abi.encodePacked(of_.brands)),
                of_.root,
                of_.count,
                of_.deadline
            )
        );
    }

    function _requireAgreed(Cycle calldata of_) private view {
        if (cycle[of_.id] != _record(of_)) revert CycleNotAgreed(of_.id);
    }

    /// Brands that did not sign are in no pair, whatever the root is over.
    function _requireUnderRoot(Cycle calldata of_, Pair calldata pair) private pure {
        _requireBrand(of_.brands, pair.issuer);
        _requireBrand(of_.brands, pair.acceptor);
        bytes32 leaf =
            keccak256(abi.encodePacked(pair.issuer, pair.acceptor, pair.terms, pair.points, pair.netted));
        bytes32 root = RootBranch.rootOf(leaf, pair.index, of_.count, pair.branch);
        if (root != of_.root) revert PairNotUnderRoot(pair.index);
    }

    function _requireBrand(uint32[] calldata rising, uint32 brand) private pure {
        uint256 first = 0;
        uint256 end = rising.length;
        while (first < end) {
            uint256 middle = (first + end) / 2;
            if (rising[middle] == brand) return;
            if (rising[middle] < brand) first = middle + 1;
            else end = middle;
        }
        revert BrandNotInCycle(brand);
    }

    function _requirePaid(bytes32 id, Pair calldata pair, bytes calldata signature) private view {
        (uint32 creditor, uint32 debtor) =
            pair.points > 0 ? (pair.acceptor, pair.issuer) : (pair.issuer, pair.acceptor);
        bytes32 digest = _digest(keccak256(abi.encode(PAID_TYPE, cycle[id], creditor, debtor)));
        if (!_isSignedByOwner(creditor, digest, signature)) revert PaidNotSignedBy(creditor);
    }

    function _isSignedByOwner(uint32 brand, bytes32 digest, bytes calldata signature) private view returns (bool) {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        return failure == ECDSA.RecoverError.NoError && signer == brands.brandOwner(brand);
    }

    /// In the sign of the points.
    function _signedNetted(Pair calldata pair) private pure returns (int256) {
        int256 netted = int256(uint256(pair.netted));
        return pair.points < 0 ? -netted : netted;
    }

    function _isSet(mapping(uint256 word => uint256) storage bits, uint256 index) private view returns (bool) {
        return bits[index >> 8] & (1 << (index & 0xff)) != 0;
    }

    function _set(mapping(uint256 word => uint256) storage bits, uint256 index) private {
        bits[index >> 8] |= 1 << (index & 0xff);
    }
}
