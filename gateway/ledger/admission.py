"""What a brand must meet before it is let in, and what an approver says of it: each criterion met or not applicable, signed beside it.

Canonical JSON: keys sorted, no space. The ledger knows nothing of it; the signature is in the form of the approval's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from gateway.ledger.signing import Domain, Fields, struct_digest, type_hash
from gateway.values.ids import Hash

CRITERIA_MAX = 50
CRITERION_NAME = r"^[a-z0-9][a-z0-9_-]{0,39}$"
CRITERION_TEXT_MAX = 500
MET, NOT_APPLICABLE = "met", "not_applicable"
_FIELDS: Fields = [
    {"name": "operation", "type": "bytes32"},
    {"name": "criteria", "type": "bytes32"},
    {"name": "answers", "type": "bytes32"},
    {"name": "approvedAt", "type": "uint40"},
]
_TYPE = type_hash("AdmissionChecklist", _FIELDS)


@dataclass(frozen=True, slots=True)
class Criterion:
    """`text` is what must be so of a brand."""

    name: str
    text: str

    @property
    def is_well_formed(self) -> bool:
        is_named = re.fullmatch(CRITERION_NAME, self.name) is not None
        return is_named and is_shown(self.text, CRITERION_TEXT_MAX) and bool(self.text.strip())


@dataclass(frozen=True, slots=True)
class AdmissionCriteria:
    """`version` counts from 1, and 0 is a coalition that never set any; without criteria nothing is asked."""

    version: int = 0
    criteria: tuple[Criterion, ...] = ()

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> AdmissionCriteria:
        """Raises ValueError, KeyError or TypeError for what are no criteria."""
        found = cls(int(told["version"]), tuple(Criterion(str(each["name"]), str(each["text"])) for each in told["criteria"]))
        if not all(each.is_well_formed for each in found.criteria):
            raise ValueError("criteria that cannot be shown")
        return found

    @classmethod
    def of_text(cls, version: int, text: str) -> AdmissionCriteria:
        """As they were kept."""
        return cls(version, tuple(Criterion(each["name"], each["text"]) for each in json.loads(text)))

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.criteria]

    def as_json(self) -> dict[str, Any]:
        return {"version": self.version, "criteria": [{"name": each.name, "text": each.text} for each in self.criteria]}

    def text(self) -> str:
        """As they are kept."""
        return _canonical(self.as_json()["criteria"]).decode()

    @property
    def hash(self) -> Hash:
        """Over version, names and texts: who signs has read these."""
        return Hash(keccak(_canonical(self.as_json())))


@dataclass(frozen=True, slots=True)
class CriterionAnswer:
    """`answer` is `met` or `not_applicable`; the latter says why in its note."""

    criterion: str
    answer: str
    note: str = ""

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> CriterionAnswer:
        """Raises ValueError, KeyError or TypeError for what is no answer."""
        found = cls(str(told["criterion"]), str(told["answer"]), str(told.get("note", "")))
        if found.answer not in (MET, NOT_APPLICABLE) or not is_shown(found.note, CRITERION_TEXT_MAX) or told.keys() - set(cls.__slots__):
            raise ValueError("no answer to a criterion")
        return found

    @property
    def is_complete(self) -> bool:
        return self.answer == MET or bool(self.note.strip())

    def as_json(self) -> dict[str, str]:
        return {"criterion": self.criterion, "answer": self.answer, "note": self.note}


@dataclass(frozen=True, slots=True)
class Checklist:
    """An approver's answers to the criteria of one version, in any order."""

    version: int
    answers: tuple[CriterionAnswer, ...]

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> Checklist:
        """Raises ValueError, KeyError or TypeError for what is no checklist."""
        return cls(int(told["version"]), tuple(map(CriterionAnswer.parse, told["answers"])))

    @classmethod
    def of_text(cls, version: int, text: str) -> Checklist:
        """As it was kept."""
        return cls(version, tuple(CriterionAnswer(each["criterion"], each["answer"], each["note"]) for each in json.loads(text)))

    def missing(self, criteria: AdmissionCriteria) -> list[str]:
        """Criteria without an answer, or not applicable without a reason."""
        answered = {each.criterion for each in self.answers if each.is_complete}
        return [name for name in criteria.names if name not in answered]

    def strange(self, criteria: AdmissionCriteria) -> list[str]:
        """Names that are no criterion's, or answered twice."""
        names = [each.criterion for each in self.answers]
        return sorted({name for name in names if name not in criteria.names or names.count(name) > 1})

    def as_json(self) -> dict[str, Any]:
        return {"version": self.version, "answers": [each.as_json() for each in self.answers]}

    def answers_text(self) -> str:
        """To the byte what is signed of them."""
        return _canonical(self.as_json()["answers"]).decode()

    def digest(self, domain: Domain, act: Hash, criteria: AdmissionCriteria, approved_at: int) -> bytes:
        """What the approver signs; `domain` is governance's own, `approved_at` that of the approval beside it."""
        words = act + criteria.hash + keccak(self.answers_text().encode()) + approved_at.to_bytes(32)
        return struct_digest(domain, keccak(_TYPE + words))


@dataclass(frozen=True, slots=True)
class SignedChecklist:
    """65 bytes r, s, v over the checklist's digest."""

    checklist: Checklist
    signature: bytes


def _canonical(told: object) -> bytes:
    return json.dumps(told, separators=(",", ":"), sort_keys=True).encode()


def is_shown(text: str, most: int) -> bool:
    """One line that moves no cursor."""
    return len(text) <= most and text.isprintable()
