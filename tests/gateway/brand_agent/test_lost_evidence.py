"""What an addressee's agent lost is told it again, and nothing that it still has; it is asked before anything is told after a silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.brand_agent import evidence_memory
from gateway.brand_agent.evidence_sender import EvidenceSender, sent_to
from gateway.brand_agent.till_journal import TillJournal
from tests.builders.evidence import ISSUER, SELLER
from tests.builders.listening import COUNTED, NOT_COUNTED, TAKEN, Answered, Listener, listening
from tests.builders.publishers import DOMAIN
from tests.gateway.brand_agent.test_evidence_sent import Seller, documents


@pytest.fixture
def seller(tmp_path: Path) -> Iterator[Seller]:
    with closing(TillJournal(tmp_path / "agent.sqlite", DOMAIN, SELLER)) as journal:
        found = Seller(journal)
        yield found
        for sender in found.senders:
            sender.close()


@pytest.fixture
def addressee() -> Iterator[Listener]:
    """Its agent, with the ids that it has counted: what it is told and not yet lost."""
    with listening() as found:
        found.is_counted = lambda body: COUNTED if _id(body) in {one.id for one in documents(found)} else NOT_COUNTED
        yield found


def _id(body: bytes) -> str:
    return str(json.loads(json.loads(body)["document"])["id"])


def _quiet(sender: EvidenceSender) -> None:
    while sender.turn():
        pass


def _again(seller: Seller) -> int:
    return int(seller.journal.write(lambda connection: sent_to(connection, ISSUER))["told_again"])


@pytest.fixture
def after_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every moment is one, to who tells something."""
    monkeypatch.setattr(evidence_memory, "_SILENT_SECONDS", -1)


@pytest.mark.usefixtures("after_silence")
def test_an_addressee_that_lost_nothing_is_asked_and_told_nothing_twice(seller: Seller, addressee: Listener) -> None:
    sender = seller.sender(addressee)
    for number in range(5):
        seller.sells(f"p-{number}")
        seller.refunds(f"b-{number}", f"p-{number}", 100)
        _quiet(sender)
    assert (len(addressee.bodies), len(set(addressee.bodies)), _again(seller)) == (10, 10, 0)
    assert len(addressee.asked) >= 4


@pytest.mark.usefixtures("after_silence")
@pytest.mark.parametrize("kept", [0, 5, 11])
def test_what_came_after_its_backup_is_told_again_in_its_order_each_once(seller: Seller, addressee: Listener, kept: int) -> None:
    sender = seller.sender(addressee)
    for number in range(6):
        seller.sells(f"p-{number}")
        seller.refunds(f"b-{number}", f"p-{number}", 100)
        _quiet(sender)
    had = [one.id for one in documents(addressee)]
    assert len(had) == 12
    del addressee.bodies[kept:]
    seller.sells("new")
    _quiet(sender)
    told = [one.id for one in documents(addressee)][kept:]
    assert set(told) >= {*had[kept:], "new"}
    assert len(told) == len(set(told))
    assert all(told.index(f"p-{one[2:]}") < told.index(one) for one in told if one.startswith("b-") and f"p-{one[2:]}" in told)
    assert len(told) <= 2 * (12 - kept) + 1, "little more than it lost"
    assert _again(seller) == len(told) - 1
    assert seller.standing() == (0, 0, None)
    addressee.asked.clear()
    seller.sells("later")
    _quiet(sender)
    assert [one.id for one in documents(addressee)][-1] == "later"
    assert len(addressee.asked) == 1


@pytest.mark.usefixtures("after_silence")
def test_one_that_says_again_and_again_that_it_lost_all_is_told_again_ever_more_seldom(
    seller: Seller, addressee: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_memory, "_TAKEN_BACK_AT_ONCE", 2)  # as if there were more
    moment = [1_000_000.0]
    sender = seller.sender(addressee)
    monkeypatch.setattr(sender._memory, "_clock", lambda: moment[0])
    for number in range(5):
        seller.sells(f"p-{number}")
        _quiet(sender)
    addressee.is_counted = lambda _: NOT_COUNTED
    told = []
    for _ in range(6):
        _quiet(sender)
        seller.sells(f"new-{len(told)}")
        _quiet(sender)
        told.append(len(addressee.bodies))
        moment[0] += 61
    assert told == [11, 17, 17, 25, 25, 25], "after a minute, after two more, and not yet after another two"
    assert "it is told once more in" in str(sender.troubles.reason)


def test_where_nothing_is_sold_it_is_asked_at_the_start_and_once_a_minute(
    seller: Seller, addressee: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = seller.sender(addressee)
    seller.sells("p-1")
    _quiet(sender)
    _quiet(sender)
    assert addressee.asked == []
    sender = seller.sender(addressee)  # as after a start
    _quiet(sender)
    _quiet(sender)
    assert len(addressee.asked) == 1
    addressee.bodies.clear()
    monkeypatch.setattr(evidence_memory, "_SILENT_SECONDS", -1)
    monkeypatch.setattr(evidence_memory, "_ASKED_EVERY_SECONDS", -1)
    assert sender.turn()
    assert sender.turn()
    assert [one.id for one in documents(addressee)] == ["p-1"]


@pytest.mark.usefixtures("after_silence")
@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b"{}"),
        (503, {}, b'{"type": "urn:splittally:problem:overloaded", "status": 503, "code": "overloaded"}'),
        (401, {}, b'{"type": "urn:splittally:problem:not_authenticated", "status": 401, "code": "not_authenticated"}'),
        (404, {}, b"<html>no such page</html>"),
        (200, {}, b'{"counted": "false"}'),
        (202, {}, b'{"state": "journaled"}'),
    ],
)
def test_who_does_not_say_is_told_nothing_until_it_does(seller: Seller, addressee: Listener, answer: Answered) -> None:
    sender = seller.sender(addressee)
    seller.sells("p-1")
    _quiet(sender)
    known, addressee.is_counted = addressee.is_counted, lambda _: answer
    seller.sells("p-2")
    _quiet(sender)
    assert (len(addressee.bodies), seller.standing()[0], sender.troubles.reason is None) == (1, 1, False)
    addressee.is_counted = known
    _quiet(sender)
    assert ([one.id for one in documents(addressee)], sender.troubles.since) == (["p-1", "p-2"], None)


@pytest.mark.usefixtures("after_silence")
def test_an_agent_of_an_earlier_version_is_told_on(seller: Seller, addressee: Listener) -> None:
    gone = b'{"type": "urn:splittally:problem:not_found", "status": 404, "code": "not_found", "detail": "Not Found: docs/brand-agent.md"}'
    addressee.is_counted = lambda _: (404, {}, gone)
    sender = seller.sender(addressee)
    for number in range(3):
        seller.sells(f"p-{number}")
        _quiet(sender)
    assert [one.id for one in documents(addressee)] == ["p-0", "p-1", "p-2"]


@pytest.mark.usefixtures("after_silence")
def test_what_was_refused_for_good_is_not_told_again(seller: Seller, addressee: Listener) -> None:
    sender = seller.sender(addressee)
    refused = b'{"type": "urn:splittally:problem:over_budget", "status": 409, "code": "over_budget"}'
    addressee.answer = lambda: (409, {}, refused) if b"p-1" in addressee.bodies[-1] else TAKEN
    for number in range(3):
        seller.sells(f"p-{number}")
        _quiet(sender)
    addressee.bodies.clear()
    seller.sells("new")
    _quiet(sender)
    assert sorted(one.id for one in documents(addressee)) == ["new", "p-0", "p-2"]
