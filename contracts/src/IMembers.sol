// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What the points ledger asks of the members' register, which stands apart for room.
interface IMembers {
    /// The one ledger whose entries spend under members' grants.
    function pointsLedger() external view returns (address);

    /// Zero if an authorizer of `member` of kind `kind` approved of `digest`, else the refusal of the entry.
    function consents(address member, bytes32 digest, uint256 kind, bytes calldata proof)
        external
        view
        returns (bytes4 reason);

    /// Uses up `points` of what `giver` granted to `to`, a brand or a member in 32 bytes, and returns zero; or else the refusal of
    /// the entry, and changes nothing. For the points ledger alone.
    function spend(address giver, bytes32 to, uint256 points, uint256 localDay) external returns (bytes4 reason);
}
