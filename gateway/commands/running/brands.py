"""`splittally brands | keys`: who is in the coalition, and who may call its API."""

from __future__ import annotations

import secrets
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from gateway.access.api_key import Role
from gateway.access.create_api_key import create_api_key
from gateway.access.revoke_api_key import revoke_api_key
from gateway.access.rows import SqlApiKeys, SqlPrivilegedActions
from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import business_clock
from gateway.commands.running.opening import open_database
from gateway.commands.running.printing import print_json
from gateway.commands.running.troubles import troubles_named
from gateway.loyalty.programmes.rows import SqlRules
from gateway.loyalty.programmes.views import list_brands
from gateway.store.unit_of_work import new_id, reading, wall_clock, writing
from gateway.values.calendar import moment, moment_or_none
from gateway.values.errors import NotFound


@troubles_named
def show_brands(as_json: bool) -> None:
    with reading(open_database(), business_clock()) as work:
        found = list_brands(work.session, brands=work.of(SqlBrands), rules=work.of(SqlRules))
    if as_json:
        print_json([asdict(brand) for brand in found])
        return
    table = Table("Brand", "Name", "Status", "Limit", "Issued", "Redeemed", "Outstanding")
    for brand in found:
        figures = (brand.issue_limit, brand.points.issued, brand.points.redeemed, brand.points.outstanding)
        table.add_row(str(brand.brand_id), brand.name, brand.status, *(f"{figure:,}" for figure in figures))
    Console().print(table)


@troubles_named
def show_keys(as_json: bool) -> None:
    with reading(open_database(), business_clock()) as work:
        rows = work.of(SqlApiKeys).all()
    found = [
        {
            "key_id": row.key_id,
            "role": row.role.value,
            "brand_id": row.brand_id,
            "label": row.label,
            "created_at": moment(row.created_at),
            "revoked_at": moment_or_none(row.revoked_at),
        }
        for row in rows
    ]
    if as_json:
        print_json(found)
        return
    table = Table("Key", "Role", "Brand", "Label", "Created", "Revoked")
    for key in found:
        table.add_row(*("" if value is None else str(value) for value in key.values()))
    Console().print(table)


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
