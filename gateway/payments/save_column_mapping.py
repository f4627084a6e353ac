"""Save a column mapping under a name; published versions never change, a change is the next version."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from gateway.payments.mapping import column_mapping
from gateway.payments.ports import ColumnMappings
from gateway.values.errors import Invalid

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
DEFINITION_CHARACTERS_MAX = 16_384


@dataclass(frozen=True, slots=True)
class SavedColumnMapping:
    """A published version; `definition` is canonical JSON."""

    brand_id: int
    name: str
    version: int
    definition: str


def save_column_mapping(brand_id: int, name: str, definition: object, *, mappings: ColumnMappings, now: int) -> SavedColumnMapping:
    """The version now in force; the definition already in force is that version again."""
    if not _NAME.fullmatch(name):
        raise Invalid("a mapping's name has 1 to 64 of a-z, 0-9, - and _", field="name")
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid("the definition holds half a character", field="definition")
    column_mapping(definition, name=name)
    if len(text) > DEFINITION_CHARACTERS_MAX:
        raise Invalid(f"a mapping has at most {DEFINITION_CHARACTERS_MAX} characters", field="definition")
    latest = mappings.latest(brand_id, name)
    if latest is not None and latest[1] == text:
        return SavedColumnMapping(brand_id, name, latest[0], text)
    version = 1 if latest is None else latest[0] + 1
    mappings.add(brand_id, name, version, text, now)
    return SavedColumnMapping(brand_id, name, version, text)
