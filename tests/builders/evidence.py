"""Evidence by hand: what brand 1's agent of an offline coalition would sign for brand 2, and what of it is changed or signed by another."""

from __future__ import annotations

from typing import Any

from gateway.brand_agent.evidence import EvidenceDocument, EvidenceKind
from gateway.brand_signer.key import Key
from gateway.ledger.signing import Domain
from tests.builders.offline_coalition import POINTS_ADDRESS, START
from tests.builders.publishers import DOMAIN

SELLER, ISSUER, THIRD = 1, 2, 3
KEY, STRANGER = Key((9_001).to_bytes(32)), Key((9_002).to_bytes(32))
MEMBER = "0x" + "5e" * 20
SOLD_AT = START + 36_000


def sale(payment_id: str, amount_minor: int = 1_000, **changes: Any) -> EvidenceDocument:
    return _document(EvidenceKind.SALE, payment_id, payment_id, amount_minor, changes)


def payment_refund(refund_id: str, payment_id: str, amount_minor: int, **changes: Any) -> EvidenceDocument:
    return _document(EvidenceKind.PAYMENT_REFUND, refund_id, payment_id, amount_minor, changes)


def refund_failure(refund_id: str, payment_id: str, amount_minor: int, **changes: Any) -> EvidenceDocument:
    return _document(EvidenceKind.REFUND_FAILURE, refund_id, payment_id, amount_minor, changes)


def signed(document: EvidenceDocument, key: Key = KEY, domain: Domain = DOMAIN) -> dict[str, str]:
    """What is handed over."""
    return {"document": document.text(), "signature": "0x" + key.sign(document.digest(domain)).hex()}


def partner(key: Key = KEY, brand_id: int = SELLER, **budget: int) -> dict[str, Any]:
    """As the addressee's settings name it."""
    return {"brand_id": brand_id, "evidence_key": str(key.address), **(budget or {"budget_points": 1_000_000})}


def _document(kind: EvidenceKind, own_id: str, payment_id: str, amount_minor: int, changes: dict[str, Any]) -> EvidenceDocument:
    said = {"sold_by": SELLER, "addressee": ISSUER, "chain_id": DOMAIN.chain_id, "contract": POINTS_ADDRESS, "kind": kind}
    what = {"id": own_id, "payment_id": payment_id, "member_id": MEMBER, "currency": "USD", "amount_minor": amount_minor}
    return EvidenceDocument.model_validate({**said, **what, "occurred_at": SOLD_AT, **changes})
