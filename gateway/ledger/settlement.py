"""Netted cycles of what brands owe one another: what their owners sign, the root over their pairs, and a model of what they do.

A leaf is a pair of brands under one version of the issuer's terms. Written from docs/ledger-format.md, independently of the contract.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from eth_hash.auto import keccak

from gateway.ledger.batches import entries_root, root_branch
from gateway.ledger.signing import Domain, Fields, struct_digest, type_hash, typed_data
from gateway.values.hex import hex_text
from gateway.values.ids import Hash

PairKey = tuple[int, int, int]
"""Issuer, accepting brand, and the number of the issuer's terms."""

_MOST = 2**62  # points that are settled under one version of terms, and those of an exposure, either way


@dataclass(frozen=True, slots=True)
class SettledPair:
    """Points in the sign of what is owed: negative ones are the issuer's claim. `netted`, never negative, is discharged at once, the
    rest when it is paid."""

    issuer: int
    acceptor: int
    terms: int
    points: int
    netted: int

    @property
    def key(self) -> PairKey:
        return self.issuer, self.acceptor, self.terms

    @property
    def creditor(self) -> int:
        return self.acceptor if self.points > 0 else self.issuer

    @property
    def debtor(self) -> int:
        return self.issuer if self.points > 0 else self.acceptor

    @property
    def netted_points(self) -> int:
        """In the sign of the points."""
        return -self.netted if self.points < 0 else self.netted

    @property
    def leaf(self) -> bytes:
        """The 28 bytes that are hashed, as an entry's are."""
        place = self.issuer.to_bytes(4) + self.acceptor.to_bytes(4) + self.terms.to_bytes(4)
        return place + self.points.to_bytes(8, signed=True) + self.netted.to_bytes(8)


@dataclass(frozen=True, slots=True)
class Cycle:
    """What the owner of each of its brands signs. `brands` rise; positions are those at the end of block `cut_off_block`."""

    id: Hash
    cut_off_block: int
    brands: tuple[int, ...]
    root: Hash
    count: int
    deadline: int

    FIELDS: ClassVar[Fields] = [
        {"name": "id", "type": "bytes32"},
        {"name": "cutOffBlock", "type": "uint64"},
        {"name": "brands", "type": "uint32[]"},
        {"name": "root", "type": "bytes32"},
        {"name": "count", "type": "uint32"},
        {"name": "deadline", "type": "uint40"},
    ]

    @property
    def record(self) -> Hash:
        """The struct hash, which the contract keeps of an agreed cycle."""
        brands = keccak(b"".join(brand.to_bytes(32) for brand in self.brands))
        words = self.id + self.cut_off_block.to_bytes(32) + brands + self.root + self.count.to_bytes(32) + self.deadline.to_bytes(32)
        return Hash(keccak(type_hash("Cycle", self.FIELDS) + words))


@dataclass(frozen=True, slots=True)
class Paid:
    """The creditor's owner signs: what the cycle with this record left to be paid by `debtor` has been paid."""

    cycle: Hash
    creditor: int
    debtor: int

    FIELDS: ClassVar[Fields] = [
        {"name": "cycle", "type": "bytes32"},
        {"name": "creditor", "type": "uint32"},
        {"name": "debtor", "type": "uint32"},
    ]


def cycle_over(cycle_id: Hash, cut_off_block: int, pairs: Sequence[SettledPair], deadline: int) -> Cycle:
    """The cycle of all brands that are in a pair."""
    brands = tuple(sorted({brand for pair in pairs for brand in (pair.issuer, pair.acceptor)}))
    return Cycle(cycle_id, cut_off_block, brands, entries_root(pair.leaf for pair in pairs), len(pairs), deadline)


def pair_branch(pairs: Sequence[SettledPair], index: int) -> list[bytes]:
    """What leads from a pair to the cycle's root."""
    return root_branch([pair.leaf for pair in pairs], index)


def cycle_digest(domain: Domain, cycle: Cycle) -> bytes:
    """What each owner signs; `domain` is the settlement contract's own."""
    return struct_digest(domain, cycle.record)


def cycle_typed_data(domain: Domain, cycle: Cycle) -> dict[str, Any]:
    """The cycle as the JSON that wallets sign (eth_signTypedData_v4)."""
    message = {
        "id": hex_text(cycle.id),
        "cutOffBlock": cycle.cut_off_block,
        "brands": list(cycle.brands),
        "root": hex_text(cycle.root),
        "count": cycle.count,
        "deadline": cycle.deadline,
    }
    return typed_data(domain, "Cycle", Cycle.FIELDS, message)


