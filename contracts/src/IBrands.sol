// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILocalDay} from "./ILocalDay.sol";

/// What the points ledger asks of the brands' register, which stands apart for room: once a batch, and once for each foreign lot.
interface IBrands is ILocalDay {
    /// Of the brand whose batch it is: whether this key signs its batches now, its state (0 for an unknown brand), and the most
    /// that may be outstanding of its points.
    function enter(uint32 brandId, address key) external view returns (bool isKeyValid, uint8 state, uint96 limit);

    /// In this block: a run-off past its last day is closed. 0 for an unknown brand.
    function brandState(uint32 brandId) external view returns (uint8);

    /// Of another brand whose points are to be spent: its state, the number of its terms that hold, and how many of its points the
    /// accepting brand lets itself be owed.
    function issuer(uint32 issuerId, uint32 acceptorId)
        external
        view
        returns (uint8 state, uint32 termsNumber, uint96 most);

    /// The least that the brand gives a member now: `minor` units of money for `points` points.
    function redemptionRate(uint32 brandId) external view returns (uint64 minor, uint64 points);
}
