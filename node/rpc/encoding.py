"""Answers as JSON text. Long ones are encoded a part at a time, so that the whole never lies in memory as Python objects."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True)
class Encoded:
    """What is JSON text already."""

    text: str


def encode(value: object) -> str:
    return value.text if isinstance(value, Encoded) else _encode(value)


def encode_list(items: Iterable[object]) -> Encoded:
    """Each item may be an Encoded; so may each value below."""
    return Encoded(f"[{','.join(map(encode, items))}]")


def encode_object(fields: Mapping[str, object]) -> Encoded:
    return Encoded("{" + ",".join(f"{_encode(name)}:{encode(value)}" for name, value in fields.items()) + "}")
