"""Currencies by their ISO 4217 code, and amounts written in text turned into whole minor units. No float comes near an amount."""

from __future__ import annotations

import re
from decimal import Decimal

from gateway.values.money import MAX_AMOUNT_MINOR

_TWO_DECIMALS = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK "
    "DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR "
    "LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR "
    "SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW"
)
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"

EXPONENTS: dict[str, int] = (
    dict.fromkeys(_TWO_DECIMALS.split(), 2) | dict.fromkeys(_NO_DECIMALS.split(), 0) | dict.fromkeys(_THREE_DECIMALS.split(), 3)
)

_PLAIN = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,6}))?", re.ASCII)


class UnreadableAmountError(ValueError):
    """The text is not an amount of that currency, written the way it was said to be."""


def exponent_of(currency: str) -> int:
    """How many decimals the currency has."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise UnreadableAmountError(f"unknown currency {currency[:16]!r}") from None


def minor_from_major(text: str, currency: str, *, short: bool = False) -> int:
    """`12.30` of a two-decimal currency is 1230. Exactly the currency's decimals are wanted; `short` also takes fewer, never more.

    An amount with another number of decimals is refused and not stretched: it may be in another unit.
    """
    exponent = exponent_of(currency)
    found = _PLAIN.fullmatch(text)
    if found is None:
        raise UnreadableAmountError(f"{text[:40]!r} is not an amount")
    decimals = len(found[3] or "")
    if decimals > exponent or (decimals != exponent and not short):
        raise UnreadableAmountError(f"{text[:40]!r} has {decimals} decimals, {currency} has {exponent}")
    return _bounded(int(Decimal(text).scaleb(exponent)), text)


def minor_from_minor(text: str, currency: str) -> int:
    """Whole minor units, without a decimal mark."""
    exponent_of(currency)
    found = _PLAIN.fullmatch(text)
    if found is None or found[3] is not None:
        raise UnreadableAmountError(f"{text[:40]!r} is not a whole number of minor units")
    return _bounded(int(text), text)


def major_text(amount_minor: int, currency: str) -> str:
    """For people: 1230 of a two-decimal currency is `12.30`."""
    exponent = EXPONENTS.get(currency, 0)
    return f"{Decimal(amount_minor).scaleb(-exponent):.{exponent}f}"


def _bounded(amount_minor: int, text: str) -> int:
    if abs(amount_minor) > MAX_AMOUNT_MINOR:
        raise UnreadableAmountError(f"{text[:40]!r} is larger than any payment")
    return amount_minor
