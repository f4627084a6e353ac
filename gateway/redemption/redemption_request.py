"""What authorize and redeem check alike before they are accepted: brand, order, deadline, consent, points."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.brands.brand import Brand, check_accepts
from gateway.coalition.coalition import Coalition
from gateway.ledger import signing
from gateway.members.ports import Members
from gateway.points.holding import check_points, lines_for
from gateway.points.ports import HeldByMembers
from gateway.redemption.consent import MAX_NONCE, Consent, check_consent, check_deadline
from gateway.redemption.ports import Reservations
from gateway.rounds.operation import AuthorizeOperation, RedeemOperation, RedemptionOperation, ReservationOperation
from gateway.rounds.ports import Operations
from gateway.values.errors import ConsentRefused, Invalid, ReferenceReused, WrongState
from gateway.values.ids import Hash, MemberId, OperationId
from gateway.values.money import MAX_AMOUNT_MINOR, AmountMinor
from gateway.values.points import Points
from gateway.values.references import check_external_id


@dataclass(frozen=True, slots=True)
class RedemptionRequest:
    """The member's consent as the accepting brand hands it in: `deadline` in Unix seconds, `proof` the signature."""

    order_id: str
    member_id: MemberId
    points: Points
    discount_minor: AmountMinor
    order_hash: Hash
    nonce: int
    deadline: int
    proof_kind: int
    proof: bytes


def consent_of(request: RedemptionRequest, brand: Brand) -> Consent:
    """What the member must have signed."""
    reference = signing.reference(brand.reference_secret, "order", request.order_id)
    what = request.points, request.discount_minor, request.order_hash
    return Consent(request.member_id, brand.brand_id, *what, reference, request.nonce, request.deadline)


def check_discount(request: RedemptionRequest, brand: Brand) -> None:
    """A brand may give more than its terms say, never less."""
    least = brand.redemption.minor_for(request.points)
    if not least <= request.discount_minor <= MAX_AMOUNT_MINOR:
        raise Invalid(
            f"{request.points} points give a discount_minor of at least {least}, and at most {MAX_AMOUNT_MINOR}", field="discount_minor"
        )


def accept_redemption(
    kind: type[AuthorizeOperation] | type[RedeemOperation],
    request: RedemptionRequest,
    *,
    brand: Brand,
    coalition: Coalition,
    members: Members,
    points: HeldByMembers,
    reservations: Reservations,
    operations: Operations,
    operation_id: OperationId,
    now: int,
) -> OperationId:
    """The operation's id; the same order with the same content is the first operation again."""
    check_external_id("order_id", request.order_id)
    check_points(request.points)
    if not 0 <= request.nonce <= MAX_NONCE:
        raise Invalid(f"nonce must be from 0 to {MAX_NONCE}", field="nonce")
    consent = consent_of(request, brand)
    reservation_id = consent.digest(coalition.signing_domain)
    new = kind(
        operation_id=operation_id,
        brand_id=brand.brand_id,
        member_id=request.member_id,
        reference=consent.reference,
        reservation_id=reservation_id,
        order_id=request.order_id,
        points=request.points,
        discount_minor=request.discount_minor,
        order_hash=request.order_hash,
        nonce=request.nonce,
        deadline=request.deadline,
        proof_kind=request.proof_kind,
        proof=request.proof,
    )
    known = earlier_operation(new, "order_id", request.order_id, operations)
    if known is not None:
        return known
    check_accepts(brand)
    check_discount(request, brand)
    check_deadline(request.deadline, now)
    authorizers = members.authorizers(request.member_id)
    if not authorizers:
        raise ConsentRefused(f"member {request.member_id} is not enrolled on the ledger", member_id=str(request.member_id))
    check_consent(reservation_id, request.proof_kind, request.proof, authorizers)
    if reservations.find(reservation_id) is not None or operations.pending_on(reservation_id):
        raise WrongState("this consent was used before")
    lines_for(points.holding(request.member_id), request.points, brand.brand_id, now, coalition.utc_offset_seconds)
    operations.accept(new, now)
    return operation_id


def earlier_operation(
    new: RedemptionOperation | ReservationOperation, field: str, external_id: str, operations: Operations
) -> OperationId | None:
    """The operation that this reference made before, if it says the same; refuses other content."""
    used, known = operations.by_reference(new.brand_id, new.reference)
    if not used:
        return None
    if known is None or known.operation != replace(new, operation_id=known.operation.operation_id):
        raise ReferenceReused(f"{field} {external_id} was used before with other content", field=field, reference=external_id)
    return known.operation.operation_id
