"""Stripe's payout reconciliation report: by column name, exact amounts, errors by line."""

from datetime import UTC, date, timedelta, timezone

import pytest

from gateway.payments.formats.stripe_payout_reconciliation import StripeOptions, read_stripe_report
from gateway.payments.record import RecordKind, UnusableFile

COLUMNS = (
    "balance_transaction_id,created,available_on,currency,gross,fee,net,reporting_category,source_id,automatic_payout_id,"
    "customer_facing_amount,payment_metadata[order_reference]"
)
NEW_YORK_WINTER = StripeOptions(timezone(timedelta(hours=-5)))


def row(
    number, *, created="2019-03-01 15:00:00", currency="usd", gross="12.30", fee="0.66", net="11.64", kind="charge", order="A-1", source=""
):
    return f"txn_{number},{created},2019-03-04 00:00:00,{currency},{gross},{fee},{net},{kind},{source or f'ch_{number}'},po_9,12.30,{order}"


def report(*rows, columns=COLUMNS):
    return "\r\n".join([columns, *rows, ""]).encode()


def test_a_charge_is_read_in_minor_units_with_its_reference():
    read = read_stripe_report(report(row(1)), NEW_YORK_WINTER)
    (record,) = read.records
    assert read.errors == ()
    assert (record.kind, record.provider_record_id, record.payment_id, record.payout_id) == (RecordKind.CHARGE, "txn_1", "A-1", "po_9")
    assert (record.gross_minor, record.fee_minor, record.net_minor, record.currency) == (1230, 66, 1164, "USD")
    assert (record.line_number, record.occurred_at, record.refund_id) == (2, "2019-03-01T15:00:00+00:00", None)


def test_columns_may_come_in_any_order_and_with_others_between_them():
    names = COLUMNS.split(",")
    turned = [",".join(reversed(line.split(","))) for line in (COLUMNS, row(1))]
    assert (
        read_stripe_report("\n".join(turned).encode(), NEW_YORK_WINTER).records
        == read_stripe_report(report(row(1)), NEW_YORK_WINTER).records
    )
    assert len(names) == 12


@pytest.mark.parametrize(
    ("created", "zone", "business_date"),
    [
        ("2019-03-01 04:59:59", UTC, date(2019, 2, 28)),
        ("2019-03-01 05:00:00", UTC, date(2019, 3, 1)),
        ("2019-03-01 00:00:00", timezone(timedelta(hours=-5)), date(2019, 3, 1)),
        ("2019-03-01T23:59", timezone(timedelta(hours=-5)), date(2019, 3, 1)),
    ],
)
def test_the_business_date_is_that_of_the_coalitions_time_zone(created, zone, business_date):
    options = StripeOptions(timezone(timedelta(hours=-5)), time_zone=zone)
    assert read_stripe_report(report(row(1, created=created)), options).records[0].business_date == business_date


def test_created_utc_is_utc_whatever_zone_the_report_was_asked_for():
    content = report(row(1, created="2019-03-01 05:00:00"), columns=COLUMNS.replace("created", "created_utc"))
    options = StripeOptions(timezone(timedelta(hours=-5)), time_zone=timezone(timedelta(hours=9)))
    assert read_stripe_report(content, options).records[0].business_date == date(2019, 3, 1)


def test_a_refund_keeps_the_id_of_the_refund_and_a_payout_that_of_the_payout():
    content = report(
        row(1, gross="-5.00", fee="0.00", net="-5.00", kind="refund", source="re_1"),
        row(2, gross="-6.64", fee="0.00", net="-6.64", kind="payout", source="po_9", order="").replace(",po_9,12.30", ",,12.30"),
    )
    refund, payout = read_stripe_report(content, NEW_YORK_WINTER).records
    assert (refund.kind, refund.refund_id, refund.gross_minor) == (RecordKind.REFUND, "re_1", -500)
    assert (payout.kind, payout.payout_id, payout.payment_id) == (RecordKind.PAYOUT, "po_9", None)


