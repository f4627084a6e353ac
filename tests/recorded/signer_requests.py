"""What a signer is sent for entries of every kind, with its answers, and what the reference signer answers to all else.

The gateway's side is the real API, packing and HTTP client; the signer's side the real books, journal and server. The ledger between
rounds is written by hand.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select, text

from gateway.brand_signer.books import Books
from gateway.brand_signer.config import Programme
from gateway.brand_signer.journal import Journal
from gateway.brand_signer.json_server import BODY_BYTES_MAX, serve_on
from gateway.brand_signer.key import Key
from gateway.brand_signer.register_writer import (
    RegisterWriter,
    capture_record,
    order_record,
    point_refund_record,
    refund_record,
    sale_record,
    void_record,
)
from gateway.brand_signer.routes import PUBLIC, routes_of
from gateway.brand_signer.sales_register import FileRegister
from gateway.brand_signer.sign_batch import BatchRequest, BatchSigner
from gateway.brands.http_signer import HttpSigner
from gateway.brands.signers import SqlSignersDirectory
from gateway.coalition.rows import SqlCoalition, business_clock
from gateway.foreign.addresses import AddressPolicy
from gateway.ledger.consents import reservation_id_of
from gateway.ledger.entries import Authorize, Opening, Redeem, decode_entry, encode_entry
from gateway.ledger.framing import pack_entries, unpack_entries
from gateway.ledger.lots import lot_id
from gateway.ledger.signing import reference
from gateway.loyalty.rule import EarningRule
from gateway.projection.tables import LedgerEntryRow, LedgerLotRow, LedgerMemberLotRow, LedgerMovementRow, LedgerReservationLotRow
from gateway.purchases.shortfalls import SqlShortfalls
from gateway.rounds.batch_signing import BatchSigning
from gateway.rounds.sequencer import Sequencer
from gateway.rounds.signer_port import Signed, SignerRefusal
from gateway.store.unit_of_work import reading
from gateway.values.calendar import wall_clock
from gateway.values.ids import MemberId, ReservationId
from tests.builders.issues import OPENING_BASIS
from tests.builders.offline_coalition import START, OfflineCoalition, Shopper, purchase_body
from tests.builders.recorded_entries import record_issue
from tests.gateway.brand_signer import brand_books
from tests.gateway.brand_signer.brand_books import BRAND, DEADLINE, EXPIRY_DAY, LATER, MEMBER, OTHER_BRAND, SECRET, STRANGER, batch
from tests.recorded.content_hashes import BRAND_1_SECRET, DOMAIN, consent
from tests.recorded.data_files import exact_json

TOKEN = "t" * 32  # as in brand_body(1)
ON_THE_WIRE = (",", ":")
FROM_THE_SIGNER = (", ", ": ")
MIDDAY = "2017-03-14T12:30:00.250000-05:00"
PROGRAMME = Programme((EarningRule(1, 1, 100, 0, 0),), False, 12, 0, 31)
EXPIRED_DAY = 17_225  # 2017-02-28


def collect(folder: Path) -> dict[str, Any]:
    for name in ("history", "answers"):
        (folder / name).mkdir()
    return {"history": _history(folder / "history"), "answers": list(_answers(folder / "answers"))}


def collect_awards(folder: Path) -> list[dict[str, Any]]:
    """What the reference signer answers where a detail names an award."""
    return list(_award_answers(folder))


# The gateway's requests


@dataclass
class _Between(HTTPServer):
    """Stands between the gateway and the signer and keeps what they say."""

    signer_url: str
    said: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Between

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name: self.headers[name] for name in ("Authorization", "Content-Type")}
        answer = httpx.post(self.server.signer_url + self.path, content=body, headers=headers)
        request = {"path": self.path, "headers": headers, "body": exact_json(body, ON_THE_WIRE)}
        self.server.said.append({"request": request, "answer": _shown(answer)})
        self.send_response(answer.status_code)
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def _history(folder: Path) -> list[dict[str, Any]]:
    """Three rounds of one brand, in which entries of all kinds are signed, and one that the brand's books do not support."""
    coalition = OfflineCoalition(folder)
    till = RegisterWriter(folder / "sales.jsonl")
    books = Books(PROGRAMME, FileRegister(folder / "sales.jsonl", BRAND_1_SECRET), BRAND_1_SECRET, 0, wall_clock)
    journal = Journal(folder / "signed.jsonl", DOMAIN, 1)
    signer = BatchSigner(Key(b"\x01" * 32), DOMAIN, 1, books, journal)
    try:
        with serving(signer, 1, TOKEN) as url, _running(_Between(url)) as between:
            assert isinstance(between, _Between)
            _Rounds(coalition, till, between).all()
            return between.said
    finally:
        journal.close()
        till.close()
        coalition.close()


