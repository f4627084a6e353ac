// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {CoalitionDomain} from "./CoalitionDomain.sol";
import {IBrandOwners} from "./IBrandOwners.sol";

/// Nobody rules alone: the operator proposes an act, after the delay k of n approvers sign its execution by their own
/// clocks, and until then the guardian can cancel it. A brand's owner vetoes the owner's own replacement.
contract Governance is TimelockController, CoalitionDomain {
    bytes32 private constant APPROVAL_TYPE = keccak256("Approval(bytes32 operation,uint40 approvedAt,uint40 goodUntil)");
    bytes32 private constant VETO_TYPE = keccak256("Veto(bytes32 operation,uint32 brand)");

    uint256 public constant SHORTEST_DELAY = 1 days; // but in a sandbox
    uint256 public constant LONGEST_DELAY = 30 days;
    uint256 public constant ACT_LIFETIME = 30 days; // from the second an act is ready
    // How many delays it waits that operator or guardian are replaced without being able to stop it.
    uint256 public constant REPLACEMENT_DELAYS = 3;
    uint256 public constant APPROVERS_MAX = 32;

    /// `approvedAt` is the approver's own clock: whoever sets the chain's clock forward gains nothing by it.
    struct Approval {
        uint40 approvedAt;
        uint40 goodUntil;
        bytes signature;
    }

    bool public immutable sandbox;
    address public operator;
    address public guardian;
    uint8 public threshold;
    address[] private _approvers;
    mapping(address account => bool) public isApprover;
    mapping(bytes32 operation => bool) public isCancelled; // for good: what was approved once must not come back
    mapping(bytes32 operation => bool) public isBeyondGuardian;

    event OperatorReplaced(address indexed from, address indexed to);
    event GuardianReplaced(address indexed from, address indexed to);
    event ApproversSet(address[] approvers, uint8 threshold);
    event ActApproved(bytes32 indexed operation, address indexed approver, uint40 approvedAt, uint40 goodUntil);
    event ActVetoed(bytes32 indexed operation, uint32 indexed brand, address owner);

    error DelayOutOfRange(uint256 delay);
    error AccountZero();
    error SeveralRoles(address account);
    error ThresholdOutOfRange(uint8 threshold, uint256 approvers);
    error ApproversNotAscending(address account);
    error RolesFixed();
    error NotGuardian(address account);
    error GuardianDelayTooShort(uint256 delay, uint256 least);
    error BeyondGuardian(bytes32 operation);
    error MustStandAlone(uint256 index);
    error ActCancelled(bytes32 operation);
    error ActLapsed(bytes32 operation);
    error ApprovalsMissing();
    error TooFewApprovals(uint256 given, uint8 threshold);
    error ApprovalTooEarly(uint40 approvedAt, uint256 ready);
    error ApprovalExpired(uint40 goodUntil);
    error ApprovalsNotAscending(address approver);
    error NotAnApprover(address account);
    error SignatureInvalid();
    error NotAnOwnerReplacement(bytes32 operation);
    error NotBrandOwner(uint32 brand, address account);

    modifier onlyByAct() {
        if (msg.sender != address(this)) revert TimelockUnauthorizedCaller(msg.sender);
        _;
    }

    constructor(
        bytes32 coalitionId_,
        bool sandbox_,
        uint256 delay,
        address operator_,
        address guardian_,
        address[] memory approvers_,
        uint8 threshold_
    ) TimelockController(delay, new address[](0), _anyone(), address(0)) CoalitionDomain(coalitionId_) {
        sandbox = sandbox_;
        _requireDelay(delay, sandbox_);
        // For proposeOperator and veto; an act may use them too, by the same delay and approvals.
        _grantRole(PROPOSER_ROLE, address(this));
        _grantRole(CANCELLER_ROLE, address(this));
        _setOperator(operator_);
        _setGuardian(guardian_);
        _setApprovers(approvers_, threshold_);
    }

    function approvers() external view returns (address[] memory) {
        return _approvers;
    }

    // Proposing

    /// A replacement of the guardian waits longer, and no guardian can cancel it.
    function schedule(
        address target,
        uint256 value,
        bytes calldata data,
        bytes32 predecessor,
        bytes32 salt,
        uint256 delay
    ) public override {
        bytes32 id = hashOperation(target, value, data, predecessor, salt);
        if (isCancelled[id]) revert ActCancelled(id);
        if (_replacesGuardian(target, data)) {
            uint256 least = REPLACEMENT_DELAYS * getMinDelay();
            if (delay < least) revert GuardianDelayTooShort(delay, least);
            isBeyondGuardian[id] = true;
        }
        super.schedule(target, value, data, predecessor, salt, delay);
    }

    /// Replacements of a brand's owner or of the guardian stand alone, so that who may stop them stops nothing else.
    function scheduleBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt,
        uint256 delay
    ) public override {
        super.scheduleBatch(targets, values, payloads, predecessor, salt, delay);
        bytes32 id = hashOperationBatch(targets, values, payloads, predecessor, salt);
        if (isCancelled[id]) revert ActCancelled(id);
        for (uint256 i = 0; i < targets.length; ++i) {
            if (_replacesBrandOwner(payloads[i]) || _replacesGuardian(targets[i], payloads[i])) {
                revert MustStandAlone(i);
            }
        }
    }

    /// The one act that the guardian proposes: an operator that is lost or lays everything idle can be replaced.
    function proposeOperator(address account, bytes32 salt) external {
        if (msg.sender != guardian) revert NotGuardian(msg.sender);
        uint256 delay = REPLACEMENT_DELAYS * getMinDelay();
        this.schedule(address(this), 0, abi.encodeCall(this.replaceOperator, (account)), 0, salt, delay);
    }

    // Stopping

    /// The same act is never proposed again: its approvals may still be about. Another salt makes another act.
    function cancel(bytes32 id) public override {
        if (isBeyondGuardian[id]) revert BeyondGuardian(id);
        super.cancel(id);
        isCancelled[id] = true;
    }

    /// For anyone to relay: the owner of a brand cancels the pending act that replaces the owner.
    function veto(
        address target,
        uint256 value,
        bytes calldata data,
        bytes32 predecessor,
        bytes32 salt,
        bytes calldata signature
    ) external {
        bytes32 id = hashOperation(target, value, data, predecessor, salt);
        if (!_replacesBrandOwner(data)) revert NotAnOwnerReplacement(id);
        // What does not decode here does not decode in the ledger either.
        (uint32 brand,) = abi.decode(data[4:], (uint32, address));
        address signer = _signer(keccak256(abi.encode(VETO_TYPE, id, brand)), signature);
        if (signer != IBrandOwners(target).brandOwner(brand)) revert NotBrandOwner(brand, signer);
        emit ActVetoed(id, brand, signer);
        this.cancel(id);
    }

    // Executing

    /// For anyone to relay.
    function executeApproved(
        address target,
        uint256 value,
        bytes calldata data,
        bytes32 predecessor,
        bytes32 salt,
        Approval[] calldata approvals
    ) external {
        _requireApprovals(hashOperation(target, value, data, predecessor, salt), approvals);
        super.execute(target, value, data, predecessor, salt);
    }

    /// For anyone to relay; all calls of the batch or none.
    function executeBatchApproved(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt,
        Approval[] calldata approvals
    ) external {
        _requireApprovals(hashOperationBatch(targets, values, payloads, predecessor, salt), approvals);
        super.executeBatch(targets, values, payloads, predecessor, salt);
    }

    function execute(address, uint256, bytes calldata, bytes32, bytes32) public payable override {
        revert ApprovalsMissing();
    }

    function executeBatch(address[] calldata, uint256[] calldata, bytes[] calldata, bytes32, bytes32)
        public
        payable
        override
    {
        revert ApprovalsMissing();
    }

    // Acts of governance on itself

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

    function _requireApprovals(bytes32 id, Approval[] calldata approvals) private {
        if (!isOperationReady(id)) {
            revert TimelockUnexpectedOperationState(id, _encodeStateBitmap(OperationState.Ready));
        }
        uint256 ready = getTimestamp(id);
        if (block.timestamp > ready + ACT_LIFETIME) revert ActLapsed(id);
        if (approvals.length < threshold) revert TooFewApprovals(approvals.length, threshold);
        address last = address(0);
        for (uint256 i = 0; i < approvals.length; ++i) {
            Approval calldata one = approvals[i];
            if (one.approvedAt < ready) revert ApprovalTooEarly(one.approvedAt, ready);
            if (block.timestamp > one.goodUntil) revert ApprovalExpired(one.goodUntil);
            bytes32 structHash = keccak256(abi.encode(APPROVAL_TYPE, id, one.approvedAt, one.goodUntil));
            address signer = _signer(structHash, one.signature);
            if (signer <= last) revert ApprovalsNotAscending(signer);
            if (!isApprover[signer]) revert NotAnApprover(signer);
            emit ActApproved(id, signer, one.approvedAt, one.goodUntil);
            last = signer;
        }
    }

    function _signer(bytes32 structHash, bytes calldata signature) private view returns (address) {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(_digest(structHash), signature);
        if (failure != ECDSA.RecoverError.NoError) revert SignatureInvalid();
        return signer;
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

    function _replacesGuardian(address target, bytes calldata data) private view returns (bool) {
        return target == address(this) && bytes4(data) == this.replaceGuardian.selector;
    }

    /// On whatever target: an act on something that is no points ledger replaces nobody.
    function _replacesBrandOwner(bytes calldata data) private pure returns (bool) {
        return bytes4(data) == IBrandOwners.setBrandOwner.selector;
    }

    /// The executors' role is open; what holds an execution back are its approvals.
    function _anyone() private pure returns (address[] memory open) {
        open = new address[](1);
    }
}