def test_yen_have_no_decimals():
    read = read_stripe_report(report(row(1, currency="jpy", gross="1230", fee="66", net="1164")), NEW_YORK_WINTER)
    assert read.records[0].gross_minor == 1230


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (row(7, gross="12345.6"), "1 decimals, USD has 2"),
        (row(7, gross="123456000"), "0 decimals, USD has 2"),
        (row(7, currency="jpy"), "2 decimals, JPY has 0"),
        (row(7, currency="zzz"), "unknown currency"),
        (row(7, net="11.65"), "is not net"),
        (row(7, created="2019-11-31 10:00:00"), "not a date of the calendar"),
        (row(7, created="31/10/2019"), "not a time"),
        (row(7, created="2019-03-01T15:00:00+09:00"), "not a time"),
        (row(7, gross="-12.30", net="-12.96"), "negative amount"),
        (row(7, kind="refund"), "positive amount"),
        (row(7, kind=""), "reporting_category is empty"),
        (row(7).replace("txn_7", " "), "balance_transaction_id is empty"),
        (row(7).replace("txn_7", "t" * 129), "longer than 128"),
        (row(7).replace("txn_7", "t\0"), "NUL"),
        (row(7) + ",surplus", "13 fields where the header has 12"),
        ("txn_7,only,three", "3 fields"),
        (row(7, order="x" * 5000), "5000 characters"),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_the_good_ones_around_it_are_kept(bad, says):
    read = read_stripe_report(report(row(1), bad, row(3)), NEW_YORK_WINTER)
    assert [record.provider_record_id for record in read.records] == ["txn_1", "txn_3"]
    (error,) = read.errors
    assert error.line_number == 3
    assert says in error.reason


def test_quoted_line_ends_do_not_shift_the_numbers():
    content = report(row(1, order='"A\r\n-\n1"'), row(2), row(3, gross="x"))
    read = read_stripe_report(content, NEW_YORK_WINTER)
    assert [error.line_number for error in read.errors] == [2, 6]
    assert [record.line_number for record in read.records] == [5]


def test_a_byte_order_mark_and_blank_lines_are_nothing():
    assert len(read_stripe_report(b"\xef\xbb\xbf" + report(row(1), "", row(2)), NEW_YORK_WINTER).records) == 2


def test_identical_rows_are_both_kept():
    assert len(read_stripe_report(report(row(1), row(1)), NEW_YORK_WINTER).records) == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "unknown_layout"),
        (b"\r\n\r\n", "unknown_layout"),
        (report(row(1), columns=COLUMNS.replace("gross", "amount")), "unknown_layout"),
        (report(row(1), columns=COLUMNS.replace("created", "made")), "unknown_layout"),
        (report(row(1), columns=COLUMNS.replace("[order_reference]", "[order_id]")), "unknown_layout"),
        (report(row(1), columns=COLUMNS.replace("available_on", "gross")), "unknown_layout"),
        (report(row(1)).replace(b",", b";"), "unknown_layout"),
        (report(row(1), row(2, order='"never closed'), row(3)), "unreadable"),
        (report(row(1), row(2, order="caf\u00e9")).replace("é".encode(), b"\xe9"), "unreadable"),
        (report(row(1)).decode().encode("utf-16"), "unreadable"),
    ],
)
def test_a_file_of_another_layout_is_refused_whole(content, code):
    with pytest.raises(UnusableFile) as refused:
        read_stripe_report(content, NEW_YORK_WINTER)
    assert refused.value.code == code


def test_a_header_alone_is_a_file_without_rows():
    assert read_stripe_report(report(), NEW_YORK_WINTER).row_count == 0


def test_the_reference_may_stand_in_another_metadata_column():
    content = report(row(1), columns=COLUMNS.replace("[order_reference]", "[receipt]"))
    options = StripeOptions(UTC, reference_column="payment_metadata[receipt]")
    assert read_stripe_report(content, options).records[0].payment_id == "A-1"