class _Rounds:
    """The history, round by round."""

    def __init__(self, coalition: OfflineCoalition, till: RegisterWriter, between: _Between) -> None:
        self._coalition, self._till = coalition, till
        coalition.brand(1, signer_url=between.url + "/")
        coalition.brand(2)
        self._earner, self._spender = coalition.shopper(1), coalition.shopper(2)
        with reading(coalition.database, business_clock()) as work:
            facts = work.of(SqlCoalition).facts
        nothing_is_sent: Any = None
        ends = SqlShortfalls()
        self._sequencer = Sequencer(coalition.database, nothing_is_sent, facts, 3_600, lambda: START, ends=ends)
        signers = SqlSignersDirectory()
        self._signing = BatchSigning(coalition.database, nothing_is_sent, facts, lambda: START, 3_600, 0, signers=signers, ends=ends)

    def all(self) -> None:
        self._sell("sale-1", self._earner, 12_000, tax_minor=500, paid_with_points_minor=1_000)
        self._sell("sale-2", self._spender, 15_000, occurred_at=MIDDAY, business_date="2017-03-14", lines=[])
        self._round()
        self._issued("sale-1", self._earner, 105)
        self._issued("sale-2", self._spender, 150)
        self._coalition.put_points(self._spender.member_id, 200, brand_id=2, months=6)
        self._refund("refund-1", "sale-1", 5_500)
        opened, to_void, redeemed = (
            self._redeem(kind, order_id, points, nonce)
            for kind, order_id, points, nonce in (
                ("authorizations", "order-1", 220, 1),
                ("authorizations", "order-2", 40, 2),
                ("redemptions", "order-3", 60, 3),
            )
        )
        self._reserved(self._round())
        self._till.append([capture_record("capture-1", "order-1", self._spender.member_id, 210)])
        self._post(f"/v1/authorizations/{opened}/capture", {"capture_id": "capture-1", "points": 210})
        self._till.append([void_record("void-1", "order-2", self._spender.member_id)])
        self._post(f"/v1/authorizations/{to_void}/void", {"void_id": "void-1"})
        self._till.append([point_refund_record("point-refund-1", "order-3", self._spender.member_id, 25)])
        self._post(f"/v1/authorizations/{redeemed}/point-refunds", {"point_refund_id": "point-refund-1", "points": 25})
        self._expired(self._earner, 30)
        assert self._coalition.post("operator", "/v1/expiry-runs", {}).status_code in (201, 202)
        self._round()
        self._sell("sale-3", self._earner, 1_000, till=False)
        self._round(refused={0: "unknown_sale"})

    def _sell(self, payment_id: str, shopper: Shopper, gross_minor: int, till: bool = True, **changes: Any) -> None:
        body = purchase_body(payment_id, member_id=shopper.member_id, gross_minor=gross_minor, **changes)
        self._post("/v1/purchases", body)
        if till:
            at = datetime.fromisoformat(body["occurred_at"])
            tax, with_points = body["tax_minor"], body["paid_with_points_minor"]
            self._till.append([sale_record(payment_id, shopper.member_id, at, gross_minor, tax, with_points)])

    def _refund(self, refund_id: str, payment_id: str, amount_minor: int) -> None:
        self._till.append([refund_record(refund_id, payment_id, amount_minor)])
        body = {"refund_id": refund_id, "payment_id": payment_id, "amount_minor": amount_minor, "business_date": "2017-03-15"}
        self._post("/v1/payment-refunds", {**body, "occurred_at": "2017-03-15T02:00:00+00:00"})

    def _redeem(self, kind: str, order_id: str, points: int, nonce: int) -> str:
        self._till.append([order_record(order_id, self._spender.member_id, points, one_step=kind == "redemptions")])
        self._post(f"/v1/{kind}", consent(self._spender, points, order_id, nonce))
        with self._coalition.database.read() as session:
            found = session.execute(text("SELECT reservation_id FROM operations ORDER BY sequence DESC LIMIT 1")).scalar_one()
        return str(ReservationId(found))

    def _post(self, path: str, body: Any) -> None:
        answer = self._coalition.post("brand:1", path, body)
        assert answer.status_code == 202, answer.text

    def _round(self, refused: dict[int, str] | None = None) -> list[bytes]:
        """Packs what is accepted and has it signed; the entries."""
        packed = self._sequencer.pack()
        assert (len(packed.batches), packed.refused, packed.deferred) == (1, [], 0), packed
        (unsigned,) = self._signing.unsigned()
        client = HttpSigner(10.0, AddressPolicy(loopback=True))
        try:
            answer = client.sign(unsigned.signer, unsigned.request)
        finally:
            client.close()
        assert isinstance(answer, Signed) if refused is None else answer == SignerRefusal(refused), answer
        with self._coalition.database.write() as session:
            session.execute(text(f"UPDATE operations SET status = 'confirmed', finished_at = {START} WHERE status = 'packed'"))
            session.execute(text("UPDATE batches SET status = 'recorded'"))
        return unpack_entries(unsigned.request.entries)

    # What the follower would have read

    def _issued(self, payment_id: str, shopper: Shopper, points: int) -> None:
        record_issue(self._coalition, payment_id)
        lot = self._coalition.put_points(shopper.member_id, points)
        keyed = reference(BRAND_1_SECRET, "payment", payment_id)
        with self._coalition.database.write() as session:
            entry = session.scalars(select(LedgerEntryRow).where(LedgerEntryRow.reference == keyed)).one()
            moved = {"held_delta": points, "reserved_delta": 0}
            session.add(LedgerMovementRow(position=entry.position, member_id=MemberId.parse(shopper.member_id), lot_id=lot, **moved))

    def _reserved(self, entries: list[bytes]) -> None:
        """Reservations with their lots; what they hold is held back, what was redeemed is gone."""
        for entry in map(decode_entry, entries):
            if not isinstance(entry, Authorize | Redeem):
                continue
            done = isinstance(entry, Redeem)
            reservation_id = reservation_id_of(DOMAIN, 1, entry)
            changes = {"status": "captured", "captured": entry.points} if done else {}
            self._coalition.put_reservation(str(reservation_id), str(entry.member), 1, entry.points, **changes)
            with self._coalition.database.write() as session:
                for line in entry.lines:
                    points = {"reserved": line.points, "captured": line.points if done else 0, "refunded": 0, "discount_minor": line.points}
                    session.add(LedgerReservationLotRow(reservation_id=reservation_id, lot_id=line.lot_id, **points))
                    held = session.get_one(LedgerMemberLotRow, (entry.member, line.lot_id))
                    held.held -= line.points if done else 0
                    held.reserved += 0 if done else line.points

    def _expired(self, shopper: Shopper, points: int) -> None:
        with self._coalition.database.write() as session:
            lot = lot_id(1, EXPIRED_DAY)
            session.add(LedgerMemberLotRow(member_id=MemberId.parse(shopper.member_id), lot_id=lot, held=points, reserved=0))
            amounts = dict.fromkeys(("opened", "clawed_back", "redeemed", "refunded", "expired", "restored", "moved"), 0)
            session.add(LedgerLotRow(lot_id=lot, brand_id=1, expiry_day=EXPIRED_DAY, issued=points, **amounts))


