"""A column mapping is checked in full when it is saved."""

import pytest

from gateway.payments.mapping import column_mapping
from gateway.payments.record import RecordKind
from gateway.values.errors import Invalid

GOOD = {
    "delimiter": ";",
    "encoding": "latin-1",
    "decimal_mark": ",",
    "grouping_mark": ".",
    "date_format": "%d.%m.%Y %H:%M:%S",
    "time_zone": "Europe/Berlin",
    "columns": {"transaction_id": "Nr", "payment_id": "Bon", "occurred_at": "Zeit", "amount": "Betrag", "type": "Art"},
    "currency": "EUR",
    "type_values": {"VERKAUF": "charge", "STORNO": "refund"},
    "refund_sign": "positive",
    "trailer": {"marker": "SUMME", "count_field": 1, "sum_field": 2},
}


def changed(**changes):
    return {key: value for key, value in (GOOD | changes).items() if value is not ...}


def test_a_whole_mapping_is_understood():
    mapping = column_mapping(GOOD, name="till")
    assert (mapping.provider, mapping.currency, mapping.type_values["STORNO"]) == ("till", "EUR", RecordKind.REFUND)
    assert mapping.trailer is not None
    assert mapping.trailer.sum_field == 2


def test_what_is_not_named_has_the_plainest_meaning():
    short = {
        "date_format": "%Y-%m-%d",
        "columns": {k: k for k in ("transaction_id", "payment_id", "occurred_at", "amount")},
        "currency": "USD",
    }
    mapping = column_mapping(short, name="till")
    assert (mapping.delimiter, mapping.encoding, mapping.decimal_mark, mapping.time_zone, mapping.amount_style) == (
        ",",
        "utf-8",
        ".",
        "UTC",
        "major",
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"colour": "red"}, "unknown keys"),
        ({"columns": {"payment_id": "Bon", "occurred_at": "Zeit", "amount": "Betrag", "type": "Art"}}, "transaction_id"),
        ({"columns": GOOD["columns"] | {"weight": "kg"}}, "unknown names"),
        ({"columns": GOOD["columns"] | {"transaction_id": "Bon"}}, "column of its own"),
        ({"columns": GOOD["columns"] | {"currency": "Währung"}}, "one of the two"),
        ({"currency": ...}, "one of the two"),
        ({"currency": "eur"}, "ISO 4217"),
        ({"type_values": {}}, "come together"),
        ({"type_values": {"VERKAUF": "sale"}}, "must be one of"),
        ({"delimiter": ";;"}, "one character"),
        ({"delimiter": '"'}, "one character"),
        ({"grouping_mark": ","}, "two ways"),
        ({"encoding": "rot13"}, "encoding"),
        ({"encoding": ["utf-8"]}, "encoding"),
        ({"time_zone": "Mars/Olympus"}, "time zone"),
        ({"time_zone": "../../etc/passwd"}, "time zone"),
        ({"date_format": "%d.%m."}, "date"),
        ({"date_format": "%y-%j-%Q"}, "date"),
        ({"date_format": 5}, "date_format"),
        ({"refund_sign": "absolute"}, "refund_sign"),
        ({"skip_lines": -1}, "skip_lines"),
        ({"skip_lines": True}, "skip_lines"),
        ({"trailer": {"marker": "SUMME"}}, "count_field"),
        ({"trailer": {"marker": "SUMME", "count_field": "1"}}, "count_field"),
        ({"currency_symbol": "1€"}, "symbol"),
    ],
)
def test_a_mapping_that_could_be_misread_is_refused(changes, says):
    with pytest.raises(Invalid, match=says):
        column_mapping(changed(**changes), name="till")


@pytest.mark.parametrize("definition", [None, [], "text", 5, {"columns": []}, {}])
def test_a_definition_that_is_no_mapping_is_refused(definition):
    with pytest.raises(Invalid):
        column_mapping(definition, name="till")


def test_positive_refunds_need_a_type_to_tell_them_by():
    with pytest.raises(Invalid, match="type column"):
        column_mapping(changed(type_values=..., columns={k: v for k, v in GOOD["columns"].items() if k != "type"}), name="till")


def test_a_sum_in_the_trailer_needs_one_currency():
    with pytest.raises(Invalid, match="constant currency"):
        column_mapping(changed(currency=..., columns=GOOD["columns"] | {"currency": "Währung"}), name="till")
