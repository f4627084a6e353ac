"""Events of members' acts, read from raw logs by their signatures, and what they leave: a second way from the chain to the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import decode

from gateway.ledger.model_members import record_grant, record_guardian, record_recovery, record_spend_lock, record_unlock
from gateway.ledger.state import GrantRecord, MemberRecord
from gateway.values.ids import Hash, MemberId
from gateway.values.points import MOST_POINTS_KEPT


@dataclass(frozen=True, slots=True)
class MemberEvent:
    """`values` in the order of the event's parameters, after the member."""

    name: str
    member: MemberId
    values: tuple[Any, ...]


MEMBER_EVENTS = {
    "MemberActed(address,uint64)": 1,
    "MemberLocked(address)": 1,
    "MemberUnlocked(address)": 1,
    "GuardianSet(address,uint8,bytes)": 1,
    "MemberRecovered(address,uint32,uint8,bytes)": 1,
    "GrantSet(address,bytes32,uint64,uint64,uint64,uint40)": 2,
    "ActRequested(address,bytes32,uint8,uint8,bytes,uint64,uint40,uint40)": 2,
    "ActExecuted(address,bytes32)": 2,
    "ActVetoed(address,bytes32,bytes32)": 2,
}
"""How many of its parameters are indexed, the member first."""


def read_member_event(signature: str, topics: tuple[bytes, ...], data: bytes) -> MemberEvent:
    name, _, kinds = signature.rstrip(")").partition("(")
    plain = kinds.split(",")[MEMBER_EVENTS[signature] :]
    indexed = (Hash(topic) for topic in topics[2:])
    return MemberEvent(name, MemberId(topics[1][12:]), (*indexed, *decode(plain, data)))


@dataclass(slots=True)
class MemberActsReplay:
    """What members' acts left, beside the records of the model, which are kept in step."""

    records: dict[MemberId, MemberRecord] = field(default_factory=dict)
    guardians: dict[MemberId, tuple[int, bytes]] = field(default_factory=dict)
    pending: dict[Hash, tuple[Any, ...]] = field(default_factory=dict)

    def apply(self, event: MemberEvent, record: MemberRecord) -> None:
        self.records[event.member] = record
        match event.name, event.values:
            case "MemberActed", (acts,):
                record.acts = acts
            case "MemberLocked", ():
                record_spend_lock(record)
            case "MemberUnlocked", ():
                record_unlock(record)
            case "GuardianSet", (kind, authorizer):
                record_guardian(record, kind, authorizer)
                self.guardians[event.member] = kind, authorizer
            case "MemberRecovered", _:
                record_recovery(record)
            case "GrantSet", (to, per_purchase, per_day, in_all, until):
                limits = (min(each, MOST_POINTS_KEPT) for each in (per_purchase, per_day, in_all))
                record_grant(record, to, GrantRecord(next(limits), next(limits), next(limits), until))
            case "ActRequested", (act_id, what, kind, authorizer, nonce, deadline, ready_at):
                self.pending[act_id] = (event.member, what, kind, authorizer, str(nonce), deadline, ready_at, record.turn)
            case "ActExecuted" | "ActVetoed", (act_id, *_):
                self.pending.pop(act_id, None)

    def members(self) -> Iterator[tuple[Any, ...]]:
        for member, record in self.records.items():
            yield member, record.acts, record.turn, record.epoch, record.is_locked, *self.guardians.get(member, (0, b""))

    def grants(self) -> Iterator[tuple[Any, ...]]:
        for member, record in self.records.items():
            for to, each in record.grants.items():
                limits = each.per_purchase, each.per_day, each.in_all, each.until
                yield member, to, *limits, each.spent_in_all, each.spent_on_day, each.spent_day

    def waiting(self) -> Iterator[tuple[Any, ...]]:
        for act_id, row in self.pending.items():
            yield act_id, *row
