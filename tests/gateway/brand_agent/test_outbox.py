"""The states of an item, and what holds it back, on a real journal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from gateway.brand_agent.item import Item, ItemKind, ItemState, NewItem, Outcome, Speaker
from gateway.brand_agent.journal_register import JournalRegister
from gateway.brand_agent.outbox import Mark, OtherContent, add, answered, asked, find, mark, take, take_back_what_was_sent
from gateway.brand_agent.parcels import Parcel
from gateway.brand_agent.record_lines import RecordLines
from gateway.brand_agent.till_journal import TillJournal, UnusableJournal
from gateway.brand_signer.register_writer import RegisterWriter, refund_record, sale_record
from gateway.brand_signer.sales_register import DamagedRegister
from tests.gateway.brand_signer.brand_books import BRAND, DOMAIN, MEMBER, SOLD_AT

TILL = Speaker("till-1", None)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[TillJournal]:
    opened = TillJournal(tmp_path / "agent.sqlite", DOMAIN, BRAND)
    yield opened
    opened.close()


def test_an_item_goes_from_journaled_to_ended_and_stays_there(journal: TillJournal) -> None:
    item = _tell(journal, ItemKind.PURCHASE, "p-1", "payment:p-1")
    assert _state(journal, "p-1") is ItemState.JOURNALED
    assert _take(journal) == ["p-1"]
    assert _state(journal, "p-1") is ItemState.SENT
    assert _take(journal) == []
    _mark(journal, Mark(item.sequence, "op-1"))
    assert _state(journal, "p-1") is ItemState.ANSWERED
    _mark(journal, Mark(item.sequence, "op-1", Outcome.CONFIRMED))
    _mark(journal, Mark(item.sequence, "op-1", Outcome.REFUSED, "late"), Mark(item.sequence), Mark(item.sequence, "op-2"))
    ended = journal.write(lambda connection: find(connection, ItemKind.PURCHASE, "p-1"))
    assert ended is not None
    assert (ended.state, ended.outcome, ended.operation_id, ended.reason) == (ItemState.ENDED, Outcome.CONFIRMED, "op-1", None)


def test_the_longer_an_item_waits_the_more_seldom_it_is_asked_about(journal: TillJournal) -> None:
    item = _tell(journal, ItemKind.PURCHASE, "p-1", "payment:p-1")
    _take(journal)
    journal.write(lambda connection: mark(connection, [Mark(item.sequence, "op-1")], 1_000))

    def is_due(now: float) -> bool:
        return journal.write(lambda connection: [one.external_id for one in answered(connection, now, 10)]) == ["p-1"]

    assert is_due(1_000)
    journal.write(lambda connection: asked(connection, [item.sequence], 8_000))
    assert is_due(4_400), "the clock was set back"
    for asked_at, due_at in ((1_002, 1_002.5), (1_100, 1_125), (90_000, 90_030)):
        journal.write(lambda connection, now=asked_at: asked(connection, [item.sequence], now))
        assert not is_due(due_at - 0.1)
        assert is_due(due_at)


def test_a_refund_waits_for_its_own_sale_and_for_no_other(journal: TillJournal) -> None:
    stuck = _tell(journal, ItemKind.PURCHASE, "p-1", "payment:p-1")
    _tell(journal, ItemKind.PAYMENT_REFUND, "b-1", "payment:p-1")
    _tell(journal, ItemKind.PURCHASE, "p-2", "payment:p-2")
    assert _take(journal) == ["p-1", "p-2"]
    assert _take(journal, ItemKind.PAYMENT_REFUND) == []
    _mark(journal, Mark(stuck.sequence, reason="status_500", is_fault=True))
    _tell(journal, ItemKind.PURCHASE, "p-3", "payment:p-3")
    assert _take(journal) == ["p-3"]
    assert _take(journal, ItemKind.PAYMENT_REFUND) == []
    assert _take(journal, troubled=True, now=1) == []  # its pause is not over
    assert _take(journal, troubled=True, now=10) == ["p-1"]
    _mark(journal, Mark(stuck.sequence, "op-1"))
    assert _take(journal, ItemKind.PAYMENT_REFUND) == ["b-1"]


def test_what_was_sent_when_the_process_died_is_the_same_request_again(journal: TillJournal) -> None:
    for number in range(3):
        _tell(journal, ItemKind.PURCHASE, f"p-{number}", f"payment:p-{number}")
    first = journal.write(lambda connection: take(connection, ItemKind.PURCHASE, 0, 1_000, troubled=False))
    journal.write(take_back_what_was_sent)
    second = journal.write(lambda connection: take(connection, ItemKind.PURCHASE, 0, 1_000, troubled=False))
    before, after = Parcel(ItemKind.PURCHASE, first), Parcel(ItemKind.PURCHASE, second)
    assert (before.content, before.idempotency_key) == (after.content, after.idempotency_key)


def test_what_fails_together_goes_again_in_smaller_parcels(journal: TillJournal) -> None:
    items = [_tell(journal, ItemKind.PURCHASE, f"p-{number}", f"payment:p-{number}") for number in range(200)]
    sizes = []
    for now in (0, 100, 1_000, 10_000):
        taken = _take(journal, now=now, troubled=now > 0)
        sizes.append(len(taken))
        _mark(journal, *[Mark(one.sequence, is_fault=True) for one in items if one.external_id in taken])
    assert sizes == [200, 125, 15, 1]


def test_an_id_with_other_content_is_refused_and_leaves_no_trace(journal: TillJournal) -> None:
    _tell(journal, ItemKind.PURCHASE, "p-1", "payment:p-1")
    with pytest.raises(OtherContent):
        _tell(journal, ItemKind.PURCHASE, "p-1", "payment:p-1", body="{}")
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: _tell(journal, ItemKind.PURCHASE, "p-2", "payment:p-2"), range(32)))
    assert len({item.sequence for item in told}) == 1


def test_one_process_at_a_time_has_the_journal_of_its_own_ledger(journal: TillJournal, tmp_path: Path) -> None:
    with pytest.raises(UnusableJournal, match="in use"):
        TillJournal(tmp_path / "agent.sqlite", DOMAIN, BRAND)
    TillJournal(tmp_path / "other.sqlite", DOMAIN, BRAND).close()
    with pytest.raises(UnusableJournal, match="another ledger or brand"):
        TillJournal(tmp_path / "other.sqlite", DOMAIN, BRAND + 1)
    (tmp_path / "text").write_text("no database, whatever its name says\n" * 100)
    with pytest.raises(UnusableJournal, match="no journal of an agent"):
        TillJournal(tmp_path / "text", DOMAIN, BRAND)


def test_a_register_file_is_taken_over_once_and_added_to(journal: TillJournal, tmp_path: Path) -> None:
    file = tmp_path / "sales.jsonl"
    register = JournalRegister(journal, RecordLines(b"s" * 32), file)
    register.refresh()
    till = RegisterWriter(file)
    till.append([sale_record("p-1", str(MEMBER), SOLD_AT, 1_000, 0, 0), refund_record("b-1", "p-1", 10)])
    register.refresh()
    till.append([sale_record("p-1", str(MEMBER), SOLD_AT, 1_000, 0, 0), refund_record("b-2", "p-1", 20)])
    register.refresh()
    sale = register.sale("p-1")
    assert sale is not None
    assert (sale.gross_minor, sorted(register.refunds("p-1"))) == (1_000, ["b-1", "b-2"])
    assert register.sale("p-2") is None
    till.append([sale_record("p-1", str(MEMBER), SOLD_AT, 999, 0, 0)])
    with pytest.raises(DamagedRegister, match="other content"):
        register.refresh()
    till.close()
    register.close()


def _tell(journal: TillJournal, kind: ItemKind, external_id: str, held: str, body: str | None = None) -> Item:
    said = body or json.dumps({"id": external_id})
    new = NewItem(kind, external_id, "", said, held)
    return journal.write(lambda connection: add(connection, new, TILL, 0, lambda known: known == said))[0]


def _take(journal: TillJournal, kind: ItemKind = ItemKind.PURCHASE, *, now: float = 0, troubled: bool = False) -> list[str]:
    items = journal.write(lambda connection: take(connection, kind, now, 1_000, troubled=troubled))
    return [item.external_id for item in items]


def _mark(journal: TillJournal, *marks: Mark) -> None:
    journal.write(lambda connection: mark(connection, marks, 0))


def _state(journal: TillJournal, external_id: str) -> ItemState | None:
    found = journal.write(lambda connection: find(connection, ItemKind.PURCHASE, external_id))
    return None if found is None else found.state


def test_a_journal_of_an_earlier_version_is_opened_as_it_is(tmp_path: Path) -> None:
    with closing(TillJournal(tmp_path / "agent.sqlite", DOMAIN, BRAND)) as journal:
        _mark(journal, Mark(_tell(journal, ItemKind.PURCHASE, "p-1", "payment:p-1").sequence, outcome=Outcome.CONFIRMED))
    with closing(sqlite3.connect(tmp_path / "agent.sqlite")) as earlier:
        for name in ("items_answered_at", "orders_accepted_at"):
            earlier.execute(f"DROP INDEX {name}")
        for table, column in (("items", "answered_at"), ("orders", "accepted_at"), ("orders", "asked_by")):
            earlier.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        earlier.commit()
    with closing(TillJournal(tmp_path / "agent.sqlite", DOMAIN, BRAND)) as journal:
        assert _state(journal, "p-1") is ItemState.ENDED
        _tell(journal, ItemKind.PURCHASE, "p-2", "payment:p-2")
        assert _take(journal) == ["p-2"]
