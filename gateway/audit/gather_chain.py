"""Gathers the ledger at one block through plain JSON-RPC: its logs, the calldata of its batches, and what the contracts answer.

Who holds what is enumerated from the ERC-1155 logs alone, as any outsider would.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar

from gateway.audit.evidence import ChainEvidence, HeldPoints, LoggedEvent, SubmittedBatch
from gateway.audit.ledger_events import (
    NOBODY,
    BatchRecorded,
    BrandOwnerSet,
    BrandRegistered,
    BrandTermsSet,
    EventSource,
    PointsMoved,
    read_event,
)
from gateway.audit.replay import AuditProgress
from gateway.audit.settlement_events import PairApplied
from gateway.chain.artifacts import Artifact, anchors, members, passkey_verifier, points_ledger, settlement
from gateway.chain.connection import METHOD_NOT_FOUND, Chain, NodeRefused
from gateway.coalition.tables import CoalitionRow
from gateway.ledger.anchors import AnchorKind, brand_subject
from gateway.ledger.signing import Domain
from gateway.ledger.slots import balance_slot
from gateway.values.errors import Unavailable
from gateway.values.hex import from_int, hex_text, to_bytes, to_int
from gateway.values.ids import Address, Hash, LotId, MemberId

BLOCKS_IN_ONE_ASK = 2_000
CALLS_IN_ONE_ASK = 200
HOLDINGS_IN_ONE_CALL = 500
_Item = TypeVar("_Item")


def gather_chain(chain: Chain, coalition: CoalitionRow, block_number: int, progress: AuditProgress | None = None) -> ChainEvidence:
    """Everything up to and including `block_number`."""
    return _Gathering(chain, coalition, block_number, progress).evidence()


class _Gathering:
    def __init__(self, chain: Chain, coalition: CoalitionRow, block_number: int, progress: AuditProgress | None) -> None:
        self.chain = chain
        self.coalition = coalition
        self._address = hex_text(coalition.points_address)
        self._sources = {
            coalition.points_address: EventSource.POINTS,
            coalition.brands_address: EventSource.BRANDS,
            coalition.members_address: EventSource.MEMBERS,
            coalition.governance_address: EventSource.GOVERNANCE,
            coalition.settlement_address: EventSource.SETTLEMENT,
        }
        self.block_number = block_number
        self.at = from_int(block_number)
        self.progress = progress
        self.ledger = points_ledger()

    def evidence(self) -> ChainEvidence:
        blocks = self._blocks()
        events = self._events()
        batches = self._batches([each for each in events if isinstance(each.event, BatchRecorded)])
        brands = sorted(each.event.brand_id for each in events if isinstance(each.event, BrandRegistered))
        coalition = self.coalition
        return ChainEvidence(
            domain=Domain(coalition.chain_id, coalition.points_address, coalition.coalition_id),
            utc_offset_seconds=coalition.utc_offset_seconds,
            block_number=self.block_number,
            block_hash=blocks[self.block_number][0],
            timestamps={number: timestamp for number, (_, timestamp) in blocks.items()},
            block_hashes={number: block_hash for number, (block_hash, _) in blocks.items()},
            events=events,
            batches=batches,
            holdings=self._holdings(events),
            owed=self._by_terms("owed", self.coalition.points_address, self.ledger, brands, events),
            settled=self._by_terms("settled", self.coalition.settlement_address, settlement(), brands, events),
            exposure=self._exposure(brands, events),
            outstanding=self._outstanding(brands),
            recorded=self._recorded(events),
            first_sealer=Address.parse(self._sealer()),
            seals=self._seals(),
            anchored_documents=self._anchored_documents(events),
            foreign_verifier=self._foreign_verifier(),
        )

    def _foreign_verifier(self) -> Address | None:
        """It was built into the members' register, whose own code does not say which."""
        register, doing = members(), "reading the verifier of passkeys"
        call = {"to": hex_text(self.coalition.members_address), "data": hex_text(register.call("passkeyVerifier"))}
        (answer,) = self._ask(doing, [("eth_call", (call, self.at))])
        verifier = Address.parse(register.returned("passkeyVerifier", to_bytes(answer))[0])
        (code,) = self._ask(doing, [("eth_getCode", (hex_text(verifier), self.at))])
        return None if passkey_verifier().is_code(to_bytes(code)) else verifier

    def _anchored_documents(self, events: Sequence[LoggedEvent]) -> dict[int, tuple[Hash, int]]:
        """Of each brand the newest that its present owner anchored."""
        owners = {each.event.brand_id: each.event.owner for each in events if isinstance(each.event, BrandOwnerSet)}
        keys = {brand: (owner, AnchorKind.BRAND_DOCUMENT, brand_subject(brand)) for brand, owner in owners.items()}
        counts = self._anchors("anchorCount", list(keys.values()))
        some = {brand: int(count) for brand, (count,) in zip(keys, counts, strict=True) if count}
        newest = self._anchors("anchorOf", [(*keys[brand], count - 1) for brand, count in some.items()])
        return {brand: (Hash(root), int(number)) for brand, ((root, number, _),) in zip(some, newest, strict=True)}

    def _anchors(self, view: str, keys: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        at, contract = hex_text(self.coalition.anchors_address), anchors()
        asked = [("eth_call", ({"to": at, "data": hex_text(contract.call(view, *key))}, self.at)) for key in keys]
        return [contract.returned(view, to_bytes(answer)) for answer in self._ask("reading anchors", asked)]

    def _blocks(self) -> dict[int, tuple[Hash, int]]:
        """(hash, timestamp) of every block."""
        numbers = range(self.block_number + 1)
        found = self._ask("reading blocks", [("eth_getBlockByNumber", (from_int(number), False)) for number in numbers])
        if any(block is None for block in found):
            raise Unavailable(f"The node does not have block {self.block_number}, up to which the projection goes")
        return {number: (Hash.parse(block["hash"]), to_int(block["timestamp"])) for number, block in zip(numbers, found, strict=True)}

    def _sealer(self) -> str:
        """Who sealed first: the genesis block pays its fees to it."""
        return str(self._ask("reading blocks", [("eth_getBlockByNumber", ("0x0", False))])[0]["miner"])

    def _seals(self) -> dict[int, bytes]:
        """None on an engine that seals nothing."""
        try:
            self.chain.call("splittally_getSeal", "0x0")
        except NodeRefused as refused:
            if refused.code == METHOD_NOT_FOUND:
                return {}
            raise
        numbers = range(self.block_number + 1)
        found = self._ask("reading seals", [("splittally_getSeal", (from_int(number),)) for number in numbers])
        return {number: to_bytes(seal["signature"]) for number, seal in zip(numbers, found, strict=True)}

    def _events(self) -> list[LoggedEvent]:
        events: list[LoggedEvent] = []
        first, size = 0, BLOCKS_IN_ONE_ASK
        while first <= self.block_number:
            self._tell("reading the ledger's logs", first, self.block_number + 1)
            last = min(first + size - 1, self.block_number)
            span = {"address": [hex_text(address) for address in self._sources], "fromBlock": from_int(first), "toBlock": from_int(last)}
            try:
                logs = self.chain.call("eth_getLogs", span)
            except NodeRefused:
                if size == 1:
                    raise
                size //= 2  # every node has a bound of its own on blocks and logs in one answer
                continue
            events += filter(None, map(self._logged, logs))
            first = last + 1
        return sorted(events, key=lambda each: (each.block_number, each.log_index))

    def _logged(self, log: Any) -> LoggedEvent | None:
        source = self._sources[Address.parse(log["address"])]
        event = read_event(source, tuple(to_bytes(topic) for topic in log["topics"]), to_bytes(log["data"]))
        if event is None:
            return None
        place = (to_int(log["blockNumber"]), to_int(log["transactionIndex"]), to_int(log["logIndex"]))
        return LoggedEvent(*place, Hash.parse(log["transactionHash"]), event)

    def _batches(self, recorded: Sequence[LoggedEvent]) -> dict[tuple[int, int], SubmittedBatch]:
        found = self._ask("reading batches", [("eth_getTransactionByHash", (hex_text(each.transaction_hash),)) for each in recorded])
        submitted = (self._submitted(each, transaction) for each, transaction in zip(recorded, found, strict=True))
        return {(batch.brand_id, batch.number): batch for batch in submitted if batch is not None}

    def _submitted(self, logged: LoggedEvent, transaction: Any) -> SubmittedBatch | None:
        data = to_bytes(transaction["input"])
        if data[:4] != self.ledger.selector("submitBatch"):
            return None
        (brand, number, deadline), entries, signature = self.ledger.arguments("submitBatch", data)
        return SubmittedBatch(
            block_number=logged.block_number,
            transaction_index=logged.transaction_index,
            transaction_hash=logged.transaction_hash,
            brand_id=brand,
            number=number,
            deadline=deadline,
            entries=entries,
            signature=signature,
        )

    def _holdings(self, events: Sequence[LoggedEvent]) -> dict[tuple[MemberId, LotId], HeldPoints]:
        """What the contract says is held, and what stands in the storage slot as reserved: calls for every one would take minutes."""
        pairs = sorted({pair for each in events if isinstance(each.event, PointsMoved) for pair in _holders(each.event)})
        chunks = [pairs[first : last + 1] for first, last in _spans(len(pairs), HOLDINGS_IN_ONE_CALL)]
        asked = [self._call("balanceOfBatch", [member for member, _ in chunk], [lot for _, lot in chunk]) for chunk in chunks]
        held: list[int] = []
        for answer in self._ask("reading points", asked):
            held += self.ledger.returned("balanceOfBatch", to_bytes(answer))[0]
        base = self.ledger.storage_slot("balances")
        slots = (hex_text(balance_slot(base, lot, member).to_bytes(32)) for member, lot in pairs)
        reads = [("eth_getStorageAt", (self._address, slot, self.at)) for slot in slots]
        words = (to_int(answer) for answer in self._ask("reading reserved points", reads))
        return {pair: HeldPoints(points, word >> 128) for pair, points, word in zip(pairs, held, words, strict=True)}

    def _by_terms(
        self, view: str, at: Address, contract: Artifact, brands: Sequence[int], events: Sequence[LoggedEvent]
    ) -> dict[tuple[int, int, int], int]:
        versions = sorted({(each.event.brand_id, each.event.number) for each in events if isinstance(each.event, BrandTermsSet)})
        owed = {(issuer, acceptor, number) for issuer, number in versions for acceptor in brands if issuer != acceptor}
        keys = sorted(owed | {each.event.key for each in events if isinstance(each.event, PairApplied)})
        asked = [("eth_call", ({"to": hex_text(at), "data": hex_text(contract.call(view, *key))}, self.at)) for key in keys]
        answers = self._ask("reading what brands owe", asked)
        return {key: contract.returned(view, to_bytes(answer))[0] for key, answer in zip(keys, answers, strict=True)}

    def _exposure(self, brands: Sequence[int], events: Sequence[LoggedEvent]) -> dict[tuple[int, int], int]:
        settled = {each.event.key[:2] for each in events if isinstance(each.event, PairApplied)}
        pairs = sorted(settled | {(issuer, acceptor) for issuer in brands for acceptor in brands if issuer != acceptor})
        answers = self._ask("reading what brands owe", [self._call("exposure", *pair) for pair in pairs])
        return {pair: self.ledger.returned("exposure", to_bytes(answer))[0] for pair, answer in zip(pairs, answers, strict=True)}

    def _outstanding(self, brands: Sequence[int]) -> dict[int, int]:
        answers = self._ask("reading brands", [self._call("outstanding", brand) for brand in brands])
        return {brand: self.ledger.returned("outstanding", to_bytes(answer))[0] for brand, answer in zip(brands, answers, strict=True)}

    def _recorded(self, events: Sequence[LoggedEvent]) -> dict[tuple[int, int], Hash]:
        names = [(each.event.brand_id, each.event.number) for each in events if isinstance(each.event, BatchRecorded)]
        answers = self._ask("reading recorded batches", [self._call("batch", *name) for name in names])
        found = (self.ledger.returned("batch", to_bytes(answer)) for answer in answers)
        return {name: Hash(record) for name, (record,) in zip(names, found, strict=True)}

    def _call(self, function: str, *arguments: Any) -> tuple[str, tuple[Any, ...]]:
        data = hex_text(self.ledger.call(function, *arguments))
        return "eth_call", ({"to": self._address, "data": data}, self.at)

    def _ask(self, doing: str, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        answers: list[Any] = []
        for first, last in _spans(len(calls), CALLS_IN_ONE_ASK):
            self._tell(doing, first, len(calls))
            answers += self.chain.call_all(calls[first : last + 1])
        refused = next((answer for answer in answers if isinstance(answer, NodeRefused)), None)
        if refused is not None:
            raise Unavailable(f"The node refused while {doing}: {refused}")
        return answers

    def _tell(self, doing: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(doing, done, total)


def _holders(moved: PointsMoved) -> Collection[tuple[MemberId, LotId]]:
    return [(member, moved.lot_id) for member in (moved.giver, moved.taker) if member != NOBODY]


def _spans(count: int, size: int) -> Iterator[tuple[int, int]]:
    """(first, last) of consecutive spans."""
    for first in range(0, count, size):
        yield first, min(first + size, count) - 1
