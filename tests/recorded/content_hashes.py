"""Requests of every write with the content hashes that they are kept under, and the other values that hold for ever.

They are sent to the real API and read from the database in plain SQL, so that nothing but what is stored counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import text

from gateway.ledger.consents import NO_ORDER, ConsentTerms, consent_digest
from gateway.ledger.signing import Domain, reference
from gateway.values.ids import Address, Hash, MemberId
from tests.builders.offline_coalition import COALITION_ID, POINTS_ADDRESS, START, OfflineCoalition, Shopper, brand_body, purchase_body
from tests.builders.payment_files import TILL_MAPPING, send, stripe_file, stripe_row
from tests.gateway.api.every_write import MEMBER, OWNER, REFUND, WRITES, Ready, make_ready

DOMAIN = Domain(7_951, Address.parse(POINTS_ADDRESS), Hash.parse(COALITION_ID))
BRAND_1_SECRET = b"\x01" * 32  # as in brand_body(1)
LONG_ID = "~" * 128
TILL_FILE = b"Txn;Receipt;Date;Total;Type\nt-1;p-1;16/03/2017 12:00;25.00;SALE\nTOTAL;1;25.00\n"


@dataclass(frozen=True)
class Sent:
    """A request beyond the table of every write."""

    who: str
    method: str
    path: str
    body: Any = None


PURCHASES: dict[str, dict[str, Any]] = {
    "with a member": purchase_body("p-1"),
    "with a member in capitals": purchase_body("p-1"),
    "with lines": purchase_body("p-1"),
    "without lines": purchase_body("p-1", lines=[]),
    "lines left out": {name: value for name, value in purchase_body("p-1").items() if name != "lines"},
    "defaults left out": {
        name: value
        for name, value in purchase_body("p-1").items()
        if name in ("payment_id", "currency", "gross_minor", "occurred_at", "business_date")
    },
    "brand named": purchase_body("p-1", brand_id=1),
    "taxed and partly paid with points": purchase_body("p-1", tax_minor=200, paid_with_points_minor=300),
    "a quantity left out and a discount line": purchase_body(
        "p-1", lines=[{"category": "grocery", "amount_minor": 2_600}, {"category": "coupon", "quantity": -1, "amount_minor": -100}]
    ),
    "offset east": purchase_body("p-1", occurred_at="2017-03-15T06:00:00+05:30"),
    "offset west": purchase_body("p-1", occurred_at="2017-03-14T19:30:00-05:00", business_date="2017-03-14"),
    "offset Z": purchase_body("p-1", occurred_at="2017-03-15T00:30:00Z"),
    "offset with seconds": purchase_body("p-1", occurred_at="2017-03-15T00:30:00+00:19:32"),
    "microseconds": purchase_body("p-1", occurred_at="2017-03-15T00:30:00.000001+00:00"),
    "milliseconds": purchase_body("p-1", occurred_at="2017-03-15T00:30:00.250+00:00"),
    "no seconds": purchase_body("p-1", occurred_at="2017-03-15T00:30+00:00"),
    "other alphabets": purchase_body("p-1", store="Straße 5, 東京 🛒", lines=[{"category": "Käse", "quantity": 1, "amount_minor": 1}]),
    "the longest payment id": purchase_body(LONG_ID),
    "a payment id of many signs": purchase_body("!\"#$%&()/\\<>[]{}|^`'"),
}
REFUNDS: dict[str, dict[str, Any]] = {
    "as in the table": REFUND,
    "offset": {**REFUND, "occurred_at": "2017-03-15T07:30:00+05:30"},
    "offset Z": {**REFUND, "occurred_at": "2017-03-15T02:00:00Z"},
    "microseconds": {**REFUND, "occurred_at": "2017-03-15T02:00:00.000001+00:00"},
    "the longest refund id": {**REFUND, "refund_id": LONG_ID},
}
FURTHER: dict[str, Sent] = {
    "brand with everything": Sent(
        "operator", "POST", "/v1/brands", brand_body(9, lot_validity_months=0, earn_on_tax=True, name="Ünïcode & Söhne")
    ),
    "brand with hex in capitals": Sent("operator", "POST", "/v1/brands", brand_body(9, key_address="0x" + "AB" * 20)),
    "rule from a moment": Sent(
        "brand:1", "POST", "/v1/brands/1/rules", {"points": 2, "per_minor": 100, "valid_from": "2017-04-01T00:00:00+02:00"}
    ),
    "brand key with a window": Sent(
        "operator", "POST", "/v1/brands/1/keys", {"key_address": "0x" + "51" * 20, "valid_from": 5, "valid_until": 9, "owner": OWNER}
    ),
    "member with hex in capitals": Sent(
        "brand:1", "POST", "/v1/members", {"authorizer": {"kind": 1, "address": "0x" + "AB" * 20}, "salt": "0x" + "CD" * 32}
    ),
    "members by the operator": Sent("operator", "POST", "/v1/members/bulk", {"members": [MEMBER, None, 7, {"salt": "ö"}]}),
    "purchases good and bad": Sent(
        "brand:1",
        "POST",
        "/v1/purchases/bulk",
        {"purchases": [purchase_body("p-1", occurred_at="2017-03-15T00:30:00Z"), {**purchase_body("p-2"), "gross_minor": -5}, 1.5, "ö"]},
    ),
    "brand api key by the operator": Sent("operator", "POST", "/v1/brands/1/api-keys", {"label": "Käse"}),
    "brand api key revoked": Sent("operator", "DELETE", "/v1/brands/1/api-keys/{key of brand 1}"),
    "staff key revoked": Sent("operator", "DELETE", "/v1/api-keys/{key of the auditor}"),
    "column mapping": Sent("brand:1", "POST", "/v1/column-mappings", {"name": "till", "definition": TILL_MAPPING}),
    "reconciliation by the brand": Sent("brand:1", "POST", "/v1/reconciliations", {"cut_off_date": "2017-03-31"}),
    "reconciliation by the operator": Sent("operator", "POST", "/v1/reconciliations", {"cut_off_date": "2017-03-31", "brand_id": 1}),
}
FILES: dict[str, tuple[bytes, dict[str, Any]]] = {
    "stripe": (stripe_file(stripe_row(1, "p-1")), {}),
    "stripe with everything": (
        stripe_file(stripe_row(1, "p-1"), stripe_row(2, "p-2")),
        {
            "file_name": "März 2017.csv",
            "expected_rows": 2,
            "expected_gross_minor": 5_000,
            "reference_column": "payment_metadata[order_reference]",
            "time_zone": "UTC",
        },
    ),
    "mapped": (TILL_FILE, {"layout": "mapped:till"}),
    "mapped by version with totals": (TILL_FILE, {"layout": "mapped:till@1", "expected_rows": 1, "expected_gross_minor": 2_500}),
}
OPENINGS: dict[str, dict[str, Any]] = {
    "each line with its date": {"programme": "stamp-card", "ratio_points": 1, "ratio_units": 2},
    "with everything": {
        "programme": "stamp-card",
        "ratio_points": 3,
        "ratio_units": 2,
        "expires_on": "2018-12-31",
        "file_name": "März 2017.csv",
    },
}
MAPPINGS: dict[str, dict[str, Any]] = {
    "till": TILL_MAPPING,
    "other alphabets": {**TILL_MAPPING, "columns": {**TILL_MAPPING["columns"], "amount": "Betrag in €", "payment_id": "注文"}},
    "with everything": {
        "provider": "Kasse",
        "delimiter": "\t",
        "encoding": "cp1252",
        "decimal_mark": ",",
        "grouping_mark": ".",
        "currency_symbol": "€",
        "amount_style": "major_short",
        "date_format": "%Y-%m-%d %H:%M:%S",
        "time_zone": "+08:00",
        "columns": {"transaction_id": "T", "payment_id": "P", "occurred_at": "D", "amount": "A", "currency": "C", "fee": "F", "net": "N"},
        "skip_lines": 3,
        "trailer": None,
    },
}
# A consent to other points, a veto signed by nobody, an unknown field: nothing is kept of them.
REFUSED_OTHERS = {"authorization", "redemption", "veto", "expiry run", "pause rearming"}
REFERENCE_PREFIXES = ("payment", "refund", "order", "capture", "void", "point-refund")


def collect(folder: Path) -> dict[str, Any]:
    """Everything, in the order of the tables above."""
    return {
        "writes": list(_writes(folder)),
        "purchases": [_purchase(folder, name, body) for name, body in PURCHASES.items()],
        "payment_refunds": [_payment_refund(folder, name, body) for name, body in REFUNDS.items()],
        "payment_files": [_payment_file(folder, name, content, query) for name, (content, query) in FILES.items()],
        "opening_files": [_opening_file(folder, name, query) for name, query in OPENINGS.items()],
        "column_mappings": [_column_mapping(folder, name, definition) for name, definition in MAPPINGS.items()],
        "references": _references(),
        "stored_references": _stored_references(folder),
    }


def hex_of(value: str | bytes) -> str:
    """Hex digits of what a column holds, as text with or without 0x or as bytes."""
    return value.hex() if isinstance(value, bytes) else value.removeprefix("0x").lower()


def _writes(folder: Path) -> Iterator[dict[str, Any]]:
    for name, write in WRITES.items():
        for which, body in (("body", write.body), ("other", write.other)):
            if which == "other" and name in REFUSED_OTHERS:
                continue
            with _ready(folder) as ready:
                yield {"name": f"{name}: {which}", **_sent(ready.coalition, Sent(write.who, "POST", write.path, body(ready)))}
    for name, sent in FURTHER.items():
        with _ready(folder) as ready:
            yield {"name": name, **_sent(ready.coalition, replace(sent, path=_path(ready.coalition, sent.path)))}


def _path(coalition: OfflineCoalition, path: str) -> str:
    """The token of an API key is <its id>.<its secret>."""
    for name, who in (("{key of brand 1}", "brand:1"), ("{key of the auditor}", "auditor")):
        path = path.replace(name, coalition.tokens[who].partition(".")[0])
    return path


def _sent(coalition: OfflineCoalition, sent: Sent) -> dict[str, Any]:
    answer = coalition.call(sent.who, sent.method, sent.path, sent.body, Idempotency_Key="recorded")
    assert answer.status_code in (200, 201, 202), answer.text
    return {"who": sent.who, "method": sent.method, "path": sent.path, "body": sent.body, **_kept(coalition)}


def _kept(coalition: OfflineCoalition) -> dict[str, str]:
    row = _row(coalition, "SELECT principal, content_hash FROM idempotent_requests WHERE idempotency_key = 'recorded'")
    return {"principal": row["principal"], "content_hash": hex_of(row["content_hash"])}


def _purchase(folder: Path, name: str, body: dict[str, Any]) -> dict[str, Any]:
    with _ready(folder) as ready:
        members = {"with a member": ready.shopper.member_id, "with a member in capitals": "0x" + ready.shopper.member_id[2:].upper()}
        body = {**body, "member_id": members[name]} if name in members else body
        kept = _sent(ready.coalition, Sent("brand:1", "POST", "/v1/purchases", body))
        row = _row(ready.coalition, "SELECT content_hash, reference FROM purchases WHERE payment_id = :id", id=body["payment_id"])
        return {
            "name": name,
            "body": body,
            "request_hash": kept["content_hash"],
            "purchase_hash": hex_of(row["content_hash"]),
            "reference": hex_of(row["reference"]),
        }


def _payment_refund(folder: Path, name: str, body: dict[str, Any]) -> dict[str, Any]:
    with _ready(folder) as ready:
        kept = _sent(ready.coalition, Sent("brand:1", "POST", "/v1/payment-refunds", body))
        row = _row(ready.coalition, "SELECT content_hash, reference FROM payment_refunds WHERE refund_id = :id", id=body["refund_id"])
        return {
            "name": name,
            "body": body,
            "request_hash": kept["content_hash"],
            "payment_refund_hash": hex_of(row["content_hash"]),
            "reference": hex_of(row["reference"]),
        }


def _payment_file(folder: Path, name: str, content: bytes, query: dict[str, Any]) -> dict[str, Any]:
    with _ready(folder) as ready:
        saved = ready.coalition.post("brand:1", "/v1/column-mappings", {"name": "till", "definition": TILL_MAPPING})
        assert saved.status_code == 201, saved.text
        answer = send(ready.coalition, "brand:1", content, "recorded", **query)
        assert answer.status_code == 201, answer.text
        row = _row(ready.coalition, "SELECT file_hash, terms, layout FROM payment_files")
        return {
            "name": name,
            "content": content.decode(),
            "query": query,
            **_kept(ready.coalition),
            "file_hash": hex_of(row["file_hash"]),
            "layout": row["layout"],
            "terms": row["terms"],
        }


def _opening_file(folder: Path, name: str, query: dict[str, Any]) -> dict[str, Any]:
    with _ready(folder) as ready:
        content = f"member_id,balance,expires_on\n{ready.shopper.member_id},101,2018-03-31\n"
        headers = {
            "Authorization": f"Bearer {ready.coalition.tokens['brand:1']}",
            "Idempotency-Key": "recorded",
            "Content-Type": "text/csv",
        }
        answer = ready.coalition.client.post("/v1/opening-files", params=query, content=content.encode(), headers=headers)
        assert answer.status_code == 202, answer.text
        row = _row(ready.coalition, "SELECT source FROM opening_files")
        line = _row(ready.coalition, "SELECT reference FROM opening_lines")
        kept = {"source": hex_of(row["source"]), "reference": hex_of(line["reference"])}
        return {"name": name, "content": content, "query": query, **_kept(ready.coalition), **kept}


def _column_mapping(folder: Path, name: str, definition: dict[str, Any]) -> dict[str, Any]:
    with _ready(folder) as ready:
        kept = _sent(ready.coalition, Sent("brand:1", "POST", "/v1/column-mappings", {"name": "m", "definition": definition}))
        row = _row(ready.coalition, "SELECT definition FROM column_mappings")
        return {"name": name, "request_hash": kept["content_hash"], "definition": row["definition"]}


def _references() -> list[dict[str, str]]:
    secrets = (BRAND_1_SECRET, b"\xff" * 32)
    return [
        {"secret": secret.hex(), "prefix": prefix, "id": external_id, "reference": reference(secret, prefix, external_id).hex()}
        for secret in secrets
        for prefix in REFERENCE_PREFIXES
        for external_id in ("a-1", LONG_ID)
    ]


def _stored_references(folder: Path) -> list[dict[str, Any]]:
    """As the operations of each kind carry them, with the ids that they follow from."""
    found = []
    for name in ("purchase", "payment refund", "authorization", "redemption", "capture", "void", "point refund"):
        write = WRITES[name]
        with _ready(folder) as ready:
            body = write.body(ready)
            if name == "purchase":
                body = {**body, "member_id": ready.shopper.member_id}
            before = _row(ready.coalition, "SELECT max(sequence) AS latest FROM operations")["latest"]
            _sent(ready.coalition, Sent(write.who, "POST", write.path, body))
            row = _row(ready.coalition, "SELECT kind, member_id, reservation_id, reference FROM operations WHERE sequence > :at", at=before)
            found.append(
                {"name": name} | {column: value and (value if column == "kind" else hex_of(value)) for column, value in row.items()}
            )
    return found


@contextmanager
def _ready(folder: Path) -> Iterator[Ready]:
    """A coalition of its own in which every write can succeed, always the same."""
    number = len(list(folder.iterdir()))
    (folder / str(number)).mkdir()
    coalition = OfflineCoalition(folder / str(number))
    try:
        ready = make_ready(coalition)
        yield replace(ready, consent=consent(ready.shopper, 60, "order-1", nonce=5))
    finally:
        coalition.close()


def consent(shopper: Shopper, points: int, order_id: str, nonce: int) -> dict[str, Any]:
    """The body of an authorization at brand 1, without the chance in a quote's nonce."""
    deadline = START + 3_600
    keyed = reference(BRAND_1_SECRET, "order", order_id)
    member = MemberId.parse(shopper.member_id)
    digest = consent_digest(DOMAIN, ConsentTerms(member, member, 1, points, points, NO_ORDER, keyed, nonce, deadline))
    proof = shopper.sign("0x" + digest.hex())
    return {
        "order_id": order_id,
        "member_id": shopper.member_id,
        "points": points,
        "discount_minor": points,
        "nonce": nonce,
        "deadline": deadline,
        "proof": proof,
    }


def _row(coalition: OfflineCoalition, statement: str, **values: Any) -> dict[str, Any]:
    with coalition.database.read() as session:
        return dict(session.execute(text(statement), values).mappings().one())
