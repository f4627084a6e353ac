"""What an agent tells another issuer of its sales: to that one alone, in its order, again until it is taken, and without the cart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.bodies.purchases import PaymentRefundBody, PurchaseBody, RefundFailureBody
from gateway.brand_agent import evidence_sender
from gateway.brand_agent.evidence import EvidenceDocument
from gateway.brand_agent.evidence_post import Addressee
from gateway.brand_agent.evidence_sender import EvidenceSender, forget_others, sent_to
from gateway.brand_agent.item import Speaker
from gateway.brand_agent.record_lines import RecordLines
from gateway.brand_agent.statements import Statement, payment_refund, refund_failure, sale
from gateway.brand_agent.till_journal import TillJournal
from gateway.brand_signer.config import BadConfig, Programme
from tests.builders.evidence import ISSUER, KEY, MEMBER, SELLER, THIRD
from tests.builders.listening import TAKEN, Answered, Listener, listening
from tests.builders.publishers import DOMAIN
from tests.gateway.brand_agent.conftest import WHEN
from tests.gateway.brand_agent.test_evidence import issuer

LINES = [{"category": "tea", "amount_minor": 1_000}]
PROGRAMME = Programme((), False, 12, 0, 31)


@dataclass
class Seller:
    """Brand 1's journal, without tills or a gateway."""

    journal: TillJournal
    lines: RecordLines = field(default_factory=lambda: RecordLines(b"\x01" * 32))
    senders: list[EvidenceSender] = field(default_factory=list)

    def sells(self, payment_id: str, gross_minor: int = 1_000, **changes: Any) -> None:
        what = {"payment_id": payment_id, "member_id": MEMBER, "currency": "USD", "gross_minor": gross_minor, **WHEN}
        self._told(sale(PurchaseBody.model_validate(what | changes), SELLER, None))

    def refunds(self, refund_id: str, payment_id: str, amount_minor: int) -> None:
        what = {"refund_id": refund_id, "payment_id": payment_id, "amount_minor": amount_minor, **WHEN}
        self._told(payment_refund(PaymentRefundBody.model_validate(what)))

    def fails(self, refund_id: str) -> None:
        body = RefundFailureBody.model_validate({"occurred_at": "2017-03-15T12:00:00Z"})
        self._told(self.journal.write(lambda connection: refund_failure(refund_id, body, connection)))

    def sender(self, listener: Listener, brand_id: int = ISSUER, lines_consent: str | None = None) -> EvidenceSender:
        """One that is turned by hand, as after a start of the agent."""
        to = Addressee(brand_id, listener.url, lambda: "a-token", None, lines_consent)
        found = EvidenceSender(to, KEY, self.journal, DOMAIN, SELLER)
        self.journal.write(lambda connection: forget_others(connection, [brand_id]))
        self.senders.append(found)
        found.begin()
        return found

    def standing(self, brand_id: int = ISSUER) -> tuple[int, int, str | None]:
        """(waiting, refused, the last reason)."""
        found = self.journal.write(lambda connection: sent_to(connection, brand_id))
        return found["waiting"], found["refused"], found["refused_last"]

    def _told(self, statement: Statement) -> None:
        self.journal.write(lambda connection: statement.keep(connection, self.lines, Speaker("till-1", None), 0))


@pytest.fixture
def seller(tmp_path: Path) -> Iterator[Seller]:
    with closing(TillJournal(tmp_path / "agent.sqlite", DOMAIN, SELLER)) as journal:
        found = Seller(journal)
        yield found
        for sender in found.senders:
            sender.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found


def documents(listener: Listener) -> list[EvidenceDocument]:
    return [EvidenceDocument.parse(json.loads(body)["document"]) for body in listener.bodies]


def all_told(sender: EvidenceSender, monkeypatch: pytest.MonkeyPatch, turns: int = 6) -> None:
    """What waits for a while is told at once."""
    monkeypatch.setattr(evidence_sender, "_LONGEST_PAUSE", 0)
    for _ in range(turns):
        sender.turn()


