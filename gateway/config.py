"""The gateway's settings: one TOML file, overridden by environment variables SPLITTALLY_<NAME>, overridden by the command line.

Nothing here is secret: keys stand in files of their own that only their owner may read.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any


class BadSettings(ValueError):
    """A setting is missing, unknown or cannot be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    """Everything that a gateway is started with. Seconds are wall-clock seconds."""

    data_dir: Path
    database_url: str
    rpc_url: str
    host: str
    port: int
    operator_key_file: Path
    operator_api_key_file: Path
    coalition_name: str
    currency: str
    utc_offset_seconds: int
    sandbox: bool
    coalition_id: str | None
    rpc_timeout_seconds: float
    signer_timeout_seconds: float
    batch_lifetime_seconds: int
    stuck_after_seconds: float
    poll_seconds: float

    def __post_init__(self) -> None:
        if not _is_loopback(self.host):
            raise BadSettings(f"host {self.host!r} is not a loopback address: the gateway listens on loopback only")
        if not 0 <= self.port < 65_536:
            raise BadSettings(f"port {self.port} is not a port")
        if len(self.currency) != 3 or not (self.currency.isascii() and self.currency.isupper()):
            raise BadSettings(f"currency {self.currency!r} is not an ISO 4217 code")
        if abs(self.utc_offset_seconds) > 14 * 3600:
            raise BadSettings(f"utc_offset_seconds {self.utc_offset_seconds} is no offset from UTC")


def load_settings(file: Path | None = None, **given: Any) -> Settings:
    """The settings of `file` (default: gateway.toml in the data directory, if there), the environment and `given`, the latter winning."""
    overrides = {**_from_environment(os.environ), **{name: value for name, value in given.items() if value is not None}}
    path = file or Path(str(overrides.get("data_dir", DEFAULTS["data_dir"]))) / "gateway.toml"
    written = _from_file(path) if file or path.exists() else {}
    return settings_of({**written, **overrides})


def settings_of(values: Mapping[str, Any]) -> Settings:
    """Settings from loosely typed values; what is not named has its default."""
    known = {field.name for field in fields(Settings)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise BadSettings(f"unknown settings: {', '.join(unknown)}")
    merged = {**DEFAULTS, **values}
    data_dir = Path(merged["data_dir"]).resolve()
    merged["data_dir"] = data_dir
    merged["database_url"] = merged["database_url"] or f"sqlite:///{data_dir / 'gateway.sqlite3'}"
    for name in ("operator_key_file", "operator_api_key_file"):
        merged[name] = (data_dir / merged[name]).resolve()
    for name, kind in _KINDS.items():
        merged[name] = _converted(name, merged[name], kind)
    return Settings(**merged)


def with_rpc_url(settings: Settings, rpc_url: str) -> Settings:
    """The same settings for a node elsewhere."""
    return replace(settings, rpc_url=rpc_url)


DEFAULTS: dict[str, Any] = {
    "data_dir": "var/gateway",
    "database_url": "",
    "rpc_url": "http://127.0.0.1:8545",
    "host": "127.0.0.1",
    "port": 8080,
    "operator_key_file": "operator.key",
    "operator_api_key_file": "operator-api.key",
    "coalition_name": "Coalition",
    "currency": "USD",
    "utc_offset_seconds": 0,
    "sandbox": False,
    "coalition_id": None,
    "rpc_timeout_seconds": 30.0,
    "signer_timeout_seconds": 10.0,
    "batch_lifetime_seconds": 3600,
    "stuck_after_seconds": 30.0,
    "poll_seconds": 0.1,
}
_KINDS: dict[str, type] = {
    "port": int,
    "utc_offset_seconds": int,
    "sandbox": bool,
    "rpc_timeout_seconds": float,
    "signer_timeout_seconds": float,
    "batch_lifetime_seconds": int,
    "stuck_after_seconds": float,
    "poll_seconds": float,
}


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise BadSettings(f"{path} cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{path}: {error}") from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {f"SPLITTALLY_{field.name.upper()}": field.name for field in fields(Settings)}
    return {names[variable]: value for variable, value in environment.items() if variable in names}


def _converted(name: str, value: Any, kind: type) -> Any:
    if kind is bool:
        if str(value).lower() not in ("true", "false", "1", "0"):
            raise BadSettings(f"{name} is {value!r}: say true or false")
        return str(value).lower() in ("true", "1")
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        raise BadSettings(f"{name} is {value!r}: a number is needed") from error


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
