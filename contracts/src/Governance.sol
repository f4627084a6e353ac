// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {CoalitionDomain} from "./CoalitionDomain.sol";
import {Governors} from "./Governors.sol";
import {IBrandOwners} from "./IBrandOwners.sol";

/// Nobody rules alone: the operator proposes an act, after the delay k of n approvers sign its execution by their own
/// clocks, and until then the guardian can cancel it. A brand's owner vetoes the owner's own replacement.
contract Governance is Governors, CoalitionDomain {
    bytes32 private constant APPROVAL_TYPE =
        keccak256("Approval(bytes32 operation,uint40 approvedAt,uint40 goodUntil)");
    bytes32 private constant VETO_TYPE = keccak256("Veto(bytes32 operation,uint32 brand)");

    uint256 public constant ACT_LIFETIME = 30 days; // from the second an act is ready
    // How many delays it waits that operator or guardian are replaced without being able to stop it.
    uint256 public constant REPLACEMENT_DELAYS = 3;

    /// `approvedAt` is the approver's own clock: whoever sets the chain's clock forward gains nothing by it.
    struct Approval {
        uint40 approvedAt;
        uint40 goodUntil;
        bytes signature;
    }

    mapping(bytes32 operation => bool) public isCancelled; // for good: what was approved once must not come back
    mapping(bytes32 operation => bool) public isBeyondGuardian;

    event ActApproved(bytes32 indexed operation, address indexed approver, uint40 approvedAt, uint40 goodUntil);
    event OwnerVetoed(bytes32 indexed operation, uint32 indexed brand, address owner);

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

    constructor(bytes32 coalitionId_, Founding memory founding)
        Governors(founding)
        CoalitionDomain(coalitionId_)
    {}

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
        emit OwnerVetoed(id, brand, signer);
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

    function _replacesGuardian(address target, bytes calldata data) private view returns (bool) {
        return target == address(this) && bytes4(data) == this.replaceGuardian.selector;
    }

    /// On whatever target: an act on something that is no points ledger replaces nobody.
    function _replacesBrandOwner(bytes calldata data) private pure returns (bool) {
        return bytes4(data) == IBrandOwners.setBrandOwner.selector;
    }
}