def test_a_sale_is_told_to_its_addressee_with_its_money_and_nothing_of_the_cart(seller: Seller, listener: Listener) -> None:
    sender = seller.sender(listener)
    seller.sells("p-1", 3_000, paid_with_points_minor=1_000, tax_minor=200, lines=LINES, store="north")
    assert seller.standing()[0] == 1
    sender.turn()
    [told] = documents(listener)
    assert (told.sold_by, told.addressee, told.chain_id, told.contract) == (1, 2, DOMAIN.chain_id, str(DOMAIN.verifying_contract))
    assert (told.kind, told.id, told.payment_id, told.member_id, told.currency) == ("sale", "p-1", "p-1", MEMBER, "USD")
    assert (told.amount_minor, told.occurred_at, told.lines, told.consent) == (2_000, 1_489_572_000, (), None)
    assert told.is_signed_by(KEY.address, bytes.fromhex(json.loads(listener.bodies[0])["signature"][2:]), DOMAIN)
    assert listener.headers[0]["Authorization"] == "Bearer a-token"
    assert not {"tea", "north", "200"} & set(json.loads(told.text()).values())
    assert seller.standing() == (0, 0, None)


def test_what_has_no_member_or_no_money_is_not_told_nor_what_follows_it(seller: Seller, listener: Listener) -> None:
    sender = seller.sender(listener)
    seller.sells("p-1", member_id=None)
    seller.refunds("b-1", "p-1", 100)
    seller.sells("p-2", 1_000, paid_with_points_minor=1_000)
    for _ in range(3):
        sender.turn()
    assert (listener.bodies, seller.standing()) == ([], (0, 0, None))


def test_what_follows_a_sale_is_told_after_it_in_whichever_order_tills_say_it(
    seller: Seller, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = seller.sender(listener)
    seller.refunds("b-1", "p-1", 300)
    all_told(sender, monkeypatch, 1)
    assert listener.bodies == []
    seller.fails("b-1")
    seller.sells("p-1")
    seller.refunds("b-2", "p-1", 700)
    all_told(sender, monkeypatch)
    told = documents(listener)
    assert [(one.kind, one.id, one.payment_id, one.amount_minor) for one in told] == [
        ("sale", "p-1", "p-1", 1_000),
        ("payment_refund", "b-1", "p-1", 300),
        ("refund_failure", "b-1", "p-1", 300),
        ("payment_refund", "b-2", "p-1", 700),
    ]


def test_what_waits_of_one_payment_delays_no_other(seller: Seller, listener: Listener) -> None:
    sender = seller.sender(listener)
    listener.answer = lambda: (503, {}, b'{"code": "not_yet"}') if b"p-1" in listener.bodies[-1] else TAKEN
    for number in (1, 2):
        seller.sells(f"p-{number}")
        seller.refunds(f"b-{number}", f"p-{number}", 100)
    for _ in range(4):
        sender.turn()
    assert [one.id for one in documents(listener)] == ["p-1", "p-2", "b-2"]
    assert sender.troubles.since is None
    assert seller.standing()[0] == 2


def test_what_is_refused_for_good_is_told_once_and_what_follows_it_never(seller: Seller, listener: Listener) -> None:
    sender = seller.sender(listener)
    listener.answer = lambda: (
        (409, {}, b'{"type": "urn:splittally:problem:over_budget", "status": 409, "code": "over_budget"}')
        if b"p-1" in listener.bodies[-1]
        else TAKEN
    )
    seller.sells("p-1")
    seller.refunds("b-1", "p-1", 100)
    seller.sells("p-2")
    for _ in range(4):
        sender.turn()
    assert [one.id for one in documents(listener)] == ["p-1", "p-2"]
    assert seller.standing() == (0, 1, "over_budget")


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b"{}"),
        (503, {}, b'{"code": "journal_unwritable"}'),
        (401, {}, b'{"code": "not_authenticated"}'),
        (403, {}, b'{"code": "wrong_signature"}'),
        (404, {}, b""),
        (422, {}, b"<html>no such form</html>"),
        (409, {}, b'{"code": "over_budget"}'),
        (200, {}, b"<html>welcome</html>"),
        (200, {}, b'{"status": "ok"}'),
        (302, {"Location": "http://127.0.0.1:1/"}, b""),
        (202, {"Content-Encoding": "gzip"}, b"\x1f\x8b"),
        (202, {}, b"x" * 70_000),
        (503, {}, b'{"code": ' + b"[" * 50_000),
        (204, {}, b""),
    ],
)
def test_whatever_else_is_answered_is_no_taking_and_it_is_told_again_to_the_byte(
    seller: Seller, listener: Listener, monkeypatch: pytest.MonkeyPatch, answer: Answered
) -> None:
    sender = seller.sender(listener)
    listener.answer = lambda: answer
    seller.sells("p-1")
    all_told(sender, monkeypatch, 2)
    assert sender.troubles.since is not None
    assert sender.troubles.reason
    assert seller.standing()[0] == 1
    listener.answer = lambda: TAKEN
    all_told(sender, monkeypatch, 2)
    assert sender.troubles.since is None
    assert (len(listener.bodies), len(set(listener.bodies)), seller.standing()[0]) == (3, 1, 0)


