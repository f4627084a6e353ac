"""How operations on brands are written in a row; operation_codec.py is the way in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any, get_args

from gateway.ledger.brand_states import BrandState
from gateway.ledger.governing import OwnerSignature
from gateway.ledger.terms import LedgerTerms
from gateway.rounds.brand_operation import (
    BrandOperation,
    RegisterBrandOperation,
    SetBrandKeyOperation,
    SetBrandLimitOperation,
    SetBrandStatusOperation,
    SetBrandTermsOperation,
    SetExposureOperation,
)
from gateway.rounds.operation import KINDS, OperationKind
from gateway.values.hex import hex_text, to_bytes
from gateway.values.ids import Address, OperationId

_Body = Mapping[str, Any]
BRAND_KINDS = frozenset(KINDS[each] for each in get_args(BrandOperation))


def brand_operation_of(kind: OperationKind, operation_id: OperationId, body: _Body) -> BrandOperation:
    """The operation of one of BRAND_KINDS."""
    match kind:
        case OperationKind.REGISTER_BRAND:
            window = Address.parse(body["key_address"]), body["key_valid_from"], body["key_valid_until"]
            return RegisterBrandOperation(
                operation_id,
                body["brand_id"],
                body["name"],
                *window,
                body["issue_limit"],
                _terms_from(body),
                Address.parse(body["owner_address"]),
                body.get("managed", False),
            )
        case OperationKind.SET_BRAND_TERMS:
            return SetBrandTermsOperation(operation_id, body["brand_id"], _terms_from(body), _signed_from(body))
        case OperationKind.SET_BRAND_LIMIT:
            return SetBrandLimitOperation(operation_id, body["brand_id"], body["issue_limit"])
        case OperationKind.SET_BRAND_STATUS:
            return SetBrandStatusOperation(operation_id, body["brand_id"], BrandState[body["status"].upper()])
        case OperationKind.SET_BRAND_KEY:
            window = Address.parse(body["key_address"]), body["valid_from"], body["valid_until"]
            return SetBrandKeyOperation(operation_id, body["brand_id"], *window, _signed_from(body), body.get("managed", False))
        case OperationKind.SET_EXPOSURE:
            return SetExposureOperation(operation_id, body["brand_id"], body["issuer_id"], body["most"], _signed_from(body))
        case _:
            raise AssertionError(f"{kind} is no operation on a brand")


def brand_body(operation: BrandOperation) -> dict[str, Any]:
    match operation:
        case RegisterBrandOperation():
            return {
                "brand_id": operation.brand_id,
                "name": operation.name,
                "key_address": str(operation.key_address),
                "key_valid_from": operation.key_valid_from,
                "key_valid_until": operation.key_valid_until,
                "issue_limit": operation.issue_limit,
                "owner_address": str(operation.owner_address),
                "managed": operation.managed,
                **_terms_body(operation.terms),
            }
        case SetBrandTermsOperation():
            return {"brand_id": operation.brand_id, **_terms_body(operation.terms), **_signed_body(operation.signed)}
        case SetBrandLimitOperation():
            return {"brand_id": operation.brand_id, "issue_limit": operation.issue_limit}
        case SetBrandStatusOperation():
            return {"brand_id": operation.brand_id, "status": operation.status.name.lower()}
        case SetBrandKeyOperation():
            window = {"valid_from": operation.valid_from, "valid_until": operation.valid_until, "managed": operation.managed}
            return {"brand_id": operation.brand_id, "key_address": str(operation.key_address), **window, **_signed_body(operation.signed)}
        case SetExposureOperation():
            exposure = {"issuer_id": operation.issuer_id, "most": operation.most}
            return {"brand_id": operation.brand_id, **exposure, **_signed_body(operation.signed)}


def _terms_body(terms: LedgerTerms) -> dict[str, int]:
    return dict(zip(_TERMS, astuple(terms), strict=True))


def _terms_from(body: _Body) -> LedgerTerms:
    return LedgerTerms(*(body[name] for name in _TERMS))


def _signed_body(signed: OwnerSignature) -> dict[str, Any]:
    return {"nonce": signed.nonce, "deadline": signed.deadline, "signature": hex_text(signed.signature)}


def _signed_from(body: _Body) -> OwnerSignature:
    return OwnerSignature(body["nonce"], body["deadline"], to_bytes(body["signature"]))


_TERMS = (
    "par_numerator",
    "par_denominator",
    "redemption_numerator",
    "redemption_denominator",
    "fee_basis_points",
    "run_off_days",
    "notice_days",
)
