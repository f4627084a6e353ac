// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// Who governs, and how slowly: one operator, one guardian, n approvers of whom k are needed. No account is two of them, and
/// each is changed by an act alone.
abstract contract Governors is TimelockController {
    uint256 public constant SHORTEST_DELAY = 1 days; // but in a sandbox
    uint256 public constant LONGEST_DELAY = 30 days;
    uint256 public constant APPROVERS_MAX = 32;

    struct Founding {
        bool sandbox;
        uint256 delay;
        address operator;
        address guardian;
        address[] approvers; // ascending
        uint8 threshold;
    }

    bool public immutable sandbox;
    address public operator;
    address public guardian;
    uint8 public threshold;
    address[] private _approvers;
    mapping(address account => bool) public isApprover;

    event OperatorReplaced(address indexed from, address indexed to);
    event GuardianReplaced(address indexed from, address indexed to);
    event ApproversSet(address[] approvers, uint8 threshold);

    error DelayOutOfRange(uint256 delay);
    error AccountZero();
    error SeveralRoles(address account);
    error ThresholdOutOfRange(uint8 threshold, uint256 approvers);
    error ApproversNotAscending(address account);
    error RolesFixed();

    modifier onlyByAct() {
        if (msg.sender != address(this)) revert TimelockUnauthorizedCaller(msg.sender);
        _;
    }

    constructor(Founding memory founding)
        TimelockController(founding.delay, new address[](0), _anyone(), address(0))
    {
        sandbox = founding.sandbox;
        _requireDelay(founding.delay, founding.sandbox);
        // For proposeOperator and veto; an act may use them too, by the same delay and approvals.
        _grantRole(PROPOSER_ROLE, address(this));
        _grantRole(CANCELLER_ROLE, address(this));
        _setOperator(founding.operator);
        _setGuardian(founding.guardian);
        _setApprovers(founding.approvers, founding.threshold);
    }

    function approvers() external view returns (address[] memory) {
        return _approvers;
    }

    function replaceOperator(address account) external onlyByAct {
        _revokeRole(PROPOSER_ROLE, operator);
        _setOperator(account);
    }

    function replaceGuardian(address account) external onlyByAct {
        _revokeRole(CANCELLER_ROLE, guardian);
        _setGuardian(account);
    }

    function setApprovers(address[] calldata accounts, uint8 threshold_) external onlyByAct {
        _setApprovers(accounts, threshold_);
    }

    /// For acts proposed from then on.
    function updateDelay(uint256 delay) public override {
        super.updateDelay(delay);
        _requireDelay(delay, sandbox);
    }

    /// There is one operator and one guardian, and each is only ever replaced.
    function grantRole(bytes32, address) public pure override {
        revert RolesFixed();
    }

    function revokeRole(bytes32, address) public pure override {
        revert RolesFixed();
    }

    function renounceRole(bytes32, address) public pure override {
        revert RolesFixed();
    }

    function _setOperator(address account) private {
        _requireNoRole(account);
        emit OperatorReplaced(operator, account);
        operator = account;
        _grantRole(PROPOSER_ROLE, account);
    }

    function _setGuardian(address account) private {
        _requireNoRole(account);
        emit GuardianReplaced(guardian, account);
        guardian = account;
        _grantRole(CANCELLER_ROLE, account);
    }

    /// In ascending order, which leaves no room for one twice.
    function _setApprovers(address[] memory accounts, uint8 threshold_) private {
        for (uint256 i = 0; i < _approvers.length; ++i) {
            isApprover[_approvers[i]] = false;
        }
        if (threshold_ == 0 || threshold_ > accounts.length || accounts.length > APPROVERS_MAX) {
            revert ThresholdOutOfRange(threshold_, accounts.length);
        }
        address last = address(0);
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            if (account <= last) revert ApproversNotAscending(account);
            _requireNoRole(account);
            isApprover[account] = true;
            last = account;
        }
        _approvers = accounts;
        threshold = threshold_;
        emit ApproversSet(accounts, threshold_);
    }

    function _requireNoRole(address account) private view {
        if (account == address(0)) revert AccountZero();
        if (account == address(this) || account == operator || account == guardian || isApprover[account]) {
            revert SeveralRoles(account);
        }
    }

    function _requireDelay(uint256 delay, bool sandbox_) private pure {
        if (delay > LONGEST_DELAY || (delay < SHORTEST_DELAY && !sandbox_)) revert DelayOutOfRange(delay);
    }

    /// The executors' role is open; what holds an execution back are its approvals.
    function _anyone() private pure returns (address[] memory open) {
        open = new address[](1);
    }
}
