"""Brands' documents from an auditor's own files, in the form in which the API gives them: one or a list of them a file."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.brands.tables import BrandDocumentRow
from gateway.values.errors import Invalid
from gateway.values.hex import to_bytes


def read_documents(folder: Path) -> list[BrandDocumentRow]:
    """Of every `*.json` in the folder."""
    found: list[BrandDocumentRow] = []
    for path in sorted(folder.glob("*.json")):
        try:
            told = json.loads(path.read_text())
            found += [_row(each) for each in (told if isinstance(told, list) else [told])]
        except (OSError, ValueError, KeyError, TypeError) as wrong:
            form = "what `splittally brand publish --json` printed or GET /v1/brands/{id}/documents answered"
            raise Invalid(f"{path} holds no documents of a brand: save {form}") from wrong
    if not found:
        raise Invalid(f"{folder} holds no documents of brands: save them there as .json files")
    return found


def _row(told: dict[str, str]) -> BrandDocumentRow:
    numbers = {"brand_id": int(told["brand_id"]), "number": int(told["number"]), "received_at": 0}
    return BrandDocumentRow(**numbers, document=str(told["document"]), signature=to_bytes(told["signature"]))
