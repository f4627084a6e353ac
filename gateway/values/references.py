"""References made by callers: the bounds they keep, the hash of what they stood for, and the answer when one comes again."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.values.errors import Invalid, ReferenceReused
from gateway.values.ids import Hash, sha256
from gateway.values.json_text import canonical_json

MAX_EXTERNAL_ID_LENGTH = 128
BY_EVIDENCE = "evidence:"
"""Begins the ids of what stands in a brand's books by another brand's evidence, whose the money was. A till's own do not begin so."""


def check_external_id(name: str, value: str) -> None:
    """An id is 1 to 128 visible ASCII characters: it goes into hashes, files and URLs and must come back unchanged."""
    if not 1 <= len(value) <= MAX_EXTERNAL_ID_LENGTH or any(not "!" <= character <= "~" for character in value):
        raise Invalid(f"{name} must be 1 to {MAX_EXTERNAL_ID_LENGTH} visible ASCII characters without spaces", field=name)


def content_hash(content: Mapping[str, object]) -> Hash:
    """The same for the same content, whatever the order of its keys."""
    return sha256(canonical_json(content).encode())


def check_same_content(name: str, value: str, stored_hash: Hash, new_hash: Hash) -> None:
    """Same reference and content is the first result again; other content is refused."""
    if stored_hash != new_hash:
        raise ReferenceReused(f"{name} {value} was used before with other content", field=name, reference=value)
