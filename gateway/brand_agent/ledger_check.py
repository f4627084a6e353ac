"""Endings as the ledger has them: what the gateway calls confirmed has to stand there, by the brand's own node, under the item's reference.

Only entries under this brand's signature can be known by their reference; of another brand's award it is seen that it stands where told.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

from gateway.brand_agent.follower import Ending, GatewaysWord
from gateway.brand_agent.item import Item, ItemKind, Outcome
from gateway.brand_agent.ledger_reading import LedgerHead, LedgerReading
from gateway.brand_agent.parcels import end_of
from gateway.brand_agent.record_lines import RecordLines
from gateway.brand_agent.till_journal import TillJournal
from gateway.brand_signer.register_records import parse_record
from gateway.brand_signer.signed_references import references_of
from gateway.foreign.rpc_node import NodeSilent, RpcNode
from gateway.ledger.signing import Domain
from gateway.values.ids import Reference

AWAITS, DISAGREES = "awaits_ledger", "ledger_disagrees"
_BATCHES_KEPT = 256
_RECORD_TYPES = {ItemKind.PURCHASE: "sale", ItemKind.PAYMENT_REFUND: "refund"}
_Entries = Sequence[Reference | None]


@dataclass(frozen=True, slots=True)
class LedgerStanding:
    """`behind_since`: the node has not reached a block of which the gateway speaks. `failing_since`: it gives no answer."""

    head: int | None = None
    behind_since: float | None = None
    failing_since: float | None = None
    reason: str | None = None

    def view(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the gateway says that an entry stands."""

    brand_id: int
    number: int
    index: int
    block_number: int


class LedgersWord:
    """For one thread."""

    def __init__(
        self, gateway: GatewaysWord, node: RpcNode, journal: TillJournal, lines: RecordLines, domain: Domain, brand_id: int
    ) -> None:
        self._gateway = gateway
        self._node = node
        self._journal = journal
        self._lines = lines
        self._domain = domain
        self._brand_id = brand_id
        self._batches: OrderedDict[tuple[int, int, int], _Entries] = OrderedDict()
        self.standing = LedgerStanding()

    def of(self, items: Sequence[Item]) -> Mapping[str, Ending]:
        operations = self._gateway.operations(items)
        whose = {operation_id: item for item in items for operation_id in item.operation_ids}
        found = {operation_id: end_of(operation) for operation_id, operation in operations.items()}
        confirmed = [operation_id for operation_id, (outcome, _) in found.items() if outcome is Outcome.CONFIRMED]
        if confirmed:
            found.update(self._checked({one: (whose[one], operations[one]) for one in confirmed}))
        return found

    def _checked(self, confirmed: Mapping[str, tuple[Item, Mapping[str, Any]]]) -> Iterator[tuple[str, Ending]]:
        try:
            head = LedgerReading(self._node, self._domain, self._brand_id).head
            endings = {one: self._ending(item, operation, head) for one, (item, operation) in confirmed.items()}
        except NodeSilent as silent:
            since = self.standing.failing_since
            self.standing = replace(self.standing, failing_since=time.time() if since is None else since, reason=str(silent))
            return iter([(one, (None, AWAITS)) for one in confirmed])
        is_behind = any(reason == AWAITS for _, reason in endings.values())
        since = (self.standing.behind_since or time.time()) if is_behind else None
        self.standing = LedgerStanding(head.number, since)
        return iter(endings.items())

    def _ending(self, item: Item, operation: Mapping[str, Any], head: LedgerHead) -> Ending:
        place = _place_of(operation)
        if place is None:
            return None, DISAGREES
        if place.block_number > head.number:
            return None, AWAITS
        entries = self._entries(place)
        reference = entries[place.index] if place.index < len(entries) else None
        if reference is None or (place.brand_id == self._brand_id and reference not in self._due(item)):
            return None, DISAGREES
        return end_of(operation)

    def _entries(self, place: _Place) -> _Entries:
        """Of the batch at that place; none where there is no such batch. What was not there is looked for again."""
        key = place.brand_id, place.number, place.block_number
        if key not in self._batches:
            entries = LedgerReading(self._node, self._domain, place.brand_id).references_at(place.number, place.block_number)
            if not entries:
                return ()
            self._batches[key] = entries
            if len(self._batches) > _BATCHES_KEPT:
                self._batches.popitem(last=False)
        return self._batches[key]

    def _due(self, item: Item) -> set[Reference]:
        """Under which references the item's entries may stand, by the brand's own register."""
        named = _RECORD_TYPES.get(item.kind, item.kind.value), item.external_id
        with closing(self._journal.reader()) as reader:
            row = reader.execute("SELECT line FROM records WHERE type = ? AND id = ?", named).fetchone()
        return set() if row is None else set(references_of(parse_record(row[0]), self._lines.reference_secret, self._brand_id))


def _place_of(operation: Mapping[str, Any]) -> _Place | None:
    found = [operation.get(name) for name in ("brand_id", "batch_number", "entry_index", "block_number")]
    if not all(type(one) is int and 0 <= one < 2**63 for one in found):
        return None
    return _Place(*found)  # type: ignore[arg-type]  # as looked at
