"""Operations that change lots without a sale of their own: openings, restores, extensions, transfers."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.awards import AwardId
from gateway.ledger.entries import ConsentProof
from gateway.ledger.lot_references import Activity
from gateway.ledger.lots import Line
from gateway.values.ids import Hash, MemberId, OperationId, Reference, ReservationId
from gateway.values.points import Points


@dataclass(frozen=True, slots=True)
class OpeningOperation:
    """Points for a member's `units` of an earlier programme, by a line of the file whose hash is `source`."""

    operation_id: OperationId
    brand_id: int
    member_id: MemberId
    reference: Reference
    points: Points
    expiry_day: int
    programme: str
    ratio_points: int
    ratio_units: int
    source: Hash
    line_number: int
    units: int


@dataclass(frozen=True, slots=True)
class RestoreOperation:
    """What a payment refund took of an award goes back, since the refund failed.

    `clawbacks` took up to `clawed_back_due` of it. `points_due` differs from that by what rounding moves between refunds of one payment,
    of which the refunds that are left account for `others_due`; None if accepted before that was kept.
    """

    operation_id: OperationId
    brand_id: int
    member_id: MemberId
    reference: Reference
    points_due: Points
    clawed_back_due: Points
    others_due: Points | None
    clawbacks: tuple[Reference, ...]
    issue_reference: Reference
    award: AwardId
    refund_id: str


@dataclass(frozen=True, slots=True)
class ExtendOperation:
    """Moves what a member has unreserved in one lot of the brand to a later one, since she was active."""

    operation_id: OperationId
    brand_id: int
    member_id: MemberId
    reference: Reference
    from_day: int
    to_day: int
    points: Points
    activity: Activity


@dataclass(frozen=True, slots=True)
class TransferOperation:
    """Moves points to another member, lot by lot as both have signed; `brand_id` carries it. `reservation_id`: what was signed."""

    operation_id: OperationId
    brand_id: int
    member_id: MemberId
    taker_id: MemberId
    reservation_id: ReservationId
    lines: tuple[Line, ...]
    nonce: int
    deadline: int
    giver_proof: ConsentProof
    taker_proof: ConsentProof

    @property
    def points(self) -> Points:
        return Points(sum(line.points for line in self.lines))


LotActOperation = OpeningOperation | RestoreOperation | ExtendOperation
