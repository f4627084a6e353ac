"""The signer's settings: one JSON file; the files it names stand beside it unless their paths say otherwise."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from gateway.brand_signer.settings_reader import BadConfig, Section, read_settings
from gateway.ledger.signing import Domain
from gateway.loyalty.rule import EarningRule
from gateway.values.ids import Address, Hash
from gateway.values.money import Ratio

TOP_KEYS = {"brand_id", "listen", "coalition", "programme", "files"}


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
    """The settings of the file; raises BadConfig with the name of every setting that cannot be."""
    top = Section(read_settings(path), TOP_KEYS)
    config = config_of(top, path.resolve().parent)
    refuse_wrong(path, top)
    return config


def refuse_wrong(path: Path, top: Section) -> None:
    if top.wrong:
        raise BadConfig(f"{path}: {'; '.join(top.wrong)}: set them right")


def config_of(top: Section, folder: Path) -> Config:
    """What is wrong stands in `top.wrong` afterwards."""
    listen = top.section("listen", {"host", "port"})
    coalition = top.section("coalition", {"coalition_id", "chain_id", "points_address", "utc_offset_seconds", "sandbox"})
    files = top.section("files", {"key", "token", "reference_secret", "register", "journal"}, unsaid={})
    return Config(
        brand_id=top.whole("brand_id"),
        host=_loopback(listen, "host"),
        port=listen.whole("port"),
        domain=Domain(coalition.whole("chain_id"), coalition.id("points_address", Address), coalition.id("coalition_id", Hash)),
        utc_offset_seconds=coalition.integer("utc_offset_seconds"),
        sandbox=coalition.truth("sandbox", False),
        programme=_programme(top.section("programme", set(Programme.__dataclass_fields__))),
        key_file=folder / files.text("key", "key"),
        token_file=folder / files.text("token", "token"),
        reference_secret_file=folder / files.text("reference_secret", "reference_secret"),
        register_file=folder / files.text("register", "sales.jsonl"),
        journal_file=folder / files.text("journal", "signed.jsonl"),
    )


def _loopback(listen: Section, name: str) -> str:
    host = listen.text(name)
    try:
        if not ipaddress.ip_address(host).is_loopback:
            listen.note(name, f"{host} is not a loopback address")
    except ValueError:
        listen.note(name, f"{host} is no IP address")
    return host


def _programme(values: Section) -> Programme:
    return Programme(
        rules=tuple(_rule(rule) for rule in values.sections("rules", set(EarningRule.__dataclass_fields__))),
        earn_on_tax=values.truth("earn_on_tax"),
        lot_validity_months=values.whole("lot_validity_months"),
        unlisted_points_max=values.whole("unlisted_points_max"),
        report_days_max=values.whole("report_days_max", 31),
        extends_by_activity=values.truth("extends_by_activity", False),
        redemption=_redemption(values.section("redemption", {"minor", "points"})) if "redemption" in values else None,
    )


def _rule(rule: Section) -> EarningRule:
    return EarningRule(rule.whole("version"), rule.whole("points"), _positive(rule, "per_minor"), rule.integer("valid_from"))


def _redemption(rate: Section) -> Ratio:
    return Ratio(_positive(rate, "minor"), _positive(rate, "points"))


def _positive(values: Section, name: str) -> int:
    value = values.whole(name)
    if value == 0 and name in values:
        values.note(name, "must be positive")
    return value or 1
