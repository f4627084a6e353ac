"""A brand's own CSV through its mapping: marks, symbols, signs, encodings, trailers, and what is wrong by line."""

from datetime import date

import pytest

from gateway.payments.formats.mapped_csv import read_mapped_csv
from gateway.payments.mapping import column_mapping
from gateway.payments.record import ControlTotals, RecordKind, UnusableFile, check_control_totals

COLUMNS = {"transaction_id": "Txn", "payment_id": "Order", "occurred_at": "When", "amount": "Amount"}
PLAIN = {"date_format": "%Y-%m-%d %H:%M:%S", "time_zone": "America/New_York", "columns": COLUMNS, "currency": "USD"}
TYPED = PLAIN | {
    "columns": COLUMNS | {"type": "Kind", "fee": "Fee", "payout_id": "Payout", "refund_id": "Refund"},
    "type_values": {"SALE": "charge", "RETURN": "refund", "OUT": "payout", "FEE": "fee"},
}
TYPED_HEADER = "Txn,Order,When,Amount,Kind,Fee,Payout,Refund"


def read(definition, text, encoding="utf-8"):
    return read_mapped_csv(text.encode(encoding), column_mapping(definition, name="till"))


def amounts(definition, *texts):
    rows = "".join(f't{n},o{n},2019-03-01 10:00:00,"{text}"\n' for n, text in enumerate(texts))
    result = read(definition, "Txn,Order,When,Amount\n" + rows)
    return [record.gross_minor for record in result.records], [error.reason for error in result.errors]


def test_without_a_type_column_the_sign_tells_a_refund():
    result = read(PLAIN, "Txn,Order,When,Amount\n1,A,2019-03-01 23:59:59,12.30\n2,A,2019-07-02 00:00:00,-2.30\n")
    charge, refund = result.records
    assert (charge.kind, charge.gross_minor, charge.business_date) == (RecordKind.CHARGE, 1230, date(2019, 3, 1))
    assert (refund.kind, refund.gross_minor, refund.occurred_at) == (RecordKind.REFUND, -230, "2019-07-02T00:00:00-04:00")
    assert charge.provider == "till"


def test_symbols_and_grouping_marks_are_taken_off_exactly():
    style = PLAIN | {"currency_symbol": "$", "grouping_mark": ","}
    assert amounts(style, "$ 1,234.50", "-$5.00", "$-5.00", "5.00 $", "1,234,567.00", "1234.50") == (
        [123450, -500, -500, 500, 123456700, 123450],
        [],
    )


@pytest.mark.parametrize(
    "text", ["1,23.00", "12,3456.00", ",123.00", "1.00,000", "$$5.00", "--5.00", "$", "1 234.00", "12.3", "1234567", "€5.00"]
)
def test_an_amount_that_is_not_written_as_the_mapping_says_is_refused(text):
    kept, errors = amounts(PLAIN | {"currency_symbol": "$", "grouping_mark": ","}, text)
    assert kept == []
    assert len(errors) == 1


def test_a_decimal_comma_is_not_a_grouping_comma():
    style = PLAIN | {"decimal_mark": ",", "grouping_mark": "."}
    assert amounts(style, "1.234,50", "12,30", "1234,50") == ([123450, 1230, 123450], [])
    assert amounts(style, "12.30", "1,234.50")[0] == []
    assert amounts(PLAIN | {"decimal_mark": ","}, "12.30")[0] == []


def test_whole_minor_units_and_short_amounts_only_where_said():
    assert amounts(PLAIN | {"amount_style": "minor"}, "1230", "12.30") == ([1230], ["'12.30' is not a whole number of minor units"])
    assert amounts(PLAIN | {"amount_style": "major_short"}, "12.3", "12", "12.345")[0] == [1230, 1200]


def test_positive_refunds_and_payouts_get_their_sign_from_the_type():
    rows = [
        "1,A,2019-03-01 10:00:00,12.30,SALE,0.30,P1,",
        "2,A,2019-03-01 10:00:00,2.30,RETURN,,P1,R-1",
        "3,,2019-03-02 10:00:00,9.70,OUT,,P1,",
    ]
    result = read(TYPED | {"refund_sign": "positive"}, "\n".join([TYPED_HEADER, *rows, ""]))
    assert result.errors == ()
    assert [(record.kind.value, record.gross_minor, record.net_minor) for record in result.records] == [
        ("charge", 1230, 1200),
        ("refund", -230, -230),
        ("payout", -970, -970),
    ]
    assert [record.refund_id for record in result.records] == [None, "R-1", None]


