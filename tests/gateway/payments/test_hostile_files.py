"""Whatever bytes come, a reader answers with rows, line errors or a refusal, and never loses a line in silence."""

import contextlib
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.payments import csv_lines
from gateway.payments.formats.mapped_csv import read_mapped_csv
from gateway.payments.formats.stripe_payout_reconciliation import StripeOptions, read_stripe_report
from gateway.payments.mapping import column_mapping
from gateway.payments.record import UnusableFile

HEADER = "Txn,Order,When,Amount\n"
MAPPING = column_mapping(
    {
        "date_format": "%Y-%m-%d",
        "columns": {"transaction_id": "Txn", "payment_id": "Order", "occurred_at": "When", "amount": "Amount"},
        "currency": "USD",
    },
    name="till",
)


@settings(max_examples=150)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_crash_a_reader(content):
    with contextlib.suppress(UnusableFile):
        read_stripe_report(content, StripeOptions(UTC))
    with contextlib.suppress(UnusableFile):
        read_mapped_csv(HEADER.encode() + content, MAPPING)


@settings(max_examples=150)
@given(st.lists(st.text(st.characters(exclude_characters='"\r\n', exclude_categories=["Cs"]), min_size=1, max_size=30), max_size=20))
def test_every_line_is_either_a_record_or_an_error_with_its_own_number(lines):
    read = read_mapped_csv((HEADER + "\n".join(lines)).encode(), MAPPING)
    numbers = [record.line_number for record in read.records] + [error.line_number for error in read.errors]
    assert sorted(numbers) == list(range(2, len(lines) + 2))


def test_a_field_without_end_is_refused_before_it_fills_the_memory():
    with pytest.raises(UnusableFile, match="no end within bounds"):
        read_mapped_csv((HEADER + '1,"' + "x" * 200_000).encode(), MAPPING)


def test_a_file_above_the_bound_is_not_read(monkeypatch):
    content = (HEADER + "1,A,2019-03-01,1.00\n").encode()
    monkeypatch.setattr(csv_lines, "FILE_BYTES_MAX", len(content))
    assert read_mapped_csv(content, MAPPING).row_count == 1
    with pytest.raises(UnusableFile, match="at most"):
        read_mapped_csv(content + b"\n", MAPPING)


def test_an_error_shows_the_line_short_and_without_control_characters():
    read = read_mapped_csv((HEADER + "1,A\x1b[31m,2019-03-01," + "9" * 1000 + "\n").encode(), MAPPING)
    assert "\x1b" not in read.errors[0].text
    assert len(read.errors[0].text) <= csv_lines.TEXT_SHOWN_MAX
