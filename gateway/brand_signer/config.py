"""The signer's settings: one JSON file; the files it names stand beside it unless their paths say otherwise."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gateway.brand_signer.key_source import KeySource, key_source
from gateway.brand_signer.settings_reading import Reading
from gateway.ledger.signing import Domain
from gateway.loyalty.rule import EarningRule
from gateway.secret_files import unusable_place
from gateway.values.ids import Address, Hash
from gateway.values.money import Ratio

_T = TypeVar("_T")


class BadConfig(Exception):
    """Settings are missing, unknown or cannot be; the message names each of them."""


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
    key: KeySource
    token_file: Path
    reference_secret_file: Path
    register_file: Path
    journal_file: Path


def load_config(path: Path) -> Config:
    """The settings of the file; raises BadConfig that names all that is wrong with them."""
    return read_settings(path, signer_settings)


def read_settings(path: Path, read: Callable[[Reading, Path], _T]) -> _T:
    """What `read` makes of the file's object and the folder that its paths start from."""
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as wrong:
        raise BadConfig(f"{path} cannot be read ({wrong.strerror}): name the settings (JSON) with --config") from wrong
    except OSError as wrong:
        raise BadConfig(unusable_place(wrong)) from wrong
    except ValueError as wrong:
        raise BadConfig(f"{path} is no JSON ({wrong}): correct it, or name other settings with --config") from wrong
    wrong_ones: list[str] = []
    top = Reading(parsed, "", wrong_ones)
    settings = read(top, path.resolve().parent)
    top.nothing_else()
    if wrong_ones:
        raise BadConfig(f"{path}: {'; '.join(wrong_ones)}")
    return settings


def signer_settings(top: Reading, folder: Path, *, has_tls: bool = False) -> Config:
    """Stands for something only where nothing was noted as wrong. Who serves TLS may listen beyond this machine."""
    brand_id = top.whole("brand_id", 1)
    listen, coalition, programme = top.inner("listen"), top.inner("coalition"), top.inner("programme")
    files = top.inner("files", may_miss=True)
    config = Config(
        brand_id=brand_id,
        host=listening_host(listen, has_tls),
        port=listen.whole("port"),
        domain=domain_in(coalition),
        utc_offset_seconds=coalition.integer("utc_offset_seconds"),
        sandbox=coalition.truth("sandbox", False),
        programme=_programme(programme),
        key=key_source(top, folder, files.text("key", "key")),
        token_file=folder / files.text("token", "token"),
        reference_secret_file=folder / files.text("reference_secret", "reference_secret"),
        register_file=folder / files.text("register", "sales.jsonl"),
        journal_file=folder / files.text("journal", "signed.jsonl"),
    )
    for each in (listen, coalition, files):
        each.nothing_else()
    return config


def domain_in(coalition: Reading) -> Domain:
    return Domain(coalition.whole("chain_id"), coalition.hex_id("points_address", Address), coalition.hex_id("coalition_id", Hash))


def listening_host(listen: Reading, has_tls: bool) -> str:
    host = listen.text("host")
    try:
        if host and not ipaddress.ip_address(host).is_loopback and not has_tls:
            listen.wrong("host", f"is {host}, which is not a loopback address: write 127.0.0.1")
    except ValueError:
        listen.wrong("host", f"is {host!r}, which is not a loopback address: write 127.0.0.1")
    return host


def _programme(values: Reading) -> Programme:
    programme = Programme(
        rules=tuple(_rule(each) for each in values.inner_list("rules")),
        earn_on_tax=values.truth("earn_on_tax"),
        lot_validity_months=values.whole("lot_validity_months"),
        unlisted_points_max=values.whole("unlisted_points_max"),
        report_days_max=values.whole("report_days_max", unsaid=31),
        extends_by_activity=values.truth("extends_by_activity", False),
        redemption=redemption_in(values.inner("redemption")) if values.says("redemption") else None,
    )
    values.nothing_else()
    return programme


def _rule(values: Reading) -> EarningRule:
    found = values.whole("version"), values.whole("points"), values.whole("per_minor", 1), values.integer("valid_from")
    values.nothing_else()
    return EarningRule(*found, in_force_from=found[-1])


def redemption_in(values: Reading) -> Ratio:
    found = values.whole("minor", 1), values.whole("points", 1)
    values.nothing_else()
    return Ratio(*found)