@pytest.mark.parametrize(
    ("row", "sign", "says"),
    [
        ("1,A,2019-03-01 10:00:00,-2.30,RETURN,,,", "positive", "negative amount"),
        ("1,A,2019-03-01 10:00:00,2.30,RETURN,,,", "negative", "positive amount"),
        ("1,A,2019-03-01 10:00:00,-2.30,SALE,,,", "negative", "negative amount"),
        ("1,A,2019-03-01 10:00:00,2.30,VOID,,,", "negative", "not in the mapping"),
        ("1,A,2019-03-01 10:00:00,2.30,sale,,,", "negative", "not in the mapping"),
        (",A,2019-03-01 10:00:00,2.30,SALE,,,", "negative", "transaction_id is empty"),
        ("1,A,2019-11-31 10:00:00,2.30,SALE,,,", "negative", "not a date"),
        ("1,A,2019-03-01,2.30,SALE,,,", "negative", "not a date"),
        ("1,A,2019-03-01 10:00:00,2.30,SALE,,", "negative", "7 fields"),
        ('1,A,2019-03-01 10:00:00,"2"30,SALE,,,', "negative", "not well-formed"),
    ],
)
def test_a_line_against_the_mapping_is_an_error_with_its_number(row, sign, says):
    good = "9,Z,2019-03-01 10:00:00,1.00,SALE,,,"
    result = read(TYPED | {"refund_sign": sign}, f"{TYPED_HEADER}\n{good}\n{row}\n{good}\n")
    assert [record.line_number for record in result.records] == [2, 4]
    assert [error.line_number for error in result.errors] == [3]
    assert says in result.errors[0].reason


def test_the_currency_may_be_a_column():
    definition = {key: value for key, value in PLAIN.items() if key != "currency"} | {"columns": COLUMNS | {"currency": "Cur"}}
    result = read(definition, "Txn,Order,When,Amount,Cur\n1,A,2019-03-01 10:00:00,12.30,usd\n2,A,2019-03-01 10:00:00,12.30,???\n")
    assert [record.currency for record in result.records] == ["USD"]
    assert "unknown currency" in result.errors[0].reason


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "latin-1"])
def test_the_file_is_decoded_as_the_mapping_says(encoding):
    order = "caf\u00e9" if encoding == "latin-1" else "订单"
    result = read(PLAIN | {"encoding": encoding}, f"Txn,Order,When,Amount\n1,{order},2019-03-01 10:00:00,1.00\n", encoding)
    assert result.records[0].payment_id == order


def test_long_ids_with_a_tab_behind_them_stay_text():
    result = read(PLAIN, "Txn,Order,When,Amount\n2019030122001430311000123456\t,A,2019-03-01 10:00:00,1.00\n")
    assert result.records[0].provider_record_id == "2019030122001430311000123456"


def test_lines_above_the_header_are_skipped_but_counted():
    result = read(PLAIN | {"skip_lines": 2}, "Shop 1\nMarch\nTxn,Order,When,Amount\n1,A,2019-03-01 10:00:00,1.00\n2,A,x,1.00\n")
    assert (result.records[0].line_number, result.errors[0].line_number) == (4, 5)


WITH_TRAILER = PLAIN | {"trailer": {"marker": "TOTAL", "count_field": 1, "sum_field": 2}}
BODY = "Txn,Order,When,Amount\n1,A,2019-03-01 10:00:00,12.30\n2,A,2019-03-01 10:00:00,-2.30\n"


def test_a_trailer_that_agrees_lets_the_file_pass():
    result = read(WITH_TRAILER, BODY + "TOTAL,2,10.00\n")
    check_control_totals(result, ControlTotals())
    assert (result.row_count, result.trailer) == (2, ControlTotals(2, 1000))


@pytest.mark.parametrize(
    "trailer", ["TOTAL,3,10.00\n", "TOTAL,2,10.01\n", "TOTAL,2,-10.00\n", "TOTAL,2\n", "TOTAL,two,10.00\n", "TOTAL,2,10.0\n", ""]
)
def test_a_trailer_that_does_not_agree_or_is_not_there_makes_the_file_unusable(trailer):
    with pytest.raises(UnusableFile) as refused:
        check_control_totals(read(WITH_TRAILER, BODY + trailer), ControlTotals())
    assert refused.value.code == "wrong_control_total"


def test_a_broken_line_still_counts_and_sums_where_its_amount_can_be_read():
    result = read(WITH_TRAILER, BODY + "3,A,2019-11-31 10:00:00,1.00\nTOTAL,3,11.00\n")
    check_control_totals(result, ControlTotals(3, 1100))
    assert len(result.errors) == 1


def test_rows_after_the_trailer_are_errors():
    result = read(WITH_TRAILER, BODY + "TOTAL,2,10.00\n3,A,2019-03-01 10:00:00,1.00\n")
    assert result.errors[0].reason == "a row after the trailer"


@pytest.mark.parametrize("stated", [ControlTotals(1, None), ControlTotals(3, None), ControlTotals(None, 999), ControlTotals(2, 1001)])
def test_the_senders_own_totals_are_held_against_the_file(stated):
    result = read(PLAIN, BODY)
    check_control_totals(result, ControlTotals(2, 1000))
    with pytest.raises(UnusableFile):
        check_control_totals(result, stated)


def test_one_sum_over_two_currencies_is_no_control_total():
    definition = {key: value for key, value in PLAIN.items() if key != "currency"} | {"columns": COLUMNS | {"currency": "Cur"}}
    result = read(definition, "Txn,Order,When,Amount,Cur\n1,A,2019-03-01 10:00:00,1.00,USD\n2,A,2019-03-01 10:00:00,100,JPY\n")
    with pytest.raises(UnusableFile, match="2 currencies"):
        check_control_totals(result, ControlTotals(None, 200))
