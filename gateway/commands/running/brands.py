"""`splittally brands | keys`: who is in the coalition, and who may call its API."""

from __future__ import annotations

import secrets
from dataclasses import asdict

import click

from gateway.access.api_key import Role
from gateway.access.create_api_key import create_api_key
from gateway.access.revoke_api_key import revoke_api_key
from gateway.access.rows import SqlApiKeys, SqlPrivilegedActions
from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import business_clock
from gateway.commands.running.opening import open_database
from gateway.commands.running.printing import Column, print_json, print_rows
from gateway.commands.running.troubles import troubles_named
from gateway.loyalty.programmes.rows import SqlRules
from gateway.loyalty.programmes.views import BrandPoints, RatioView, list_brands
from gateway.store.unit_of_work import new_id, reading, writing
from gateway.values.calendar import moment, moment_or_none, wall_clock
from gateway.values.errors import NotFound

BRAND_COLUMNS = (
    Column("Brand", lambda brand: str(brand["brand_id"]), is_figure=True),
    Column("Name", lambda brand: brand["name"]),
    Column("Status", lambda brand: brand["status"]),
    Column("Signs", lambda brand: "the operator (managed)" if brand["managed"] else "itself"),
    Column("Limit", lambda brand: brand["issue_limit"], is_figure=True),
    Column("Issued", lambda brand: brand["points"]["issued"], is_figure=True),
    Column("Redeemed", lambda brand: brand["points"]["redeemed"], is_figure=True),
    Column("Outstanding", lambda brand: brand["points"]["outstanding"], is_figure=True),
)
BRAND_FIELDS = (
    *("brand_id", "name", "status", "issue_limit", "lot_validity_months", "earn_on_tax", "operation_id", "managed"),
    *(f"{ratio}.{part}" for ratio in ("par", "redemption") for part in RatioView.__slots__),
    *(f"points.{name}" for name in BrandPoints.__slots__),
)
KEY_COLUMNS = (
    Column("Key", lambda key: key["key_id"]),
    Column("Role", lambda key: key["role"]),
    Column("Brand", lambda key: key["brand_id"] and str(key["brand_id"]), is_figure=True),
    Column("Created", lambda key: key["created_at"]),
    Column("Revoked", lambda key: key["revoked_at"]),
    Column("Label", lambda key: key["label"]),
)
KEY_FIELDS = ("key_id", "role", "brand_id", "label", "created_at", "revoked_at")


@troubles_named
def show_brands(as_json: bool, as_csv: bool) -> None:
    with reading(open_database(), business_clock()) as work:
        found = list_brands(work.session, brands=work.of(SqlBrands), rules=work.of(SqlRules), now=work.now)
    print_rows([asdict(brand) for brand in found], BRAND_COLUMNS, BRAND_FIELDS, as_json=as_json, as_csv=as_csv)


@troubles_named
def show_keys(as_json: bool, as_csv: bool) -> None:
    with reading(open_database(), business_clock()) as work:
        keys = work.of(SqlApiKeys).all()
    rows = [
        {
            "key_id": key.key_id,
            "role": key.role.value,
            "brand_id": key.brand_id,
            "label": key.label,
            "created_at": moment(key.created_at),
            "revoked_at": moment_or_none(key.revoked_at),
        }
        for key in keys
    ]
    print_rows(rows, KEY_COLUMNS, KEY_FIELDS, as_json=as_json, as_csv=as_csv)


@troubles_named
def make_key(role: str, brand_id: int | None, label: str, as_json: bool) -> None:
    with writing(open_database(), business_clock()) as work:
        if brand_id is not None and work.of(SqlBrands).find(brand_id) is None:
            raise NotFound(f"there is no brand {brand_id}", brand_id=brand_id)
        key, token = create_api_key(
            new_id(), secrets.token_urlsafe(32), Role(role), brand_id, label, api_keys=work.of(SqlApiKeys), now=wall_clock()
        )
        subject, detail = f"api-key:{key.key_id}", f"{role} {brand_id or ''} {label}"
        work.of(SqlPrivilegedActions).record(wall_clock(), "command line", "create_api_key", subject, detail)
    if as_json:
        print_json({"key_id": key.key_id, "token": token})
    else:
        click.echo(token)


@troubles_named
def end_key(key_id: str, as_json: bool) -> None:
    with writing(open_database(), business_clock()) as work:
        known = work.of(SqlApiKeys).find(key_id)
        revoke_api_key(key_id, known.brand_id if known else None, api_keys=work.of(SqlApiKeys), now=wall_clock())
        work.of(SqlPrivilegedActions).record(wall_clock(), "command line", "revoke_api_key", f"api-key:{key_id}", "")
    if as_json:
        print_json({"key_id": key_id, "revoked": True})
    else:
        click.echo(f"{key_id} is revoked.")