# The reference signer's answers


def _answers(folder: Path) -> Iterator[dict[str, Any]]:
    """Questions to the signer of a brand with a few sales, in this order."""
    brand = brand_books.Brand(folder)
    _fill(brand)
    opened, redeemed = brand_books.reservation_of("o-1", 50), brand_books.reservation_of("o-3", 40)
    good = batch(
        1,
        brand_books.issue("p-1", 9),
        brand_books.authorize("o-1", 50),
        brand_books.authorize("o-unlisted", 20),
        brand_books.authorize("o-3", 40, redeem=True),
        brand_books.capture("c-1", opened, 45),
        brand_books.point_refund("g-1", redeemed, 10),
        brand_books.clawback("r-1", "p-1", 2),
        brand_books.expire(5),
    )
    bad = _bad(opened, redeemed)
    with serving(brand.signer(), BRAND, "token") as url, httpx.Client(base_url=url, headers={"Authorization": "Bearer token"}) as client:

        def ask(name: str, path: str, **given: Any) -> dict[str, Any]:
            return asked_of(client, name, path, **given)

        def sign(name: str, request: BatchRequest, **changes: Any) -> dict[str, Any]:
            return ask(name, "/sign-batch", json={**body_of(request), **changes})

        yield {"name": "health", "path": "/healthz", "answer": _shown(httpx.get(f"{url}/healthz"))}
        yield ask("signed under a number: none", "/signed-batch", json={"number": 1})
        yield sign("a good batch", good)
        yield sign("the same again", good)
        yield sign("the same with another deadline", good, deadline=DEADLINE + 60)
        yield ask("signed under a number", "/signed-batch", json={"number": 1})
        yield sign("a number used for other entries", batch(1, brand_books.issue("p-2", 18)))
        for reason, entered in bad.items():
            yield sign(f"refused: {reason}", batch(2, *entered) if isinstance(entered, list) else entered)
        yield sign("refused: several", batch(2, bad["unknown_sale"][0], brand_books.issue("p-2", 18), bad["wrong_points"][0]))  # type: ignore[index]
        yield sign("another brand's", batch(2, brand_books.issue("p-2", 18), brand=OTHER_BRAND))
        yield sign("no details", batch(2, brand_books.issue("p-2", 18)), details=[])
        for field_name, value in _MALFORMED.items():
            yield sign(f"malformed: {field_name}", batch(2, brand_books.expire(5)), **{field_name: value})
        yield ask("no JSON", "/sign-batch", content=b"{")
        yield ask("no object", "/sign-batch", content=b"[]")
        yield ask("malformed number", "/signed-batch", json={"number": "1"})
        yield ask("no such path", "/elsewhere", json={})
        yield ask("another token", "/sign-batch", json={}, headers={"Authorization": "Bearer wrong"})
        yield ask("no token", "/signed-batch", json={}, headers={"Authorization": ""})
        yield {"name": "too large", "path": "/sign-batch", "answer": _answer_to_too_large(url)}
        with (folder / "sales.jsonl").open("a") as register:
            register.write("no record\n")
        damaged = sign("a damaged register", batch(2, brand_books.issue("p-2", 18)))
        damaged["answer"]["body"]["message"] = damaged["answer"]["body"]["message"].replace(str(folder), "<folder>")
        yield damaged
    brand.close()
    brand.till.close()


