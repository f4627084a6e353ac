"""What the signer serves: POST /sign-batch, POST /signed-batch and GET /healthz."""

from __future__ import annotations

from typing import Any

from gateway.brand_signer.checks import RefusedEntry
from gateway.brand_signer.fields import body_object, hex_bytes, whole_number
from gateway.brand_signer.json_server import Answer, BadRequest, Route
from gateway.brand_signer.sales_register import DamagedRegister
from gateway.brand_signer.sign_batch import BatchRequest, BatchSigner, EntriesRefused, InconsistentBatch, NumberUsed
from gateway.values.hex import hex_text

PUBLIC = frozenset({"GET /healthz"})


def routes_of(signer: BatchSigner, brand_id: int) -> dict[str, Route]:
    """The routes of one brand's signer."""
    return {
        "GET /healthz": lambda _: (200, {"status": "ok", "brand_id": brand_id, "address": hex_text(signer.address)}),
        "POST /sign-batch": lambda body: _sign(signer, body),
        "POST /signed-batch": lambda body: _signed(signer, body),
    }


def _sign(signer: BatchSigner, body: Any) -> Answer:
    """200 {signature} · 409 {refused: [{index, reason, number}]}, the number for `already_signed` alone · 409 {error: number_used} ·
    422 {error} · 503 {error: damaged_register}."""
    request = _request(body)
    try:
        return 200, {"signature": hex_text(signer.sign(request))}
    except EntriesRefused as answer:
        return 409, {"refused": [_told(one) for one in answer.refused]}
    except NumberUsed as answer:
        return 409, {"error": "number_used", "message": str(answer), "refused": []}
    except InconsistentBatch as answer:
        return 422, {"error": answer.code, "message": str(answer)}
    except DamagedRegister as answer:
        return 503, {"error": "damaged_register", "message": str(answer)}


def _told(one: RefusedEntry) -> dict[str, Any]:
    return {"index": one.index, "reason": one.reason, **({} if one.number is None else {"number": one.number})}


def _signed(signer: BatchSigner, body: Any) -> Answer:
    """What was last signed under {number}: 200 {number, deadline, entries, signature} or 404."""
    batch = signer.signed(whole_number(body_object(body), "number", 64))
    if batch is None:
        return 404, {"error": "not_found", "message": "nothing was signed under this number"}
    return 200, {
        "number": batch.number,
        "deadline": batch.deadline,
        "entries": hex_text(batch.entries),
        "signature": hex_text(batch.signature),
    }


def _request(value: Any) -> BatchRequest:
    body = body_object(value)
    details = body.get("details")
    if not isinstance(details, list) or not all(isinstance(detail, dict) for detail in details):
        raise BadRequest("details must be a list of objects")
    return BatchRequest(
        brand_id=whole_number(body, "brand_id", 32),
        number=whole_number(body, "number", 64),
        deadline=whole_number(body, "deadline", 40),
        entries=hex_bytes(body, "entries"),
        details=tuple(details),
    )
