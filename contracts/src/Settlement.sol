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
/// of each pair is then applied by anybody, by a branch against its root, and whatever has happened since the cut-off: what is settled
/// beyond what is owed by then is the other side's claim. Nobody's claim is given up without its owner's signature.
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

    /// Leaf `index` of a cycle: keccak(issuer (4) ‖ acceptor (4) ‖ terms (4) ‖ points (8) ‖ netted (8)). Negative points are the
    /// issuer's claim. `netted` is discharged at once, the rest of the points when it is paid.
    struct Pair {
        uint32 index;
        uint32 issuer;
        uint32 acceptor;
        uint32 terms;
        int64 points;
        uint64 netted;
        bytes32[] branch;
    }

    /// Neither way is more settled in all, so that every reader has room for the sum.
    int256 private constant MOST_SETTLED = 2 ** 62;

    IBrandOwners public immutable brands;
    address public immutable pointsLedger;

    /// The block in which each brand last agreed to a cycle or a pair of it was applied, eight brands a word. A block's timestamp is
    /// later than the one's before, so that 32 bits are enough for 136 years.
    mapping(uint256 word => uint32[8]) public lastSettled;
    /// By its record, the EIP-712 struct hash that its brands signed.
    mapping(bytes32 cycle => bool) public agreed;
    /// What cycles have settled of what is owed, in the same sign; beyond it where points came back since the cut-off.
    mapping(uint32 issuer => mapping(uint32 acceptor => mapping(uint32 terms => int256))) public settled;
    /// A bit for each index of the cycle with this record, 256 a word.
    mapping(bytes32 cycle => mapping(uint256 word => uint256)) public applied;
    mapping(bytes32 cycle => mapping(uint256 word => uint256)) public paid;

    event CycleAgreed(
        bytes32 indexed cycle,
        bytes32 indexed id,
        uint64 cutOffBlock,
        uint32[] brands,
        bytes32 root,
        uint32 count,
        uint40 deadline
    );
    event PairApplied(
        bytes32 indexed cycle,
        uint32 indexed issuer,
        uint32 indexed acceptor,
        uint32 index,
        uint32 terms,
        int64 points,
        uint64 netted
    );
    event PairPaid(bytes32 indexed cycle, uint32 indexed issuer, uint32 indexed acceptor, uint32 index, int64 points);

    error CycleExpired(uint40 deadline);
    error CutOffAhead(uint64 cutOffBlock);
    error CycleEmpty();
    error SettledSinceCutOff(uint32 brand, uint32 inBlock);
    error BrandsNotAscending();
    error SignaturesDoNotMatchBrands(uint256 given);
    error CycleNotSignedBy(uint32 brand);
    error CycleNotAgreed(bytes32 cycle);
    error BrandNotInCycle(uint32 brand);
    error PairNotUnderRoot(uint32 index);
    error NettedAboveSettled(uint32 index);
    error SettledOutOfRange(uint32 index);
    error PairNotApplied(uint32 index);
    error PaidNotSignedBy(uint32 creditor);

    constructor(IGovernance governance_, IBrandOwners brands_, address pointsLedger_)
        CoalitionDomain(governance_.coalitionId())
    {
        brands = brands_;
        pointsLedger = pointsLedger_;
    }

    /// For anyone to relay. One signature a brand, by the one who owns it now, in the order of the brands. What a cycle settles was
    /// computed at its cut-off: it is void once one of its brands has settled since, as the same claims may stand in both.
    function agree(Cycle calldata of_, bytes[] calldata signatures) external {
        if (block.timestamp > of_.deadline) revert CycleExpired(of_.deadline);
        if (of_.cutOffBlock >= block.number) revert CutOffAhead(of_.cutOffBlock);
        if (of_.root == 0 || of_.count == 0 || of_.brands.length == 0) revert CycleEmpty();
        if (signatures.length != of_.brands.length) revert SignaturesDoNotMatchBrands(signatures.length);
        bytes32 record = _record(of_);
        bytes32 digest = _digest(record);
        uint32 last;
        for (uint256 i = 0; i < signatures.length; ++i) {
            uint32 brand = of_.brands[i];
            if (brand <= last) revert BrandsNotAscending();
            uint32 settledIn = lastSettled[brand / 8][brand % 8];
            if (of_.cutOffBlock < settledIn) revert SettledSinceCutOff(brand, settledIn);
            if (!_isSignedByOwner(brand, digest, signatures[i])) revert CycleNotSignedBy(brand);
            _settles(brand);
            last = brand;
        }
        agreed[record] = true;
        emit CycleAgreed(record, of_.id, of_.cutOffBlock, of_.brands, of_.root, of_.count, of_.deadline);
    }

    /// For anyone, in any order, all or none. What is applied already is passed over, so that who comes first stops nobody.
    function applyPairs(Cycle calldata of_, Pair[] calldata pairs) external {
        bytes32 record = _agreedRecord(of_);
        for (uint256 i = 0; i < pairs.length; ++i) {
            Pair calldata pair = pairs[i];
            if (_isSet(applied[record], pair.index)) continue;
            _requireUnderRoot(of_, pair);
            _set(applied[record], pair.index);
            _apply(record, pair);
        }
    }

    /// The creditor's owner says that what was left of these pairs was paid. One signature does for all of a creditor and a debtor.
    function confirmPaid(Cycle calldata of_, Pair[] calldata pairs, bytes calldata signature) external {
        bytes32 record = _agreedRecord(of_);
        for (uint256 i = 0; i < pairs.length; ++i) {
            Pair calldata pair = pairs[i];
            if (_isSet(paid[record], pair.index)) continue;
            _requireUnderRoot(of_, pair);
            if (!_isSet(applied[record], pair.index)) revert PairNotApplied(pair.index);
            _requirePaid(record, pair, signature);
            _set(paid[record], pair.index);
            int256 points = pair.points - _signedNetted(pair); // between the pair's points and zero
            IClearing(pointsLedger).lowerExposure(pair.issuer, pair.acceptor, points);
            emit PairPaid(record, pair.issuer, pair.acceptor, pair.index, int64(points));
        }
    }

    /// Whatever is owed by now: all pairs of a cycle take effect, or its brands would have given up claims for nothing.
    function _apply(bytes32 record, Pair calldata pair) private {
        int256 netted = _signedNetted(pair);
        if (pair.points < 0 ? netted < pair.points : netted > pair.points) revert NettedAboveSettled(pair.index);
        int256 sum = settled[pair.issuer][pair.acceptor][pair.terms] + pair.points;
        if (sum > MOST_SETTLED || sum < -MOST_SETTLED) revert SettledOutOfRange(pair.index);
        settled[pair.issuer][pair.acceptor][pair.terms] = sum;
        _settles(pair.issuer);
        _settles(pair.acceptor);
        IClearing(pointsLedger).lowerExposure(pair.issuer, pair.acceptor, netted);
        emit PairApplied(record, pair.issuer, pair.acceptor, pair.index, pair.terms, pair.points, pair.netted);
    }

    function _settles(uint32 brand) private {
        lastSettled[brand / 8][brand % 8] = uint32(block.number);
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

    function _agreedRecord(Cycle calldata of_) private view returns (bytes32 record) {
        record = _record(of_);
        if (!agreed[record]) revert CycleNotAgreed(record);
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

    function _requirePaid(bytes32 record, Pair calldata pair, bytes calldata signature) private view {
        (uint32 creditor, uint32 debtor) =
            pair.points > 0 ? (pair.acceptor, pair.issuer) : (pair.issuer, pair.acceptor);
        bytes32 digest = _digest(keccak256(abi.encode(PAID_TYPE, record, creditor, debtor)));
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
