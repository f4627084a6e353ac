"""The rules of members' acts in plain Python: the same acts have the same effects and errors as in the contract.

Each act reads alike: the contract's checks in the contract's order, then the effect; nothing is written before the last check.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eth_hash.auto import keccak

from gateway.ledger.member_acts import (
    AuthorizerChange,
    DelayedAct,
    Grant,
    MemberAct,
    Recovery,
    RemoveAuthorizer,
    SetGuardian,
    SpendLock,
    Unlock,
    Veto,
    member_act_digest,
)
from gateway.ledger.members import AuthorizerKind, authorizer_id
from gateway.ledger.model_members import record_grant, record_guardian, record_recovery, record_spend_lock, record_unlock
from gateway.ledger.proofs import Proofs
from gateway.ledger.signing import Domain
from gateway.ledger.state import GrantRecord, MemberRecord, PendingMemberAct
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.ids import Address, Hash

ACT_LIFETIME = 30 * SECONDS_PER_DAY
_KEY_KINDS = (AuthorizerKind.KEY, AuthorizerKind.CLAIM_KEY)


class MemberActRefused(Exception):
    """`reason` is the name of the contract's error."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class MemberRules:
    """`domain` is that of the register of members, `delay` in seconds, `operator` governance's."""

    domain: Domain
    proofs: Proofs
    delay: int
    operator: Address

    def apply(self, record: MemberRecord, act: MemberAct, kind: int, proof: bytes, now: int) -> None:
        """Changes the record of the act's member, or raises MemberActRefused."""
        if not isinstance(act, AuthorizerChange):
            _require(kind != AuthorizerKind.CLAIM_KEY, "ClaimKeyOnlyChanges")
        match act:
            case AuthorizerChange():
                self._change_authorizers(record, act, kind, proof, now)
            case Grant():
                self._set_grant(record, act, kind, proof, now)
            case SpendLock():
                self._in_time(act.deadline, now)
                _require(act.nonce == record.turn, "MemberActOutOfTurn")
                self._signer(record.authorizers, member_act_digest(self.domain, act), kind, proof)
                record_spend_lock(record)
            case Veto():
                self._veto(record, act, kind, proof)
            case _:
                self._request(record, act, kind, proof, now)

    def execute(self, record: MemberRecord, act: DelayedAct, now: int) -> None:
        act_id = member_act_digest(self.domain, act)
        pending = record.pending.get(act_id)
        if pending is None or pending.is_over:
            raise MemberActRefused("ActNotPending")
        _require(pending.turn == record.turn, "ActFallen")
        _require(now >= pending.ready_at, "ActNotReady")
        _require(now <= pending.ready_at + ACT_LIFETIME, "MemberActLapsed")
        self._require_possible(record, act)
        pending.is_over = True
        match act:
            case Unlock():
                record_unlock(record)
            case SetGuardian():
                record_guardian(record, act.kind, act.authorizer)
            case RemoveAuthorizer():
                del record.authorizers[authorizer_id(act.kind, act.authorizer)]
            case Recovery():
                record_recovery(record)
                record.authorizers[authorizer_id(act.kind, act.authorizer)] = act.kind

    def _change_authorizers(self, record: MemberRecord, change: AuthorizerChange, kind: int, proof: bytes, now: int) -> None:
        signer = self._in_turn(record, change, kind, proof, now)
        is_removal = any(change.remove_id)
        _require(bool(change.add_kind) or is_removal, "NothingToChange")
        _require(not is_removal or change.remove_id == signer, "RemovalWaits")
        left = dict(record.authorizers)
        if is_removal or kind == AuthorizerKind.CLAIM_KEY:
            del left[signer]
        if change.add_kind:
            _require(not record.is_locked, "SpendLocked")
            _require(change.add_kind != AuthorizerKind.CLAIM_KEY, "AuthorizerKindUnknown")
            _require_kind(change.add_kind, change.add_authorizer)
            added = authorizer_id(change.add_kind, change.add_authorizer)
            _require(added not in left, "AuthorizerPresent")
            left[added] = change.add_kind
        _require(bool(left), "LastAuthorizer")
        record.authorizers = left
        record.acts += 1

    def _set_grant(self, record: MemberRecord, grant: Grant, kind: int, proof: bytes, now: int) -> None:
        self._in_turn(record, grant, kind, proof, now)
        _require(any(grant.to) and not any(grant.to[:12]), "GrantToNobody")
        _require(not grant.per_purchase or not record.is_locked, "SpendLocked")
        record_grant(record, grant.to, GrantRecord(grant.per_purchase, grant.per_day, grant.in_all, grant.until))
        record.acts += 1

    def _request(self, record: MemberRecord, act: DelayedAct, kind: int, proof: bytes, now: int) -> None:
        act_id = member_act_digest(self.domain, act)
        if isinstance(act, Recovery):
            self._in_time(act.deadline, now)
            _require(act_id not in record.pending, "ActUsed")
            self._signer(self._guardians(record), act_id, kind, proof, "NotGuardian")
        else:
            self._in_turn(record, act, kind, proof, now)
        self._require_possible(record, act)
        if not isinstance(act, Recovery):
            record.acts += 1
        if isinstance(act, SetGuardian) and record.guardian is None and not record.is_locked:
            record_guardian(record, act.kind, act.authorizer)
        else:
            record.pending[act_id] = PendingMemberAct(act, now + self.delay, record.turn)

    def _veto(self, record: MemberRecord, veto: Veto, kind: int, proof: bytes) -> None:
        pending = record.pending.get(veto.act)
        if pending is None or pending.is_over:
            raise MemberActRefused("ActNotPending")
        who = [*record.authorizers, *self._guardians(record)]
        self._signer(who, member_act_digest(self.domain, veto), kind, proof)
        pending.is_over = True

    def _require_possible(self, record: MemberRecord, act: DelayedAct) -> None:
        match act:
            case Unlock():
                _require(record.is_locked, "NotLocked")
            case SetGuardian():
                guardian = self._possible_guardian(act)
                _require(guardian != record.guardian, "GuardianUnchanged")
                _require(guardian != self._operator_id, "GuardianIsOperator")
            case RemoveAuthorizer():
                _require(keccak(bytes([act.kind]) + act.authorizer) in record.authorizers, "AuthorizerAbsent")
                _require(len(record.authorizers) > 1, "LastAuthorizer")
            case Recovery():
                _require(record.guardian != self._operator_id, "GuardianIsOperator")
                _require(act.kind != AuthorizerKind.CLAIM_KEY, "AuthorizerKindUnknown")
                _require_kind(act.kind, act.authorizer)

    def _possible_guardian(self, act: SetGuardian) -> Hash | None:
        if not act.kind and not act.authorizer:
            return None
        _require(act.kind != AuthorizerKind.CLAIM_KEY, "AuthorizerKindUnknown")
        _require_kind(act.kind, act.authorizer)
        return authorizer_id(act.kind, act.authorizer)

    def _guardians(self, record: MemberRecord) -> list[Hash]:
        """None or one; the operator's account is never one."""
        return [] if record.guardian in (None, self._operator_id) else [record.guardian]

    @property
    def _operator_id(self) -> Hash:
        return authorizer_id(AuthorizerKind.KEY, self.operator)

    def _in_turn(self, record: MemberRecord, act: AuthorizerChange | Grant | DelayedAct, kind: int, proof: bytes, now: int) -> Hash:
        self._in_time(act.deadline, now)
        _require(act.nonce == record.acts, "MemberActOutOfTurn")
        return self._signer(record.authorizers, member_act_digest(self.domain, act), kind, proof)

    def _in_time(self, deadline: int, now: int) -> None:
        _require(now <= deadline, "MemberActExpired")

    def _signer(self, who: Iterable[Hash], digest: bytes, kind: int, proof: bytes, otherwise: str = "AuthorizerAbsent") -> Hash:
        """The id of the one of these that signed."""
        signer = self.proofs.signer(digest, kind, proof)
        if signer is None:
            raise MemberActRefused("MemberProofInvalid")
        _require(signer in who, otherwise)
        _require(self.proofs.is_good(digest, kind, proof), "MemberProofInvalid")
        return signer


def _require_kind(kind: int, authorizer: bytes) -> None:
    if kind in _KEY_KINDS:
        _require(len(authorizer) == 20 and any(authorizer), "AuthorizerNotAnAddress")
    else:
        _require(kind == AuthorizerKind.PASSKEY, "AuthorizerKindUnknown")


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise MemberActRefused(reason)
