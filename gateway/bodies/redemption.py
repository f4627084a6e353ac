"""What a brand asks of a member's points: authorize or redeem by consent, capture, void, point refund."""

from __future__ import annotations

from typing import Any, Literal

from gateway.bodies.shapes import AddressText, Body, ExternalId, PointsAsked, Proof, UnixSeconds, Whole, Word32
from gateway.ledger.consents import NO_ORDER


class ConsentBody(Body):
    """The member's consent: what `POST /v1/quotes` gave out, with the member's signature. `discount_minor` is what the member saves on the
    order, at least what the quote says; `order_hash` is the quote's, left out where no order was shown. proof_kind 1 = a key's 65 bytes
    r, s, v; 3 = a passkey's assertion whose challenge is the reservation id: authorizer length (2), x (32), y (32), SHA-256 of the relying
    party's id (32), origin; then r (32), s (32, the lower one), authenticator data length (1), authenticator data, clientDataJSON.
    `spender_id`: another member, whose consent it is, under the member's grant to her. proof_kind 5 = the member's grant to the calling
    brand: nobody signs, so `nonce`, `proof` and `spender_id` are left out.
    """

    order_id: ExternalId
    member_id: AddressText
    points: PointsAsked
    discount_minor: Whole
    order_hash: Word32 = str(NO_ORDER)
    nonce: Whole = 0
    deadline: UnixSeconds
    proof_kind: Literal[1, 3, 5] = 1
    proof: Proof | None = None
    spender_id: AddressText | None = None

    def content(self) -> dict[str, Any]:
        """`spender_id` came later: requests without one keep their hash."""
        return {name: value for name, value in super().content().items() if name != "spender_id" or value is not None}


class CaptureBody(Body):
    capture_id: ExternalId
    points: PointsAsked


class VoidBody(Body):
    void_id: ExternalId


class PointRefundBody(Body):
    point_refund_id: ExternalId
    points: PointsAsked


class CaptureItemBody(CaptureBody):
    reservation_id: Word32
