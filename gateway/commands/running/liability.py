"""`splittally liability draft | publish | show`: a brand's owner signs what the ledger says the brand owes, and it is anchored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gateway.coalition.tables import CoalitionRow
from gateway.commands.running.anchoring import hand_over
from gateway.commands.running.opening import open_chain, open_database
from gateway.commands.running.printing import Column, amount_text, print_json, table_text
from gateway.commands.running.troubles import troubles_named
from gateway.ledger.liability import Coverage
from gateway.receipts.liability import (
    Document,
    anchor_of,
    draft_statement,
    is_anchored,
    signed_statement,
    statement_typed_data,
    with_anchoring,
)
from gateway.receipts.prove import coalition_row
from gateway.store.session import Database
from gateway.values.calendar import expiry_date
from gateway.values.errors import Invalid, WrongState
from gateway.values.hex import BadHex, to_bytes
from gateway.values.ids import Address, Hash

ANCHOR_PURPOSE = "anchor_liability"  # and a colon and the brand's id
LOT_COLUMNS = (
    Column("Lot expiry", lambda lot: expiry_date(lot["lot_expiry_day"]) or "never"),
    Column("Outstanding", lambda lot: lot["outstanding"], is_figure=True),
)


@troubles_named
def draft(
    brand_id: int, block_number: int | None, coverage_minor: int | None, coverage_source: str | None, output: Path, as_json: bool
) -> None:
    database, chain = open_database(), open_chain()
    coalition = _coalition(database)
    document = draft_statement(database, chain, brand_id, block_number, _coverage(coverage_minor, coverage_source, coalition.currency))
    _write(output, document)
    typed = statement_typed_data(coalition, document)
    if as_json:
        print_json({"file": str(output), **_summary(document), "typed_data": typed})
        return
    click.echo(f"{output}: {_sentence(document)}")
    click.echo(f"Have the owner {document['anchor']['signer']} sign this typed data, then run `splittally liability publish` with it:")
    click.echo(json.dumps(typed))


@troubles_named
def publish(statement: Path, signature: str | None, as_json: bool) -> None:
    database, chain = open_database(), open_chain()
    coalition, document = _coalition(database), _read(statement)
    if signature is not None:
        document = signed_statement(chain, coalition, document, _signature(signature))
        _write(statement, document)
    if document["anchor"]["signature"] is None:
        raise WrongState("The statement is not signed: give its owner's signature with --signature")
    if is_anchored(chain, coalition, document):
        document = with_anchoring(chain, coalition, document)
        _write(statement, document)
        said = f"{statement}: anchored as number {document['anchor']['number']}, proven at block {document['anchoring']['block']['number']}"
    else:
        signed = anchor_of(document).called(Address.parse(document["anchor"]["signer"]), to_bytes(document["anchor"]["signature"], 65))
        hand_over(database, chain, coalition, f"{ANCHOR_PURPOSE}:{document['liability']['brand']}", [signed])
        said = f"{statement}: handed over to the worker. Run this again once its round is over, to put the proof into the file"
    if as_json:
        print_json({"file": str(statement), **_summary(document)})
    else:
        click.echo(said)


@troubles_named
def show(statement: Path, as_json: bool) -> None:
    document = _read(statement)
    if as_json:
        print_json(_summary(document))
        return
    click.echo(_sentence(document))
    click.echo(table_text(document["liability"]["lots"], LOT_COLUMNS))
    coverage = document["liability"]["coverage"]
    reserve = f"{amount_text(coverage['amount_minor'], coverage['currency'])} (source {coverage['source']})" if coverage else "none stated"
    click.echo(f"Reserve: {reserve}")
    stands = "not signed" if document["anchor"]["signature"] is None else f"signed by {document['anchor']['signer']}"
    click.echo(f"It is {stands} and {'not shown to be anchored' if document['anchoring'] is None else 'anchored'}.")


def _coalition(database: Database) -> CoalitionRow:
    with database.read() as session:
        return coalition_row(session)


def _coverage(amount_minor: int | None, source: str | None, currency: str) -> Coverage | None:
    if amount_minor is None and source is None:
        return None
    if amount_minor is None or source is None:
        raise click.UsageError("--coverage-minor and --coverage-source belong together: give both or neither")
    try:
        return Coverage(amount_minor, currency, Hash.parse(source))
    except BadHex:
        raise click.UsageError("--coverage-source is 0x and 64 hex digits") from None


def _signature(text: str) -> bytes:
    try:
        return to_bytes(text, 65)
    except BadHex:
        raise click.UsageError("--signature is 0x and 130 hex digits") from None


def _read(path: Path) -> Document:
    try:
        document: Document = json.loads(path.read_text())
    except ValueError:
        raise Invalid(f"{path} is not JSON: draft a statement with `splittally liability draft`") from None
    anchor_of(document)
    return document


def _write(path: Path, document: Document) -> None:
    path.write_text(json.dumps(document) + "\n")


def _sentence(document: Document) -> str:
    about, block = document["liability"], document["block"]
    return f"brand {about['brand']} owed {about['total']:,} points in {len(about['lots'])} lots at block {block['number']}"


def _summary(document: Document) -> dict[str, Any]:
    about, anchor = document["liability"], document["anchor"]
    return {
        "brand": about["brand"],
        "block": document["block"]["number"],
        "total": about["total"],
        "lots": [{name: lot[name] for name in ("lot_expiry_day", "outstanding")} for lot in about["lots"]],
        "coverage": about["coverage"],
        "signer": anchor["signer"],
        "number": anchor["number"],
        "root": anchor["root"],
        "is_signed": anchor["signature"] is not None,
        "is_anchored": document["anchoring"] is not None,
    }
