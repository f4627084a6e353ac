"""An agent that has a million sales behind it opens at once, and finds each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import perf_counter

import pytest

from gateway.brand_agent.journal_register import JournalRegister
from gateway.brand_agent.outbox import take_back_what_was_sent
from gateway.brand_agent.record_lines import RecordLines
from gateway.brand_agent.till_journal import TillJournal
from gateway.brand_signer.journal import Journal
from gateway.ledger.entries import encode_entry
from gateway.ledger.framing import pack_entries
from gateway.values.ids import Reference
from tests.depth import in_a_soak
from tests.gateway.brand_signer.brand_books import BRAND, DEADLINE, DOMAIN, issue

pytestmark = pytest.mark.deep
COUNT = in_a_soak(1_000_000, 100_000)
IN_A_BATCH = 250
SECONDS = 5


def test_a_journal_of_a_million_sales_opens_without_reading_them(tmp_path: Path) -> None:
    file = tmp_path / "agent.sqlite"
    with closing(TillJournal(file, DOMAIN, BRAND)) as journal:
        sales = ((f"p-{number}", json.dumps({"type": "sale", "payment_id": f"p-{number}"})) for number in range(COUNT))
        journal.write(lambda connection: connection.executemany("INSERT INTO records VALUES ('sale', ?, ?, NULL)", sales))
        items = ((f"p-{number}", f"payment:p-{number}") for number in range(COUNT))
        insert = (
            "INSERT INTO items (kind, external_id, target, body, held, till, journaled_at, state, outcome)"
            " VALUES ('purchase', ?, '', '{}', ?, 'till-1', 0, 'ended', 'confirmed')"
        )
        journal.write(lambda connection: connection.executemany(insert, items))
    begun = perf_counter()
    with closing(TillJournal(file, DOMAIN, BRAND)) as journal:
        register = JournalRegister(journal, RecordLines(b"s" * 32), tmp_path / "sales.jsonl")
        register.refresh()
        journal.write(take_back_what_was_sent)
        register.close()
    took = perf_counter() - begun
    print(f"{COUNT} sales: the agent's journal opens in {took:.3f} s")
    assert took < SECONDS


def test_what_was_signed_of_a_million_sales_opens_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "signed.jsonl"
    Journal(path, DOMAIN, BRAND).close()
    with path.open("a") as stream:
        stream.writelines(_lines())
    taken_over = _opening(path)
    again = _opening(path)
    print(f"{COUNT} issues signed: taken over in {taken_over:.1f} s, opened in {again:.3f} s")
    assert again < SECONDS


def _opening(path: Path) -> float:
    begun = perf_counter()
    with closing(Journal(path, DOMAIN, BRAND)) as journal:
        took = perf_counter() - begun
        last = journal.signed(COUNT // IN_A_BATCH)
        assert last is not None
        assert _reference(COUNT - 1) in journal.state.references
        assert journal.signed(COUNT // IN_A_BATCH + 1) is None
    return took


def _lines() -> Iterator[str]:
    """Batches of one issue after another, each under a reference of its own."""
    one = encode_entry(issue("p-1", 9)[0])
    place = one.index(issue("p-1", 9)[0].reference)  # type: ignore[union-attr]
    for number in range(1, COUNT // IN_A_BATCH + 1):
        first = (number - 1) * IN_A_BATCH
        entries = [one[:place] + _reference(first + index) + one[place + 32 :] for index in range(IN_A_BATCH)]
        batch = {"number": number, "deadline": DEADLINE, "entries": pack_entries(entries).hex(), "signature": "00" * 65}
        yield json.dumps(batch, separators=(",", ":")) + "\n"


def _reference(number: int) -> Reference:
    return Reference((number * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8) + number.to_bytes(24))
