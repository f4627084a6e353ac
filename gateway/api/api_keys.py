"""API keys: made and revoked by the operator, or by a brand for itself. A secret is shown once."""

from __future__ import annotations

import secrets
from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel

from gateway.access.api_key import Caller, Role
from gateway.access.create_api_key import create_api_key
from gateway.access.revoke_api_key import revoke_api_key
from gateway.access.rows import SqlApiKeys, SqlPrivilegedActions
from gateway.api.brands import the_brand
from gateway.api.idempotency import Write, WriteNeeded
from gateway.api.permissions import AsOperator, AsOperatorOrBrand, check_reads_brand
from gateway.api.problems import WRITES
from gateway.api.routing import Router
from gateway.api.shapes import Body, BrandIdPath, Label
from gateway.store.unit_of_work import UnitOfWork, new_id
from gateway.values.calendar import moment, moment_or_none
from gateway.values.errors import NotFound

router = Router(prefix="/v1", tags=["api keys"])
KeyIdPath = Annotated[str, Path(min_length=1, max_length=128)]


class ApiKeyBody(Body):
    label: Label


class AuditorKeyBody(Body):
    role: Literal["auditor", "operator"]
    label: Label


class ApiKeyView(BaseModel):
    """`token` is what the key's holder sends. It is there in the first answer only: if that was lost, revoke and make another."""

    key_id: str
    role: str
    brand_id: int | None
    label: str
    created_at: str
    revoked_at: str | None
    token: str | None = None


@router.post("/brands/{brand_id}/api-keys", status_code=201, responses=WRITES)
def create_brand_api_key(brand_id: BrandIdPath, body: ApiKeyBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> ApiKeyView:
    """A key for a brand."""
    check_reads_brand(caller, brand_id)
    return _create(write, caller, body, Role.BRAND, brand_id, body.label)


@router.delete("/brands/{brand_id}/api-keys/{key_id}", responses=WRITES)
def delete_brand_api_key(brand_id: BrandIdPath, key_id: KeyIdPath, caller: AsOperatorOrBrand, write: WriteNeeded) -> ApiKeyView:
    """Revokes a brand's key at once."""
    check_reads_brand(caller, brand_id)
    return _revoke(write, caller, key_id, brand_id)


@router.post("/api-keys", status_code=201, responses=WRITES)
def create_staff_api_key(body: AuditorKeyBody, caller: AsOperator, write: WriteNeeded) -> ApiKeyView:
    """A key for an auditor or another operator."""
    return _create(write, caller, body, Role(body.role), None, body.label)


@router.delete("/api-keys/{key_id}", responses=WRITES)
def delete_staff_api_key(key_id: KeyIdPath, caller: AsOperator, write: WriteNeeded) -> ApiKeyView:
    """Revokes an auditor's or operator's key at once."""
    return _revoke(write, caller, key_id, None)


def _create(write: Write, caller: Caller, body: Body, role: Role, brand_id: int | None, label: str) -> ApiKeyView:
    made: list[str] = []

    def act(work: UnitOfWork) -> str:
        if brand_id is not None:
            the_brand(work, brand_id)
        key, token = create_api_key(new_id(), secrets.token_urlsafe(32), role, brand_id, label, api_keys=work.of(SqlApiKeys), now=work.now)
        made.append(token)
        _record(work, caller, "create_api_key", key.key_id, f"{role} {brand_id or ''} {label}")
        return key.key_id

    key_id = write.once(caller, "api_key", body.content(), act)
    write.await_ledger([])
    return _show(write, key_id, made[0] if made else None)


def _revoke(write: Write, caller: Caller, key_id: str, brand_id: int | None) -> ApiKeyView:
    def act(work: UnitOfWork) -> str:
        revoke_api_key(key_id, brand_id, api_keys=work.of(SqlApiKeys), now=work.now)
        _record(work, caller, "revoke_api_key", key_id, "")
        return key_id

    write.once(caller, "api_key", {}, act)
    write.context.keys.forget(key_id)
    return _show(write, key_id, None)


def _show(write: Write, key_id: str, token: str | None) -> ApiKeyView:
    with write.context.reading() as work:
        key = work.of(SqlApiKeys).find(key_id)
    if key is None:
        raise NotFound(f"there is no API key {key_id}")
    return ApiKeyView(
        key_id=key.key_id,
        role=key.role.value,
        brand_id=key.brand_id,
        label=key.label,
        created_at=moment(key.created_at),
        revoked_at=moment_or_none(key.revoked_at),
        token=token,
    )


def _record(work: UnitOfWork, caller: Caller, action: str, key_id: str, detail: str) -> None:
    work.of(SqlPrivilegedActions).record(work.now, f"{caller.principal}/{caller.key_id}", action, f"api-key:{key_id}", detail)