def test_nobody_is_told_who_is_not_named_and_nobody_of_the_time_before(seller: Seller, listener: Listener) -> None:
    seller.sells("before")
    sender = seller.sender(listener)
    seller.refunds("before-b", "before", 100)
    seller.sells("p-1")
    with listening() as third:
        other = seller.sender(third, THIRD)  # brand 2 is named no more
        seller.sells("p-2")
        for _ in range(2):
            other.turn()
        assert [(one.id, one.addressee) for one in documents(third)] == [("p-2", THIRD)]
    sender = seller.sender(listener)
    seller.sells("p-3")
    for _ in range(2):
        sender.turn()
    assert {one.id for one in documents(listener)} == {"p-3"}


def test_what_a_brand_was_told_itself_it_tells_nobody(seller: Seller, listener: Listener) -> None:
    sender = seller.sender(listener)
    seller.sells("evidence:3:p-1")
    seller.refunds("evidence:3:b-1", "evidence:3:p-1", 100)
    seller.sells("p-1")
    for _ in range(3):
        sender.turn()
    assert [one.id for one in documents(listener)] == ["p-1"]
    assert seller.standing()[0] == 0


def test_cart_lines_go_along_only_where_the_settings_name_the_consent(seller: Seller, listener: Listener) -> None:
    sender = seller.sender(listener, lines_consent="programme terms 4.2")
    seller.sells("p-1", lines=LINES)
    seller.sells("p-2")
    seller.refunds("b-1", "p-1", 100)
    seller.sells("p-3", lines=[{"category": "茶" * 80, "amount_minor": 1}] * 200)  # more than evidence may say
    for _ in range(3):
        sender.turn()
    told = {one.id: (one.consent, len(one.lines)) for one in documents(listener)}
    assert told == {"p-1": ("programme terms 4.2", 1), "p-2": (None, 0), "b-1": (None, 0), "p-3": (None, 0)}


def test_a_thread_that_found_nobody_for_days_still_tries(seller: Seller, listener: Listener) -> None:
    sender = seller.sender(listener)
    sender.troubles = evidence_sender.Troubles(1.0, "away", 100_000)
    seller.sells("p-1")
    assert sender.pause_after(is_busy=False) <= 60
    assert sender.turn()
    assert sender.troubles.failures == 0


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"to": [{"brand_id": 1, "url": "ftp://x", "token": "t"}]}, "url"),
        ({"to": [{"brand_id": ISSUER, "url": "http://x", "token": "t"}]}, "to must name each brand once"),
        ({"to": [{"brand_id": 1, "url": "http://x", "token": "t"}] * 2}, "to must name each brand once"),
        ({"to": [{"brand_id": 1, "url": "http://x", "token": "t", "lines_consent": ""}]}, "lines_consent"),
        ({"to": [{"brand_id": 1, "url": "http://x", "token": "t", "ca": "none.pem"}]}, "ca is for a url with https"),
        ({"to": [{"brand_id": 1, "url": "http://x"}]}, "token"),
        ({"lines": True}, "lines is no setting"),
        ({"to": [], "key": {}}, "key must name a credential or a command"),
    ],
)
def test_an_evidence_section_that_cannot_be_is_named(tmp_path: Path, section: dict[str, Any], named: str) -> None:
    agent = {"gateway_url": "http://127.0.0.1:1", "evidence": section}
    with pytest.raises(BadConfig, match=named), issuer(tmp_path, agent=agent):
        pass
