"""The settlement's events that change claims, read from raw logs by their signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eth_abi.abi import decode


@dataclass(frozen=True, slots=True)
class PairApplied:
    """A pair of an agreed cycle; `netted` without a sign."""

    issuer_id: int
    acceptor_id: int
    terms_number: int
    points: int
    netted: int

    @property
    def key(self) -> tuple[int, int, int]:
        return self.issuer_id, self.acceptor_id, self.terms_number


@dataclass(frozen=True, slots=True)
class PairPaid:
    """What was left of a pair, in the sign of its points."""

    issuer_id: int
    acceptor_id: int
    points: int


def _applied(topics: tuple[bytes, ...], data: bytes) -> PairApplied:
    _index, terms, points, netted = decode(["uint32", "uint32", "int64", "uint64"], data)
    return PairApplied(*_brands(topics), terms, points, netted)


def _paid(topics: tuple[bytes, ...], data: bytes) -> PairPaid:
    _index, points = decode(["uint32", "int64"], data)
    return PairPaid(*_brands(topics), points)


def _brands(topics: tuple[bytes, ...]) -> tuple[int, int]:
    return int.from_bytes(topics[2]), int.from_bytes(topics[3])


SETTLEMENT_EVENTS: dict[str, Callable[[tuple[bytes, ...], bytes], PairApplied | PairPaid]] = {
    "PairApplied(bytes32,uint32,uint32,uint32,uint32,int64,uint64)": _applied,
    "PairPaid(bytes32,uint32,uint32,uint32,int64)": _paid,
}
