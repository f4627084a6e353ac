"""The signer's settings: one JSON file; the files it names stand beside it unless their paths say otherwise."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gateway.ledger.signing import Domain
from gateway.loyalty.rule import EarningRule
from gateway.values.hex import BadHex
from gateway.values.ids import Address, Hash, Id
from gateway.values.money import Ratio

_AnyId = TypeVar("_AnyId", bound=Id)
_TOP_KEYS = {"brand_id", "listen", "coalition", "programme", "files"}


class BadConfig(Exception):
    """A setting is missing, unknown or cannot be."""


@dataclass(frozen=True, slots=True)
class Programme:
    """What the brand promises, in its own words and not the gateway's.

    `unlisted_points_max`: up to so many points each, an order that a member signed or a point refund needs not stand in the sales register.
    `report_days_max`: points of a sale reported so much later still get their expiry by the day of the report.
    `extends_by_activity`: a sale or a redemption moves the member's points to the expiry that points earned with it would have.
    `redemption`: minor units of discount by points, the least that a redemption gives; left out, the ledger's terms alone see to it.
    """

    rules: tuple[EarningRule, ...]
    earn_on_tax: bool
    lot_validity_months: int
    unlisted_points_max: int
    report_days_max: int
    extends_by_activity: bool = False
    redemption: Ratio | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """All that a signer is started with. `sandbox`: the chain's time is simulated, and points expire by it, not by the clock here."""

    brand_id: int
    host: str
    port: int
    domain: Domain
    utc_offset_seconds: int
    sandbox: bool
    programme: Programme
    key_file: Path
    token_file: Path
    reference_secret_file: Path
    register_file: Path
    journal_file: Path


def load_config(path: Path) -> Config:
    """The settings of the file; raises BadConfig with the setting's name."""
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else wrong
        raise BadConfig(f"{path} cannot be read ({reason}): name the signer's settings (JSON) with --config") from wrong
    try:
        return _config(_object(parsed, _TOP_KEYS), path.resolve().parent)
    except (KeyError, TypeError, ValueError) as wrong:
        raise BadConfig(f"{path}: {type(wrong).__name__}: {wrong}") from wrong


def _config(top: Mapping[str, Any], folder: Path) -> Config:
    listen = _object(top["listen"], {"host", "port"})
    if not ipaddress.ip_address(listen["host"]).is_loopback:
        raise ValueError(f"listen.host {listen['host']} is not a loopback address")
    coalition = _object(top["coalition"], {"coalition_id", "chain_id", "points_address", "utc_offset_seconds", "sandbox"})
    files = _object(top.get("files", {}), {"key", "token", "reference_secret", "register", "journal"})
    return Config(
        brand_id=_whole(top, "brand_id"),
        host=listen["host"],
        port=_whole(listen, "port"),
        domain=Domain(_whole(coalition, "chain_id"), _id(coalition, "points_address", Address), _id(coalition, "coalition_id", Hash)),
        utc_offset_seconds=_integer(coalition, "utc_offset_seconds"),
        sandbox=_truth(coalition, "sandbox", False),
        programme=_programme(_object(top["programme"], set(Programme.__dataclass_fields__))),
        key_file=folder / files.get("key", "key"),
        token_file=folder / files.get("token", "token"),
        reference_secret_file=folder / files.get("reference_secret", "reference_secret"),
        register_file=folder / files.get("register", "sales.jsonl"),
        journal_file=folder / files.get("journal", "signed.jsonl"),
    )


def _programme(values: Mapping[str, Any]) -> Programme:
    rules = []
    for value in values["rules"]:
        rule = _object(value, set(EarningRule.__dataclass_fields__))
        rules.append(EarningRule(_whole(rule, "version"), _whole(rule, "points"), _whole(rule, "per_minor"), _integer(rule, "valid_from")))
        if rules[-1].per_minor == 0:
            raise ValueError("per_minor must be positive")
    return Programme(
        rules=tuple(rules),
        earn_on_tax=_truth(values, "earn_on_tax"),
        lot_validity_months=_whole(values, "lot_validity_months"),
        unlisted_points_max=_whole(values, "unlisted_points_max"),
        report_days_max=_whole(values, "report_days_max") if "report_days_max" in values else 31,
        extends_by_activity=_truth(values, "extends_by_activity", False),
        redemption=_redemption(values["redemption"]) if "redemption" in values else None,
    )


def _redemption(value: Any) -> Ratio:
    rate = _object(value, {"minor", "points"})
    return Ratio(_whole(rate, "minor"), _whole(rate, "points"))


def _object(value: Any, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"an object with {', '.join(sorted(known))} is expected")
    unknown = sorted(set(value) - known)
    if unknown:
        raise ValueError(f"unknown settings: {', '.join(unknown)}")
    return value


def _truth(values: Mapping[str, Any], name: str, unsaid: bool | None = None) -> bool:
    """`unsaid` is what counts where it is left out, which otherwise it may not be."""
    value = values[name] if unsaid is None else values.get(name, unsaid)
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be true or false")
    return value


def _integer(values: Mapping[str, Any], name: str) -> int:
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number")
    return value


def _whole(values: Mapping[str, Any], name: str) -> int:
    value = _integer(values, name)
    if value < 0:
        raise ValueError(f"{name} must not be negative")
    return value


def _id(values: Mapping[str, Any], name: str, kind: type[_AnyId]) -> _AnyId:
    try:
        return kind.parse(values[name])
    except BadHex as wrong:
        raise ValueError(f"{name}: {wrong}") from wrong
