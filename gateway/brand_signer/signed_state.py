"""What the signer has signed so far: references, issues, clawbacks, reservations. Rebuilt from the journal's entries alone."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace

from gateway.ledger.consents import reservation_id_of, transfer_digest, transfer_terms
from gateway.ledger.entries import Authorize, Capture, Clawback, Entry, Issue, PointRefund, Redeem, Restore, Transfer, Void
from gateway.ledger.lots import Line
from gateway.ledger.signing import Domain
from gateway.values.ids import MemberId, Reference, ReservationId
from gateway.values.points import Points


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
    references: MutableMapping[Reference, int] = field(default_factory=dict)
    issues: MutableMapping[Reference, SignedIssue] = field(default_factory=dict)
    clawed_back: MutableMapping[Reference, Mapping[int, int]] = field(default_factory=dict)
    taken_by: MutableMapping[Reference, int] = field(default_factory=dict)
    issue_at: MutableMapping[tuple[int, int], Reference] = field(default_factory=dict)
    reservations: MutableMapping[ReservationId, SignedReservation] = field(default_factory=dict)

    def scratch(self) -> SignedState:
        """For trying out a batch; what is known shows through."""
        return replace(
            self,
            references=ChainMap({}, self.references),
            issues=ChainMap({}, self.issues),
            clawed_back=ChainMap({}, self.clawed_back),
            taken_by=ChainMap({}, self.taken_by),
            issue_at=ChainMap({}, self.issue_at),
            reservations=ChainMap({}, self.reservations),
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
        taken = dict(self.clawed_back.get(issue, {}))
        for line in lines:
            taken[line.expiry_day] = taken.get(line.expiry_day, 0) + sign * line.points
        self.clawed_back[issue] = taken


def _reserved(entry: Authorize | Redeem) -> SignedReservation:
    return SignedReservation(entry.reference, entry.member, entry.points, entry.discount, 0, 0, closed=False)


def points_of(lines: Iterable[Line]) -> Points:
    return Points(sum(line.points for line in lines))