def paid_digest(domain: Domain, paid: Paid) -> bytes:
    words = paid.cycle + paid.creditor.to_bytes(32) + paid.debtor.to_bytes(32)
    return struct_digest(domain, keccak(type_hash("Paid", Paid.FIELDS) + words))


def paid_typed_data(domain: Domain, paid: Paid) -> dict[str, Any]:
    """The confirmation as the JSON that wallets sign (eth_signTypedData_v4)."""
    message = {"cycle": hex_text(paid.cycle), "creditor": paid.creditor, "debtor": paid.debtor}
    return typed_data(domain, "Paid", Paid.FIELDS, message)


class SettlementRefusal(StrEnum):
    """Why a cycle is not agreed or an agreed one's pair has no effect; the names of the contracts' errors."""

    SETTLED_SINCE_CUT_OFF = "SettledSinceCutOff"
    BRAND_NOT_IN_CYCLE = "BrandNotInCycle"
    NETTED_ABOVE_SETTLED = "NettedAboveSettled"
    SETTLED_OUT_OF_RANGE = "SettledOutOfRange"
    EXPOSURE_OUT_OF_RANGE = "ExposureOutOfRange"
    PAIR_NOT_APPLIED = "PairNotApplied"


class SettlementRefused(Exception):
    def __init__(self, reason: SettlementRefusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(slots=True)
class SettlementModel:
    """What cycles do to claims, in plain Python; `owed` and `exposure` are the ledger's, shared with whatever else changes them."""

    owed: dict[PairKey, int] = field(default_factory=lambda: defaultdict(int))
    exposure: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    settled: dict[PairKey, int] = field(default_factory=lambda: defaultdict(int))
    last_settled: dict[int, int] = field(default_factory=dict)  # by brand, the block in which it agreed or a pair of it was applied
    applied: set[tuple[Hash, int]] = field(default_factory=set)  # a cycle's record, an index
    paid: set[tuple[Hash, int]] = field(default_factory=set)

    def left(self, key: PairKey) -> int:
        """What is owed and was not settled; negative where the issuer is owed."""
        return self.owed.get(key, 0) - self.settled.get(key, 0)

    def agree(self, cycle: Cycle, in_block: int) -> None:
        """Signed by the owners of all its brands."""
        latest = max(self.last_settled.get(brand, 0) for brand in cycle.brands)
        _require(latest <= cycle.cut_off_block, SettlementRefusal.SETTLED_SINCE_CUT_OFF)
        self.last_settled |= dict.fromkeys(cycle.brands, in_block)

    def apply(self, cycle: Cycle, index: int, pair: SettledPair, in_block: int) -> bool:
        """False if the pair was applied before; `pair` is known to be under the cycle's root."""
        if (cycle.record, index) in self.applied:
            return False
        _require({pair.issuer, pair.acceptor} <= set(cycle.brands), SettlementRefusal.BRAND_NOT_IN_CYCLE)
        _require(pair.netted <= abs(pair.points), SettlementRefusal.NETTED_ABOVE_SETTLED)
        _require(abs(self.settled[pair.key] + pair.points) <= _MOST, SettlementRefusal.SETTLED_OUT_OF_RANGE)
        self._lower_exposure(pair, pair.netted_points)
        self.applied.add((cycle.record, index))
        self.settled[pair.key] += pair.points
        self.last_settled |= {pair.issuer: in_block, pair.acceptor: in_block}
        return True

    def pay(self, cycle: Cycle, index: int, pair: SettledPair) -> bool:
        """By the creditor's owner. False if it was confirmed before."""
        if (cycle.record, index) in self.paid:
            return False
        _require({pair.issuer, pair.acceptor} <= set(cycle.brands), SettlementRefusal.BRAND_NOT_IN_CYCLE)
        _require((cycle.record, index) in self.applied, SettlementRefusal.PAIR_NOT_APPLIED)
        self._lower_exposure(pair, pair.points - pair.netted_points)
        self.paid.add((cycle.record, index))
        return True

    def _lower_exposure(self, pair: SettledPair, points: int) -> None:
        left = self.exposure[pair.issuer, pair.acceptor] - points
        _require(abs(left) <= _MOST, SettlementRefusal.EXPOSURE_OUT_OF_RANGE)
        self.exposure[pair.issuer, pair.acceptor] = left


def _require(condition: bool, reason: SettlementRefusal) -> None:
    if not condition:
        raise SettlementRefused(reason)