def _award_answers(folder: Path) -> Iterator[dict[str, Any]]:
    """Questions to the same brand's signer, in this order; the last is signed."""
    brand = brand_books.Brand(folder)
    _fill(brand)
    asked = {
        "refused: a second award of the brand's own sale": brand_books.award_issue("p-1", 2, 9),
        "refused: an award of another brand's sale": brand_books.award_issue("p-1", 1, 9, sold_by=OTHER_BRAND),
        "refused: a clawback of an award that was not issued": brand_books.award_clawback("r-1", "p-1", 2, 2),
        "refused: an award without a number": (brand_books.issue("p-1", 9)[0], {"kind": "issue", "payment_id": "p-1", "award": {}}),
        "the first award, named": brand_books.award_issue("p-1", 1, 9),
    }
    with serving(brand.signer(), BRAND, "token") as url, httpx.Client(base_url=url, headers={"Authorization": "Bearer token"}) as client:
        for name, entered in asked.items():
            yield asked_of(client, name, "/sign-batch", json=body_of(batch(1, entered)))
    brand.close()
    brand.till.close()


def asked_of(client: httpx.Client, name: str, path: str, **given: Any) -> dict[str, Any]:
    return {"name": name, "path": path, "asked": _asked(given), "answer": _shown(client.post(path, **given))}


def _answer_to_too_large(url: str) -> dict[str, Any]:
    """To a body that is only announced."""
    plain = http.client.HTTPConnection(url.removeprefix("http://"))
    plain.putrequest("POST", "/sign-batch")
    plain.putheader("Authorization", "Bearer token")
    plain.putheader("Content-Length", str(BODY_BYTES_MAX + 1))
    plain.endheaders()
    answer = plain.getresponse()
    try:
        return _shown(httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read()))
    finally:
        plain.close()


_MALFORMED: dict[str, Any] = {
    "brand_id": None,
    "number": -1,
    "deadline": 2**40,
    "entries": "0xabc",
    "details": ["issue"],
}


def _fill(brand: brand_books.Brand) -> None:
    for payment_id, gross_minor in (("p-1", 1_000), ("p-2", 2_000), ("p-3", 3_000)):
        brand.sell(payment_id, gross_minor)
    for refund_id, payment_id in (("r-1", "p-1"), ("r-2", "p-1"), ("r-3", "p-3")):
        brand.refund(refund_id, payment_id, 250)
    for order_id, points in (("o-1", 50), ("o-2", 30), ("o-3", 40)):
        brand.order(order_id, points)
    for order_id, points in (("o-4", 30), ("o-5", 25)):
        brand.order(order_id, points, one_step=False)
    brand.take("c-1", "o-1", 45)
    brand.let_go("v-5", "o-5")
    brand.give_back("g-1", "o-3", 10)
    brand.give_back("g-2", "o-1", 10)
    brand.till.append([{"type": "point_refund", "point_refund_id": "g-earlier", "points": 10}])


