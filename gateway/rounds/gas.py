"""How much gas a batch may need, bounded from above by kind of entry, so that no transaction passes 2^24 (EIP-7825)."""

from __future__ import annotations

from gateway.ledger.entries import (
    BRAND_GRANT,
    GRANTED_PROOF_LENGTH,
    MEMBER_GRANT,
    Authorize,
    Capture,
    Clawback,
    ConsentProof,
    Entry,
    Expire,
    Extend,
    Issue,
    Opening,
    PointRefund,
    Redeem,
    Restore,
    Transfer,
    Void,
    encode_entry,
)
from gateway.ledger.members import FIRST_VERIFIER_KIND

TRANSACTION_GAS_MAX = 2**24
BATCH_GAS_BASE = 200_000  # the transaction itself, signature and record; twice what is measured
BATCH_GAS_MAX = TRANSACTION_GAS_MAX - BATCH_GAS_BASE
CALLDATA_GAS_PER_BYTE = 40  # the floor price of EIP-7623; more than what execution adds per byte

VERIFIER_GAS = 520_000  # the ledger reverts the batch rather than ask a verifier with less left than it may use, and a 32nd more
GRANT_GAS = 50_000  # the limits read, what is taken counted
ENROLL_GAS = 60_000
REGISTER_GAS = 500_000
MEMBER_ACT_GAS = VERIFIER_GAS + 300_000
PROPOSE_GAS = 300_000
EXECUTE_GAS = REGISTER_GAS + 1_000_000  # its approvals, 32 at most, and the call
VOID_LINE_GAS = 80_000  # where the lot expired and the grace lot is new
DEPLOY_GAS = TRANSACTION_GAS_MAX


def entry_gas(entry: Entry) -> int:
    """An upper bound: every slot new, every brand pair new."""
    calldata = CALLDATA_GAS_PER_BYTE * (2 + len(encode_entry(entry)))
    match entry:
        case Issue() | Opening():
            return calldata + 52_000
        case Clawback():
            return calldata + 40_000 + 300 * len(entry.issue.refusals) + 20_000 * len(entry.lines)
        case Restore():
            return calldata + 20_000 + 66_000 * len(entry.lines)
        case Extend():
            return calldata + 80_000
        case Authorize() | Redeem():
            per_line = 70_000 if isinstance(entry, Authorize) else 106_000
            return calldata + _proof_gas(entry.proof) + 90_000 + per_line * len(entry.lines)
        case Capture():
            return calldata + 20_000 + 64_000 * len(entry.lines)
        case Void():
            return calldata + 15_000 + VOID_LINE_GAS * len(entry.lines)
        case PointRefund():
            return calldata + 20_000 + 75_000 * len(entry.lines)
        case Transfer():
            proofs = _proof_gas(entry.giver_proof) + _proof_gas(entry.taker_proof)
            return calldata + proofs + 60_000 + 34_000 * len(entry.lines)
        case Expire():
            return calldata + 30_000


def release_gas(lots: int) -> int:
    """The gas limit of a release."""
    return 80_000 + VOID_LINE_GAS * lots


def _proof_gas(proof: ConsentProof) -> int:
    if proof.kind == BRAND_GRANT:
        return GRANT_GAS
    if proof.kind == MEMBER_GRANT:
        return GRANT_GAS + _kind_gas(proof.proof[GRANTED_PROOF_LENGTH - 1])
    return _kind_gas(proof.kind)


def _kind_gas(kind: int) -> int:
    return VERIFIER_GAS if kind >= FIRST_VERIFIER_KIND else 0


def batch_gas(entries_gas: int) -> int:
    """The gas limit of a batch's transaction."""
    return min(BATCH_GAS_BASE + entries_gas, TRANSACTION_GAS_MAX)
