"""Compares the breaks that the product found with the answer file: what was planted, found, missed, and reported without cause.

A break is claimed by one planted defect at most, and the other way round: the same defect reported twice is one false break.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class FoundBreak:
    """A break as the product reports it; at least one of the ids is known."""

    kind: str
    payment_id: str | None
    provider_record_id: str | None


@dataclass(frozen=True, slots=True)
class PlantedBreak:
    """One kind of one planted defect, with the ids of the records that show it (none for a missing record)."""

    brand: str
    payment_id: str
    kind: str
    label: str | None
    provider_record_ids: tuple[str, ...]

    def is_shown_by(self, found: FoundBreak) -> bool:
        """Every id that both sides know agrees, and there is one."""
        if found.kind != self.kind or (found.payment_id is None and found.provider_record_id is None):
            return False
        if found.payment_id not in (None, self.payment_id):
            return False
        if found.provider_record_id is None or not self.provider_record_ids:
            return found.payment_id is not None
        return found.provider_record_id in self.provider_record_ids


@dataclass(frozen=True, slots=True)
class Score:
    """Counts by kind; a compound counts under each of its kinds, and under its label as found only when all of them are.

    `missed` and `false` hold record ids (the payment id where there is no record).
    """

    planted: dict[str, int]
    found: dict[str, int]
    compounds_planted: dict[str, int]
    compounds_found: dict[str, int]
    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)

    @property
    def perfect(self) -> bool:
        return not self.missed and not self.false


def read_answers(path: Path) -> list[PlantedBreak]:
    """The planted breaks of an answer file."""
    defects = json.loads(path.read_text(encoding="utf-8"))["defects"]
    return [
        PlantedBreak(defect["brand"], defect["payment_id"], kind, defect["label"], tuple(record_ids))
        for defect in defects
        for kind, record_ids in defect["kinds"].items()
    ]


def found_break(report: Mapping[str, Any]) -> FoundBreak:
    """A break from the product's JSON (`kind`, `payment_id`, `provider_record_id`; others are ignored)."""
    return FoundBreak(report["kind"], report.get("payment_id"), report.get("provider_record_id"))


def score(answers: Iterable[PlantedBreak], breaks: Iterable[FoundBreak]) -> Score:
    """Holds every break against every planted one of its payment or record."""
    answers = list(answers)
    open_by_id: dict[str, list[PlantedBreak]] = {}
    for planted in answers:
        for one_id in (planted.payment_id, *planted.provider_record_ids):
            open_by_id.setdefault(one_id, []).append(planted)
    claimed: set[PlantedBreak] = set()
    false: list[str] = []
    for found in breaks:
        candidates = open_by_id.get(found.payment_id or found.provider_record_id or "", [])
        match = next((planted for planted in candidates if planted not in claimed and planted.is_shown_by(found)), None)
        if match is None:
            false.append(found.provider_record_id or found.payment_id or "unnamed")
        else:
            claimed.add(match)
    missed = [(planted.provider_record_ids or (planted.payment_id,))[0] for planted in answers if planted not in claimed]
    compounds = {planted.payment_id: planted.label for planted in answers if planted.label}
    incomplete = {planted.payment_id for planted in answers if planted not in claimed}
    return Score(
        planted=dict(Counter(planted.kind for planted in answers)),
        found=dict(Counter(planted.kind for planted in answers if planted in claimed)),
        compounds_planted=dict(Counter(compounds.values())),
        compounds_found=dict(Counter(label for payment_id, label in compounds.items() if payment_id not in incomplete)),
        missed=sorted(missed),
        false=sorted(false),
    )
