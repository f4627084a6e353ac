"""Is an act what the gateway says it is, and may this person approve it now? Nothing is believed that can be computed or read oneself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.ledger.governance import REPLACEMENT_DELAYS, act_id
from gateway.second_people.act_words import ActCall, read_call
from gateway.second_people.known_coalition import KnownCoalition
from gateway.values.errors import Invalid, WrongState
from gateway.values.hex import hex_text, to_bytes
from gateway.values.ids import Address, Hash, OperationId


class AskedLedger(Protocol):
    """What a person asks of the ledger, through a node of its own choice."""

    def holds(self, call: ActCall) -> dict[str, Any]: ...
    def ready_at(self, act: ToldAct) -> int | None: ...


@dataclass(frozen=True, slots=True)
class ToldAct:
    """As the gateway tells it."""

    operation_id: OperationId
    act_id: Hash
    target: Address
    data: bytes
    salt: Hash

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> ToldAct:
        ids = OperationId(told["operation_id"]), Hash.parse(told["act_id"]), Address.parse(told["target"])
        return cls(*ids, to_bytes(told["data"]), Hash.parse(told["salt"]))

    @property
    def is_of_its_call(self) -> bool:
        """Whether its id is that of the call told with it."""
        return act_id(self.target, self.data, self.salt) == self.act_id

    def as_json(self) -> dict[str, Any]:
        """As it is told."""
        ids = {"operation_id": self.operation_id, "act_id": str(self.act_id), "target": str(self.target)}
        return {**ids, "data": hex_text(self.data), "salt": str(self.salt)}


@dataclass(frozen=True, slots=True)
class CheckedAct:
    """`changes` by name: what holds, and what would. It may be approved from `signable_from` on, by the person's own clock."""

    told: ToldAct
    call: ActCall
    changes: Mapping[str, tuple[Any, Any]]
    signable_from: int

    @property
    def words(self) -> str:
        return self.call.words


def check_act(told: ToldAct, coalition: KnownCoalition, ledger: AskedLedger, first_seen: Callable[[], int]) -> CheckedAct:
    """Refuses an act whose id is not that of its call, whose call cannot be told in words, or that is not on the chain.

    `first_seen` is asked of no other: nobody has seen what is not proposed, and an id alone would set the person's delay running.
    """
    if not told.is_of_its_call:
        raise Invalid(f"the id of act {told.operation_id} is not that of the call shown with it: approve nothing, and ask why")
    artifact = coalition.artifact_at(told.target)
    if artifact is None:
        raise Invalid(f"act {told.operation_id} calls {told.target}, which is no contract of this coalition: approve nothing")
    call = read_call(artifact, told.data)
    ready_at = ledger.ready_at(told)
    if ready_at is None:
        raise WrongState(f"act {told.operation_id} is not proposed on the chain: there is nothing to approve yet")
    before, after = ledger.holds(call), call.then
    changes = {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}
    return CheckedAct(told, call, changes, max(ready_at, first_seen() + _delays(call) * coalition.delay_seconds))


def _delays(call: ActCall) -> int:
    """How many delays an act of this kind waits, as the contract has it."""
    return REPLACEMENT_DELAYS if call.function in ("replaceGuardian", "replaceOperator") else 1
