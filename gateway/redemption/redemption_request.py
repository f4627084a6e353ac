"""What authorize and redeem check alike before they are accepted: brand, order, deadline, points, and by whose leave they are spent."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.brands.brand import Brand, check_accepts
from gateway.coalition.coalition import Coalition
from gateway.ledger import signing
from gateway.ledger.consents import brand_grant_digest
from gateway.ledger.entries import BRAND_GRANT, MEMBER_GRANT
from gateway.members.ports import Members
from gateway.members.signed_consent import check_consent, check_deadline, check_nonce
from gateway.members.spending_leave import check_not_locked
from gateway.points.holding import check_points, lines_for
from gateway.points.ports import HeldByMembers
from gateway.redemption.consent import Consent
from gateway.redemption.grant_use import check_grant_use
from gateway.redemption.ports import Reservations
from gateway.rounds.operation import AuthorizeOperation, RedeemOperation, RedemptionOperation, ReservationOperation
from gateway.rounds.ports import Operations
from gateway.values.calendar import local_day
from gateway.values.errors import Invalid, ReferenceReused, WrongState
from gateway.values.ids import Hash, MemberId, OperationId, ReservationId
from gateway.values.money import MAX_AMOUNT_MINOR, AmountMinor
from gateway.values.points import Points
from gateway.values.references import check_external_id


@dataclass(frozen=True, slots=True)
class RedemptionRequest:
    """What the accepting brand hands in: `deadline` in Unix seconds; kind and proof are the spender's, who is the member or, under the
    member's grant, another one. Under a grant to the brand (kind 5) nobody signs, and the brand's order is what is used once.
    """

    order_id: str
    member_id: MemberId
    points: Points
    discount_minor: AmountMinor
    order_hash: Hash
    nonce: int
    deadline: int
    proof_kind: int
    proof: bytes
    spender_id: MemberId | None = None

    @property
    def spender(self) -> MemberId:
        return self.spender_id or self.member_id

    def proof_on_ledger(self) -> tuple[int, bytes]:
        """Kind and proof as the entry carries them."""
        if self.spender == self.member_id:
            return self.proof_kind, self.proof
        return MEMBER_GRANT, self.spender + bytes([self.proof_kind]) + self.proof


def consent_of(request: RedemptionRequest, brand: Brand) -> Consent:
    """What the spender must have signed."""
    reference = signing.reference(brand.reference_secret, "order", request.order_id)
    what = request.points, request.discount_minor, request.order_hash
    return Consent(request.member_id, request.spender, brand.brand_id, *what, reference, request.nonce, request.deadline)


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
    check_nonce(request.nonce)
    new = _operation(kind, request, brand, coalition, operation_id)
    known = earlier_operation(new, "order_id", request.order_id, operations, now)
    if known is not None:
        return known
    check_accepts(brand)
    check_discount(request, brand)
    check_deadline(request.deadline, now)
    check_not_locked(request.member_id, members)
    _check_proof(request, new.reservation_id, members)
    check_grant_use(new, members=members, operations=operations, local_day=local_day(now, coalition.utc_offset_seconds), now=now)
    if reservations.find(new.reservation_id) is not None or operations.pending_on(new.reservation_id):
        raise WrongState("this consent was used before")
    holding = points.holding_at(brand.brand_id, request.member_id)
    lines_for(holding, request.points, brand.brand_id, now, coalition.utc_offset_seconds)
    operations.accept(new, now)
    return operation_id


def _operation(
    kind: type[AuthorizeOperation] | type[RedeemOperation],
    request: RedemptionRequest,
    brand: Brand,
    coalition: Coalition,
    operation_id: OperationId,
) -> RedemptionOperation:
    consent, domain = consent_of(request, brand), coalition.signing_domain
    is_brands = request.proof_kind == BRAND_GRANT
    proof_kind, proof = request.proof_on_ledger()
    return kind(
        operation_id=operation_id,
        brand_id=brand.brand_id,
        member_id=request.member_id,
        reference=consent.reference,
        reservation_id=_under_grant(consent, domain) if is_brands else consent.digest(domain),
        order_id=request.order_id,
        points=request.points,
        discount_minor=request.discount_minor,
        order_hash=request.order_hash,
        nonce=request.nonce,
        deadline=request.deadline,
        proof_kind=proof_kind,
        proof=proof,
    )


def _under_grant(consent: Consent, domain: signing.Domain) -> ReservationId:
    return brand_grant_digest(domain, consent.member_id, consent.brand_id, consent.reference)


def _check_proof(request: RedemptionRequest, reservation_id: ReservationId, members: Members) -> None:
    """The spender's own, but under a grant to the brand."""
    if request.proof_kind == BRAND_GRANT:
        if request.spender_id is not None or request.proof or request.nonce:
            raise Invalid("under a grant to the brand nobody consents: leave out spender_id, nonce and proof", field="proof_kind")
        return
    if request.spender != request.member_id:
        check_not_locked(request.spender, members)
    check_consent(reservation_id, request.proof_kind, request.proof, members.authorizers(request.spender))


def earlier_operation(
    new: RedemptionOperation | ReservationOperation, field: str, external_id: str, operations: Operations, now: int
) -> OperationId | None:
    """The operation that this reference made before, if it says the same; refuses other content. Where the ledger has just this entry and
    nobody here knows of it any more, it is accepted anew, unchecked: it is to be confirmed where it stands.
    """
    used, known = operations.by_reference(new.brand_id, new.reference)
    if not used:
        return None
    if known is None and operations.as_on_ledger(new) is not None:
        operations.accept(new, now)
        return new.operation_id
    if known is None or known.operation != replace(new, operation_id=known.operation.operation_id):
        raise ReferenceReused(f"{field} {external_id} was used before with other content", field=field, reference=external_id)
    return known.operation.operation_id
