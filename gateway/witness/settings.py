"""A witness's settings: one JSON file; the files it names stand beside it unless their paths say otherwise."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.ledger.checkpoints import SKEW_SECONDS
from gateway.values.hex import BadHex
from gateway.values.ids import Hash

EVERY_SECONDS = 60
_KEYS = {"rpc_url", "genesis_hash", "skew_seconds", "every_seconds", "files", "publish"}


class BadWitnessSettings(Exception):
    """A setting is missing, unknown or cannot be."""


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """`publish_url` is a gateway's, `api_key_file` holds a key for it; without them checkpoints are printed and kept only."""

    rpc_url: str
    genesis_hash: Hash
    skew_seconds: int
    every_seconds: int
    key_file: Path
    log_file: Path
    refusal_file: Path
    publish_url: str | None
    api_key_file: Path | None


def load_witness_settings(path: Path) -> WitnessSettings:
    """Raises BadWitnessSettings with the setting's name."""
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else wrong
        raise BadWitnessSettings(f"{path} cannot be read ({reason}): name the witness's settings (JSON) with --config") from wrong
    try:
        return _settings(_object(parsed, _KEYS), path.resolve().parent)
    except KeyError as wrong:
        raise BadWitnessSettings(f"{path}: {wrong} is missing") from wrong
    except (BadHex, TypeError, ValueError) as wrong:
        raise BadWitnessSettings(f"{path}: {wrong}") from wrong


def _settings(top: dict[str, Any], folder: Path) -> WitnessSettings:
    files = _object(top.get("files", {}), {"key", "log", "refusal"})
    publish = _object(top["publish"], {"url", "api_key_file"}) if "publish" in top else None
    settings = WitnessSettings(
        rpc_url=_url(top["rpc_url"], "rpc_url"),
        genesis_hash=Hash.parse(top["genesis_hash"]),
        skew_seconds=_seconds(top, "skew_seconds", SKEW_SECONDS),
        every_seconds=_seconds(top, "every_seconds", EVERY_SECONDS),
        key_file=folder / files.get("key", "key"),
        log_file=folder / files.get("log", "checkpoints.jsonl"),
        refusal_file=folder / files.get("refusal", "refused.json"),
        publish_url=None if publish is None else _url(publish["url"], "publish.url").rstrip("/"),
        api_key_file=None if publish is None else folder / publish["api_key_file"],
    )
    if settings.every_seconds > settings.skew_seconds:
        raise ValueError("every_seconds is above skew_seconds: a head could be too old when it is looked at; set it lower")
    return settings


def _object(value: Any, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"an object with {', '.join(sorted(known))} is expected")
    unknown = sorted(set(value) - known)
    if unknown:
        raise ValueError(f"unknown settings: {', '.join(unknown)}")
    return value


def _seconds(values: dict[str, Any], name: str, default: int) -> int:
    value = values.get(name, default)
    if type(value) is not int or value < 1:
        raise ValueError(f"{name} must be a whole number of seconds above zero")
    return value


def _url(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise ValueError(f"{name} must be an http URL")
    return value
