// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CoalitionDomain} from "./CoalitionDomain.sol";
import {Governed} from "./Governed.sol";
import {IMembers} from "./IMembers.sol";
import {MemberProofs} from "./MemberProofs.sol";

/// Members and their authorizers. The ids of members commit to the first one, so anybody may enroll anybody.
abstract contract MemberRegister is Governed, CoalitionDomain, MemberProofs, IMembers {
    struct Enrollment {
        uint8 kind;
        bytes authorizer;
        bytes32 salt;
    }

    enum Standing {
        NEVER,
        PRESENT,
        REMOVED // kept apart from NEVER: enrolling again must not bring a removed first authorizer back
    }

    struct Member {
        uint64 acts; // that its authorizers signed and somebody relayed: the nonce of the next one
        uint32 turn; // counts spend locks, guardians and recoveries; what was pending before the last of them has fallen
        uint32 epoch; // counts recoveries
        uint32 furtherAuthorizers; // beyond one
        bool isLocked;
    }

    mapping(address member => Member) internal _members;
    mapping(uint256 seat => mapping(bytes32 authorizerId => Standing)) internal _authorizers;

    event MemberEnrolled(address indexed member, uint8 kind, bytes authorizer);
    event AuthorizerAdded(address indexed member, uint8 kind, bytes authorizer);
    event AuthorizerRemoved(address indexed member, bytes32 authorizerId);

    error AuthorizerPresent(bytes32 authorizerId);
    error AuthorizerAbsent(bytes32 authorizerId);
    error LastAuthorizer();

    function isAuthorizer(address member, bytes32 authorizerId) external view returns (bool) {
        return _isAuthorizer(member, authorizerId);
    }

    /// @inheritdoc IMembers
    function isLocked(address member) external view returns (bool) {
        return _members[member].isLocked;
    }

    /// How often the member's authorizers acted: the nonce of the next act. But for a spend lock, whose nonce is `memberTurn`.
    function memberActs(address member) external view returns (uint64) {
        return _members[member].acts;
    }

    function memberTurn(address member) external view returns (uint32) {
        return _members[member].turn;
    }

    /// For anyone to relay: the member id commits to its first authorizer. Who is enrolled already is passed over.
    function enroll(Enrollment[] calldata enrollments) external {
        for (uint256 i = 0; i < enrollments.length; ++i) {
            Enrollment calldata one = enrollments[i];
            _requireKind(one.kind, one.authorizer);
            address member = address(
                uint160(
                    uint256(keccak256(abi.encodePacked(coalitionId, one.kind, keccak256(one.authorizer), one.salt)))
                )
            );
            bytes32 id = _authorizerId(one.kind, one.authorizer);
            uint256 firstSeat = _seat(member, 0); // whatever came since: a recovery is not undone by enrolling again
            if (_authorizers[firstSeat][id] != Standing.NEVER) continue;
            _authorizers[firstSeat][id] = Standing.PRESENT;
            emit MemberEnrolled(member, one.kind, one.authorizer);
        }
    }

    function _isAuthorizer(address member, bytes32 authorizerId) internal view returns (bool) {
        return _authorizers[_seat(member)][authorizerId] == Standing.PRESENT;
    }

    function _add(address member, uint8 kind, bytes calldata authorizer) internal {
        if (kind == CLAIM_KEY) revert AuthorizerKindUnknown(kind); // a claim key is only ever the first
        _requireKind(kind, authorizer);
        bytes32 id = _authorizerId(kind, authorizer);
        if (_isAuthorizer(member, id)) revert AuthorizerPresent(id);
        _authorizers[_seat(member)][id] = Standing.PRESENT;
        emit AuthorizerAdded(member, kind, authorizer);
    }

    function _remove(address member, bytes32 id) internal {
        if (!_isAuthorizer(member, id)) revert AuthorizerAbsent(id);
        _authorizers[_seat(member)][id] = Standing.REMOVED;
        emit AuthorizerRemoved(member, id);
    }

    /// What authorizers and grants are kept by: a recovery gives the member another seat, and so ends them all at once.
    function _seat(address member) internal view returns (uint256) {
        return _seat(member, _members[member].epoch);
    }

    function _seat(address member, uint32 epoch) private pure returns (uint256) {
        return uint256(epoch) << 160 | uint160(member);
    }
}
