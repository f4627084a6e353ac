// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155MetadataURI} from "@openzeppelin/contracts/token/ERC1155/extensions/IERC1155MetadataURI.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {BalanceSlot} from "./BalanceSlot.sol";
import {IBrands} from "./IBrands.sol";
import {LocalDay} from "./LocalDay.sol";
import {Lots} from "./Lots.sol";

/// What members hold, lot by lot, read as ERC-1155; and the few ways in which points move.
///
/// Callers check before they move: held never exceeds 128 bits (fewer than 2^64 entries of fewer than 2^64 points), reserved
/// never exceeds held.
abstract contract Points is IERC1155MetadataURI, LocalDay {
    /// A batch at work. Outstanding points of its brand and of the lot last touched are kept here and written back at the end.
    struct Batch {
        uint256 brand;
        uint256 state;
        uint256 limit;
        uint256 outstanding;
        uint256 localDay;
        uint256 redemptionMinor; // the brand's least rate, once it was asked for: a discount of so much for so many points
        uint256 redemptionPoints;
        uint256 goodExpiryDay; // the month end checked last
        uint256 lotId; // the lot touched last, where its balances stand, and what is outstanding of it now and in storage
        bytes32 lotBalances;
        uint256 lotOutstanding;
        uint256 lotOutstandingStored;
    }

    uint256 internal constant HELD = type(uint128).max;

    /// reserved (16 bytes) ‖ held (16 bytes); held includes reserved.
    mapping(uint256 lotId => mapping(address member => uint256)) internal balances;
    mapping(uint256 lotId => uint256) public outstandingOfLot;
    mapping(uint32 brandId => uint256) public outstanding;

    IBrands public immutable brands;

    error TransfersNotOpen();
    error LengthsDiffer();

    constructor(IBrands brands_) LocalDay(brands_.utcOffsetSeconds()) {
        brands = brands_;
    }

    function pointsOf(address member, uint256 lotId) external view returns (uint256 held, uint256 reserved) {
        uint256 balance = balances[lotId][member];
        return (balance & HELD, balance >> 128);
    }

    /// Reserved points included.
    function balanceOf(address member, uint256 lotId) public view returns (uint256) {
        return balances[lotId][member] & HELD;
    }

    function balanceOfBatch(address[] calldata members, uint256[] calldata lotIds)
        external
        view
        returns (uint256[] memory held)
    {
        if (members.length != lotIds.length) revert LengthsDiffer();
        held = new uint256[](members.length);
        for (uint256 i = 0; i < members.length; ++i) {
            held[i] = balanceOf(members[i], lotIds[i]);
        }
    }

    function uri(uint256) external pure returns (string memory) {
        return "data:application/json,%7B%22name%22:%22Points%20of%20lot%20{id}%22,%22decimals%22:0%7D";
    }

    function isApprovedForAll(address, address) external pure returns (bool) {
        return false;
    }

    function setApprovalForAll(address, bool) external pure {
        revert TransfersNotOpen();
    }

    function safeTransferFrom(address, address, uint256, uint256, bytes calldata) external pure {
        revert TransfersNotOpen();
    }

    function safeBatchTransferFrom(address, address, uint256[] calldata, uint256[] calldata, bytes calldata)
        external
        pure
    {
        revert TransfersNotOpen();
    }

    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC1155).interfaceId || interfaceId == type(IERC1155MetadataURI).interfaceId
            || interfaceId == type(IERC165).interfaceId;
    }

    function _unreserved(address member, uint256 lotId) internal view returns (uint256) {
        uint256 balance = balances[lotId][member];
        unchecked {
            return (balance & HELD) - (balance >> 128);
        }
    }

    /// New points of a lot for a member.
    function _give(Batch memory batch, address member, uint256 lotId, uint256 points) internal {
        unchecked {
            if (lotId != batch.lotId) _turnTo(batch, lotId);
            BalanceSlot.Word storage balance = BalanceSlot.of_(batch.lotBalances, member);
            balance.value += points;
            batch.lotOutstanding += points;
            if (lotId >> 32 == batch.brand) batch.outstanding += points;
            else outstanding[Lots.brandOf(lotId)] += points;
        }
        emit TransferSingle(msg.sender, address(0), member, lotId, points);
    }

    /// Takes `points` from a member for good, and releases `reserved` of them (or more, where not all that was reserved is taken).
    function _take(Batch memory batch, address member, uint256 lotId, uint256 points, uint256 reserved) internal {
        unchecked {
            if (lotId != batch.lotId) _turnTo(batch, lotId);
            BalanceSlot.Word storage balance = BalanceSlot.of_(batch.lotBalances, member);
            balance.value -= (reserved << 128) + points;
            if (points == 0) return;
            batch.lotOutstanding -= points;
            if (lotId >> 32 == batch.brand) batch.outstanding -= points;
            else outstanding[Lots.brandOf(lotId)] -= points;
        }
        emit TransferSingle(msg.sender, member, address(0), lotId, points);
    }

    /// From one member to another; nothing else changes.
    function _move(address from, address to, uint256 lotId, uint256 points) internal {
        unchecked {
            balances[lotId][from] -= points;
            balances[lotId][to] += points;
        }
        emit TransferSingle(msg.sender, from, to, lotId, points);
    }

    function _reserve(address member, uint256 lotId, uint256 points) internal {
        unchecked {
            balances[lotId][member] += points << 128;
        }
    }

    function _release(address member, uint256 lotId, uint256 points) internal {
        unchecked {
            balances[lotId][member] -= points << 128;
        }
    }

    function _openBatch(uint32 brandId, uint256 state, uint256 limit) internal view returns (Batch memory batch) {
        batch.brand = brandId;
        batch.localDay = _localDay();
        batch.state = state;
        batch.limit = limit;
        batch.outstanding = outstanding[brandId];
    }

    function _closeBatch(Batch memory batch) internal {
        _storeLot(batch);
        outstanding[uint32(batch.brand)] = batch.outstanding;
    }

    function _turnTo(Batch memory batch, uint256 lotId) private {
        _storeLot(batch);
        batch.lotId = lotId;
        batch.lotBalances = BalanceSlot.row(balances, lotId);
        batch.lotOutstanding = batch.lotOutstandingStored = outstandingOfLot[lotId];
    }

    function _storeLot(Batch memory batch) private {
        if (batch.lotOutstanding != batch.lotOutstandingStored) outstandingOfLot[batch.lotId] = batch.lotOutstanding;
    }
}
