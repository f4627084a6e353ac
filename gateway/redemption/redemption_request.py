"""What authorize and redeem check alike before they are accepted: brand, order, deadline, consent, points."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.brands.brand import Brand, check_active
from gateway.coalition.coalition import Coalition
from gateway.ledger import signing
from gateway.members.ports import Members
from gateway.points.holding import check_points, lines_for
from gateway.points.ports import HeldByMembers
from gateway.redemption.consent import MAX_NONCE, Consent, check_consent, check_deadline
from gateway.redemption.ports import Reservations
from gateway.rounds.operation import NewOperation, OperationKind, StoredOperation
from gateway.rounds.ports import Operations
from gateway.values.errors import ConsentRefused, Invalid, ReferenceReused, WrongState
from gateway.values.references import check_external_id


@dataclass(frozen=True, slots=True)
class RedemptionRequest:
    """The member's consent as the accepting brand hands it in: `deadline` in Unix seconds, `proof` the signature."""

    order_id: str
    member_id: str
    points: int
    nonce: int
    deadline: int
    proof_kind: int
    proof: bytes


def consent_of(request: RedemptionRequest, brand: Brand) -> Consent:
    """What the member must have signed."""
    reference = signing.reference(brand.reference_secret, "order", request.order_id)
    member_id = bytes.fromhex(request.member_id.removeprefix("0x"))
    return Consent(member_id, brand.brand_id, request.points, reference, request.nonce, request.deadline)


def accept_redemption(
    kind: OperationKind,
    request: RedemptionRequest,
    *,
    brand: Brand,
    coalition: Coalition,
    members: Members,
    points: HeldByMembers,
    reservations: Reservations,
    operations: Operations,
    operation_id: str,
    now: int,
) -> str:
    """The operation's id; the same order with the same content is the first operation again."""
    check_external_id("order_id", request.order_id)
    check_points(request.points)
    if not 0 <= request.nonce <= MAX_NONCE:
        raise Invalid(f"nonce must be from 0 to {MAX_NONCE}", field="nonce")
    consent = consent_of(request, brand)
    digest = consent.digest(coalition.signing_domain)
    new = _operation(kind, request, brand, "0x" + consent.reference.hex(), "0x" + digest.hex(), operation_id)
    known = earlier_operation(new, "order_id", request.order_id, operations)
    if known is not None:
        return known.operation_id
    check_active(brand, "accept points")
    check_deadline(request.deadline, now)
    authorizers = members.authorizers(request.member_id)
    if not authorizers:
        raise ConsentRefused(f"member {request.member_id} is not enrolled on the ledger", member_id=request.member_id)
    check_consent(digest, request.proof_kind, request.proof, authorizers)
    if reservations.find("0x" + digest.hex()) is not None or operations.pending_on("0x" + digest.hex()):
        raise WrongState("this consent was used before")
    lines_for(points.holding(request.member_id), request.points, brand.brand_id, now, coalition.utc_offset_seconds)
    operations.accept(new, now)
    return operation_id


def earlier_operation(new: NewOperation, field: str, external_id: str, operations: Operations) -> StoredOperation | None:
    """The operation that this reference made before, if its content was the same; refuses other content."""
    assert new.brand_id is not None
    assert new.reference is not None
    used, known = operations.by_reference(new.brand_id, new.reference)
    if not used:
        return None
    if known is None or (known.kind, dict(known.body), known.reservation_id) != (new.kind, dict(new.body), new.reservation_id):
        raise ReferenceReused(f"{field} {external_id} was used before with other content", field=field, reference=external_id)
    return known


def _operation(
    kind: OperationKind, request: RedemptionRequest, brand: Brand, reference: str, reservation_id: str, operation_id: str
) -> NewOperation:
    body = {
        "order_id": request.order_id,
        "points": request.points,
        "nonce": request.nonce,
        "deadline": request.deadline,
        "proof_kind": request.proof_kind,
        "proof": "0x" + request.proof.hex(),
    }
    return NewOperation(
        operation_id,
        kind,
        body,
        brand_id=brand.brand_id,
        member_id=request.member_id,
        points=request.points,
        pending_out=request.points,
        reference=reference,
        reservation_id=reservation_id,
    )
