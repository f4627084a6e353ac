"""What the signer has signed so far: references, issues, clawbacks, reservations. Made of the journal's entries alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from gateway.ledger.consents import reservation_id_of, transfer_digest, transfer_terms
from gateway.ledger.entries import Authorize, Capture, Clawback, Entry, Issue, PointRefund, Redeem, Restore, Transfer, Void
from gateway.ledger.lots import Line
from gateway.ledger.signing import Domain
from gateway.values.ids import MemberId, Reference, ReservationId
from gateway.values.points import Points

K = TypeVar("K")
V = TypeVar("V")
K_in = TypeVar("K_in", contravariant=True)


class Notes(Protocol[K_in, V]):
    """What is kept by key: in memory or on disk."""

    def get(self, key: K_in, /) -> V | None: ...
    def __getitem__(self, key: K_in, /) -> V: ...
    def __setitem__(self, key: K_in, value: V, /) -> None: ...
    def __contains__(self, key: K_in, /) -> bool: ...


class _Trial(Generic[K, V]):
    """Notes that are forgotten; what is known shows through."""

    def __init__(self, known: Notes[K, V]) -> None:
        self._known = known
        self._added: dict[K, V] = {}

    def get(self, key: K, /) -> V | None:
        return self._added[key] if key in self._added else self._known.get(key)

    def __getitem__(self, key: K, /) -> V:
        return self._added[key] if key in self._added else self._known[key]

    def __setitem__(self, key: K, value: V, /) -> None:
        self._added[key] = value

    def __contains__(self, key: K, /) -> bool:
        return key in self._added or key in self._known


@dataclass(frozen=True, slots=True)
class SignedIssue:
    member: MemberId
    points: Points


@dataclass(frozen=True, slots=True)
class SignedReservation:
    """Points of a reservation at this brand and the discount for all of them; `closed` by its one capture or void.

    `order` is the reference of its order, which a transfer has none of.
    """

    order: Reference | None
    member: MemberId
    points: Points
    discount_minor: int
    captured: int
    refunded: int
    closed: bool


@dataclass
class SignedState:
    """A reference is used once; `scratch` makes a state that forgets its additions.

    `clawed_back`: of an issue, by the lot's expiry day, less what was restored into it. `taken_by`: by a clawback's own reference.
    `issue_at`: batch number and index.
    """

    domain: Domain
    brand_id: int
    references: Notes[Reference, int] = field(default_factory=dict)
    issues: Notes[Reference, SignedIssue] = field(default_factory=dict)
    clawed_back: Notes[Reference, Mapping[int, int]] = field(default_factory=dict)
    taken_by: Notes[Reference, int] = field(default_factory=dict)
    issue_at: Notes[tuple[int, int], Reference] = field(default_factory=dict)
    reservations: Notes[ReservationId, SignedReservation] = field(default_factory=dict)

    def scratch(self) -> SignedState:
        """For trying out a batch; what is known shows through."""
        return replace(
            self,
            references=_Trial(self.references),
            issues=_Trial(self.issues),
            clawed_back=_Trial(self.clawed_back),
            taken_by=_Trial(self.taken_by),
            issue_at=_Trial(self.issue_at),
            reservations=_Trial(self.reservations),
        )

    def reservation_id(self, entry: Authorize | Redeem) -> ReservationId:
        """The digest of the consent that the entry carries."""
        return reservation_id_of(self.domain, self.brand_id, entry)

    def transfer_id(self, entry: Transfer) -> ReservationId:
        """The digest that both sides have signed; the contract keeps it where reservations are."""
        return transfer_digest(self.domain, transfer_terms(entry))

    def add(self, number: int, entry: Entry) -> None:
        """Takes note of an entry that was checked."""
        reference = getattr(entry, "reference", None)
        if reference is not None:
            self.references[reference] = number
        match entry:
            case Issue():
                self.issues[entry.reference] = SignedIssue(entry.member, entry.points)
            case Clawback(issue_reference=issue) if issue is not None:
                self._claw_back(issue, entry.lines, 1)
                self.taken_by[entry.reference] = points_of(entry.lines)
                self.issue_at[entry.issue.number, entry.issue.index] = issue
            case Restore():
                self._claw_back(self.issue_at[entry.number, entry.index], entry.lines, -1)
            case Authorize():
                self.reservations[self.reservation_id(entry)] = _reserved(entry)
            case Redeem():
                self.reservations[self.reservation_id(entry)] = replace(_reserved(entry), captured=entry.points, closed=True)
            case Transfer():
                self.reservations[self.transfer_id(entry)] = SignedReservation(
                    None, entry.giver, points_of(entry.lines), 0, 0, 0, closed=True
                )
            case Capture() | Void():
                known = self.reservations.get(entry.reservation_id)
                if known is not None:
                    captured = points_of(entry.lines) if isinstance(entry, Capture) else 0
                    self.reservations[entry.reservation_id] = replace(known, captured=captured, closed=True)
            case PointRefund():
                known = self.reservations[entry.reservation_id]
                self.reservations[entry.reservation_id] = replace(known, refunded=known.refunded + points_of(entry.lines))
            case _:
                pass

    def _claw_back(self, issue: Reference, lines: Iterable[Line], sign: int) -> None:
        taken = dict(self.clawed_back.get(issue) or {})
        for line in lines:
            taken[line.expiry_day] = taken.get(line.expiry_day, 0) + sign * line.points
        self.clawed_back[issue] = taken


def _reserved(entry: Authorize | Redeem) -> SignedReservation:
    return SignedReservation(entry.reference, entry.member, entry.points, entry.discount, 0, 0, closed=False)


def points_of(lines: Iterable[Line]) -> Points:
    return Points(sum(line.points for line in lines))