def _bad(opened: ReservationId, redeemed: ReservationId) -> dict[str, list[brand_books.Entered] | BatchRequest]:
    """By the reason: an entry that is not signed after the good batch."""
    entry, detail = brand_books.issue("p-2", 18)
    opening = Opening(MEMBER, EXPIRY_DAY, 5, OPENING_BASIS, reference(SECRET, "payment", "p-2"))
    malformed = b"\x01\x02"
    return {
        "already_signed": [brand_books.issue("p-1", 9)],
        "detail_mismatch": [(entry, {"kind": "issue"})],
        "discount_mismatch": [brand_books.capture("c-9", brand_books.reservation_of("o-unlisted", 20), 10, 11)],
        "discount_too_low": [brand_books.authorize("o-2", 30, discount=23)],
        "foreign_lot": [brand_books.clawback("r-2", "p-1", 1, brand=OTHER_BRAND)],
        "lot_not_expired": [brand_books.expire(5, (LATER // 86_400) + 1)],
        "malformed_entry": BatchRequest(BRAND, 2, DEADLINE, pack_entries([malformed]), ({"kind": "issue"},)),
        "not_in_one_step": [brand_books.authorize("o-4", 30, redeem=True)],
        "order_let_go": [brand_books.authorize("o-5", 25)],
        "point_refund_without_order": [brand_books.point_refund("g-earlier", redeemed, 10)],
        "reference_mismatch": [(entry, {"kind": "issue", "payment_id": "p-3"})],
        "reported_late": [brand_books.issue("p-2", 18, expiry_day=EXPIRY_DAY + 61)],
        "reservation_closed": [brand_books.void("v-1", opened, 50)],
        "too_many_points": [brand_books.authorize("o-2", 31)],
        "too_much_clawed_back": [brand_books.clawback("r-2", "p-1", 3)],
        "unknown_capture": [brand_books.authorize("o-4", 30), brand_books.capture("c-9", brand_books.reservation_of("o-4", 30), 30)],
        "unknown_issue": [brand_books.clawback("r-3", "p-3", 1)],
        "unknown_order": [brand_books.authorize("o-9", 21)],
        "unknown_point_refund": [brand_books.point_refund("g-9", redeemed, 21)],
        "unknown_refund": [brand_books.clawback("r-9", "p-1", 1)],
        "unknown_reservation": [brand_books.capture("c-9", ReservationId(b"\x99" * 32), 1)],
        "unknown_sale": [brand_books.issue("p-9", 9)],
        "unknown_opening_file": BatchRequest(
            BRAND,
            2,
            DEADLINE,
            pack_entries([encode_entry(opening)]),
            ({"kind": "opening", "payment_id": "p-2"},),
        ),
        "unknown_void": [brand_books.void("v-9", brand_books.reservation_of("o-unlisted", 20), 20)],
        "wrong_award": [brand_books.award_issue("p-2", 1, 18, basis_award=2)],
        "wrong_decision": [(entry, {**detail, "decision": brand_books.told(brand_books.decided("p-2", 1, 99))})],
        "wrong_expiry": [brand_books.issue("p-2", 18, expiry_day=EXPIRY_DAY - 1)],
        "wrong_member": [brand_books.issue("p-2", 18, member=STRANGER)],
        "wrong_points": [brand_books.issue("p-3", 99)],
        "wrong_reservation": [brand_books.point_refund("g-2", redeemed, 10)],
        "wrong_rule_version": [brand_books.issue("p-2", 18, rule_version=2)],
    }


def body_of(request: BatchRequest) -> dict[str, Any]:
    return {
        "brand_id": request.brand_id,
        "number": request.number,
        "deadline": request.deadline,
        "entries": "0x" + request.entries.hex(),
        "details": list(request.details),
    }


def _asked(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in given.items()}


def _shown(answer: httpx.Response) -> dict[str, Any]:
    return {
        "status": answer.status_code,
        "content_type": answer.headers["Content-Type"],
        "body": exact_json(answer.content, FROM_THE_SIGNER),
    }


@contextmanager
def serving(signer: BatchSigner, brand_id: int, token: str) -> Iterator[str]:
    """The signer's address while it serves in this process."""
    with _running(serve_on("127.0.0.1", 0, token, routes_of(signer, brand_id), PUBLIC)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def _running(server: HTTPServer) -> Iterator[HTTPServer]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
