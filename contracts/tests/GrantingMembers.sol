// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMembers} from "../src/IMembers.sol";
import {Refusals} from "../src/Refusals.sol";

/// A stand-in for the members' register that grants what it is told to, so that the ledger's side of a grant is seen alone. Tests
/// alone deploy it.
contract GrantingMembers is IMembers {
    IMembers public immutable members; // answers what is not about grants
    address public immutable pointsLedger;
    uint256 public asked; // how often points were spent or refused
    uint256 public lastDay; // of the last spending
    mapping(address giver => mapping(bytes32 to => uint256)) public left;
    mapping(address giver => bool) public endless;

    constructor(IMembers members_, address pointsLedger_) {
        (members, pointsLedger) = (members_, pointsLedger_);
    }

    function grant(address giver, bytes32 to, uint256 points) external {
        left[giver][to] = points;
    }

    /// From now on a spending of this giver's never ends.
    function neverEnd(address giver) external {
        endless[giver] = true;
    }

    function consents(address member, bytes32 digest, uint256 kind, bytes calldata proof)
        external
        view
        returns (bytes4)
    {
        return members.consents(member, digest, kind, proof);
    }

    function spend(address giver, bytes32 to, uint256 points, uint256 localDay) external returns (bytes4) {
        while (endless[giver]) {}
        ++asked;
        uint256 most = left[giver][to];
        if (most == 0) return Refusals.GrantMissing.selector;
        if (points > most) return Refusals.GrantExceeded.selector;
        left[giver][to] = most - points;
        lastDay = localDay;
        return 0;
    }

    function isLocked(address) external pure returns (bool) {
        return false;
    }
}
