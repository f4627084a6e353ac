"""Amounts in text become whole minor units, or nothing at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.values.currencies import EXPONENTS, UnreadableAmountError, major_text, minor_from_major, minor_from_minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.30", "USD", 1230), ("-0.05", "EUR", -5), ("1200", "JPY", 1200), ("1.234", "KWD", 1234), ("0.00", "USD", 0)],
)
def test_an_amount_with_the_currencys_decimals_is_read_exactly(text, currency, minor):
    assert minor_from_major(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("12345.6", "USD"),
        ("123456000", "USD"),
        ("12.345", "USD"),
        ("12.00", "JPY"),
        ("1.23", "KWD"),
        ("1,234.50", "USD"),
        ("1e3", "JPY"),
        ("NaN", "USD"),
        ("", "USD"),
        (" 1.00", "USD"),
        ("1_0.00", "USD"),
        ("１.00", "USD"),
        ("+1.00", "USD"),
        ("--1.00", "USD"),
        ("999999999999999999.00", "USD"),
        ("1.00", "XXX"),
        ("1.00", "usd"),
    ],
)
def test_an_amount_written_in_any_other_way_is_never_stretched_to_fit(text, currency):
    with pytest.raises(UnreadableAmountError):
        minor_from_major(text, currency)


def test_fewer_decimals_are_taken_only_where_the_layout_says_so():
    assert minor_from_major("12345.6", "USD", short=True) == 1_234_560
    with pytest.raises(UnreadableAmountError):
        minor_from_major("12345.678", "USD", short=True)


def test_minor_units_have_no_decimal_mark():
    assert minor_from_minor("-1230", "USD") == -1230
    with pytest.raises(UnreadableAmountError):
        minor_from_minor("12.30", "USD")


@given(st.integers(-(10**15), 10**15), st.sampled_from(sorted(EXPONENTS)))
def test_what_is_written_is_read_back_in_every_currency(minor, currency):
    assert minor_from_major(major_text(minor, currency), currency) == minor
