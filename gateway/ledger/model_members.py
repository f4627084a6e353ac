"""Members in the model of the ledger: whether they consent, what grants still allow, and what changes of a member leave."""

from __future__ import annotations

from gateway.ledger.members import AuthorizerKind, authorizer_id
from gateway.ledger.proofs import Proofs
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.state import GrantRecord, MemberRecord, PendingMemberAct
from gateway.values.ids import Hash


def consent_refusal(record: MemberRecord | None, proofs: Proofs, digest: bytes, kind: int, proof: bytes) -> RefusalReason | None:
    """Why the member's consent to `digest` does not count; None if it does. `record` is None for a member that is not enrolled."""
    if record is not None and record.is_locked:
        return RefusalReason.MEMBER_LOCKED
    signer = None if kind == AuthorizerKind.CLAIM_KEY else proofs.signer(digest, kind, proof)
    if signer is None:
        return RefusalReason.CONSENT_INVALID
    if record is None or signer not in record.authorizers:
        return RefusalReason.NOT_AN_AUTHORIZER
    return None if proofs.is_good(digest, kind, proof) else RefusalReason.CONSENT_INVALID


def grant_refusal(record: MemberRecord | None, to: Hash, points: int, local_day: int, timestamp: int) -> RefusalReason | None:
    """Why no grant of this member lets `to` spend the points; None if one does, of which they are spent then."""
    if record is not None and record.is_locked:
        return RefusalReason.MEMBER_LOCKED
    grant = record.grants.get(to) if record is not None else None
    if grant is None or not grant.per_purchase or timestamp > grant.until:
        return RefusalReason.GRANT_MISSING
    on_day = points + (grant.spent_on_day if grant.spent_day == local_day else 0)
    in_all = points + grant.spent_in_all
    if points > grant.per_purchase or on_day > grant.per_day or in_all > grant.in_all:
        return RefusalReason.GRANT_EXCEEDED
    grant.spent_in_all, grant.spent_on_day, grant.spent_day = in_all, on_day, local_day
    return None


# What the ledger's events say happened


def record_grant(record: MemberRecord, to: Hash, grant: GrantRecord) -> None:
    record.grants[to] = grant


def record_spend_lock(record: MemberRecord) -> None:
    record.is_locked = True
    record.turn += 1


def record_unlock(record: MemberRecord) -> None:
    record.is_locked = False


def record_guardian(record: MemberRecord, kind: int, authorizer: bytes) -> None:
    record.guardian = authorizer_id(kind, authorizer) if kind else None
    record.turn += 1


def record_recovery(record: MemberRecord) -> None:
    """The new authorizer is told by an event of its own."""
    record.epoch += 1
    record.turn += 1
    record.authorizers.clear()
    record.grants.clear()


def record_request(record: MemberRecord, act_id: Hash, pending: PendingMemberAct) -> None:
    record.pending[act_id] = pending


def record_end_of_act(record: MemberRecord, act_id: Hash) -> None:
    """Carried out or vetoed."""
    record.pending[act_id].is_over = True
