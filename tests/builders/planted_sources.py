"""Faults planted in the contracts' sources: every check of every contract, each left out alone.

One set of sources holds all faults. A check that refuses goes on to ask `planted(n)`, which reads a slot of its own beyond every real
one: so whoever watches the reads knows that check n would have refused here, and leaves it out by answering 1.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "contracts" / "src"
FIRST_SLOT = 0xFA0000  # of fault 0: no contract has so many slots, and hashed places are far beyond
HELPER = f"""// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

function stands(uint256 n) view returns (bool standing) {{
    assembly ("memory-safe") {{ standing := iszero(sload(add({FIRST_SLOT}, n))) }}
}}

function unless(uint256 n, bytes4 reason) view returns (bytes4) {{
    return stands(n) ? reason : bytes4(0);
}}
"""
MODIFIERS = {  # what a use of a modifier asks, and refuses with
    "onlyGovernance": ("msg.sender != address(governance)", "NotGovernance(msg.sender)"),
    "onlyGuardian": ("msg.sender != governance.guardian()", "NotGuardian(msg.sender)"),
    "onlyByAct": ("msg.sender != address(this)", "TimelockUnauthorizedCaller(msg.sender)"),
    "known": ("brand[brandId].status == 0", "BrandUnknown(brandId)"),
}
VALUES = {"_agreedRecord": "_record"}  # checks that answer with a value, and what answers with the same unasked
BY_HAND = (  # (file, what, as it stands, with the fault `N`): what has no reason of its own, or stands in assembly
    ("IssueRun", "a member that is nobody", "iszero(member)", "and(iszero(member), iszero(sload(N)))"),
    ("IssueRun", "no points", "iszero(points)", "and(iszero(points), iszero(sload(N)))"),
    ("IssueRun", "beyond the limit", "gt(sum, room)", "and(gt(sum, room), iszero(sload(N)))"),
    (
        "IssueRun",
        "another lot",
        "if xor(and(word, headMask), head) { break }",
        "if and(iszero(sload(N)), iszero(eq(and(word, headMask), head))) { break }",
    ),
    (
        "PointsLedger",
        "a batch's number is used up",
        "batches[header.brand][header.number] = keccak256",
        "if (stands(N)) batches[header.brand][header.number] = keccak256",
    ),
    ("Settlement", "agreeing is kept", "_settles(brand);", "if (stands(N)) _settles(brand);"),
    ("Settlement", "applying is kept of the issuer", "_settles(pair.issuer);", "if (stands(N)) _settles(pair.issuer);"),
    ("Settlement", "applying is kept of the acceptor", "_settles(pair.acceptor);", "if (stands(N)) _settles(pair.acceptor);"),
    ("Settlement", "a pair is applied once", "_set(applied[record], pair.index);", "if (stands(N)) _set(applied[record], pair.index);"),
    ("Settlement", "a pair is paid once", "_set(paid[record], pair.index);", "if (stands(N)) _set(paid[record], pair.index);"),
    ("Clawbacks", "the latest lot counts", "if (rank > latest) latest = rank;", "if (rank > latest && stands(N)) latest = rank;"),
    ("BrandRegister", "a succession ends issuing", "issuesNoMore[brandId] = true;", "issuesNoMore[brandId] = stands(N);"),
    ("BrandOwnerActs", "an owner's act counts once", "of_.acts++", "(stands(N) ? of_.acts++ : of_.acts)"),
    ("GuardianPause", "a pause is used up", "isSpent: true", "isSpent: stands(N)"),
    ("Governance", "what is cancelled stays so", "isCancelled[id] = true;", "isCancelled[id] = stands(N);"),
    ("Governance", "beyond the guardian", "isBeyondGuardian[id] = true;", "isBeyondGuardian[id] = stands(N);"),
    ("SpendLock", "locked", "of_.isLocked = true;", "of_.isLocked = stands(N);"),
    ("SpendLock", "what was pending falls", "++of_.turn;", "if (stands(N)) ++of_.turn;"),
    ("Guardianship", "a recovery ends the epoch", "uint32 epoch = ++of_.epoch;", "uint32 epoch = stands(N) ? ++of_.epoch : of_.epoch;"),
)


@dataclass(frozen=True)
class Fault:
    """A check that is left out. `reason` is the error it refuses with, or the check's own name."""

    number: int
    name: str
    reason: str

    @property
    def slot(self) -> int:
        return FIRST_SLOT + self.number


@dataclass
class Planted:
    faults: list[Fault] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)  # as the compiler names them
    names: Counter[str] = field(default_factory=Counter)

    def fault(self, place: str, reason: str) -> int:
        """The number of one more fault."""
        self.names[name := f"{place} {reason}"] += 1
        name = name if self.names[name] == 1 else f"{name} {self.names[name]}"
        self.faults.append(Fault(len(self.faults), name, reason))
        return len(self.faults) - 1


def planted() -> Planted:
    """All faults in all sources."""
    work = Planted(sources={"src/Planted.sol": HELPER})
    for path in sorted(SOURCES.glob("*.sol")):
        text = _File(path.stem, path.read_text(), work).edited()
        text = re.sub(r"\bpure\b(?=[^;{]*\{)", "view", text)
        work.sources[f"src/{path.name}"] = text
    return work


class _File:
    def __init__(self, stem: str, text: str, work: Planted) -> None:
        self.stem, self.text, self.work = stem, text, work
        self.edits: list[tuple[int, int, str]] = []  # from, to, instead
        self.bare = re.sub(r"//[^\n]*", lambda comment: " " * len(comment.group()), text)  # places stay
        self.asked_by_modifiers = re.findall(r"\bmodifier \w+\([^)]*\) \{\s*(\w+)\(\);", self.bare)

    def edited(self) -> str:
        before = len(self.work.faults)
        self._conditions()
        self._reverts()
        self._answers()
        self._calls()
        self._modifiers()
        for stem, what, old, new in BY_HAND:
            if stem == self.stem:
                assert self.text.count(old) == 1, f"{stem}.sol does not say {old!r} once"
                number = self.work.fault(stem, what)
                start = self.text.index(old)
                self._replace(start, start + len(old), new.replace("N)", f"{FIRST_SLOT + number})" if "sload" in new else f"{number})"))
        text = self.text
        for start, end, instead in sorted(self.edits, reverse=True):
            text = text[:start] + instead + text[end:]
        if len(self.work.faults) == before:
            return text
        return text.replace("pragma solidity 0.8.37;\n", 'pragma solidity 0.8.37;\nimport {stands, unless} from "./Planted.sol";\n')

    def _conditions(self) -> None:
        """`if (…) revert …` and `if (…) return reason`, each part of an or alone."""
        for start, end, reason in self._refusing_ifs():
            parts = list(self._parts(start, end))
            for first, last in parts:
                number = self.work.fault(self._place(first), reason)
                self._replace(first, last, f"(({self.text[first:last]}) && stands({number}))")

    def _refusing_ifs(self) -> Iterator[tuple[int, int, str]]:
        for found in re.finditer(r"\bif \(", self.bare):
            start = found.end()
            end = self._closing(start)
            then = re.match(r"\)\s*\{?\s*(?:revert (\w+)|return (\(?[^;]*?\)?);)", self.bare[end:])
            if then is None or self._is_in_a_modifier(start):
                continue
            if then[1]:
                yield start, end, then[1]
            elif reason := re.search(r"(\w+)\.selector", then[2]):
                yield start, end, reason[1]
            elif re.search(r"\b(reason|refusal)\b", then[2]):
                yield start, end, "its reason"

    def _reverts(self) -> None:
        """What is refused to everybody, or at the end of a search."""
        conditional = {self.bare.index("revert", end) for _, end, _ in self._refusing_ifs() if "revert" in self.bare[end : end + 40]}
        for found in re.finditer(r"(?<=\n)[ ]+(revert (\w+))\(", self.bare):
            if found.start(1) not in conditional and not self._is_in_a_modifier(found.start()):
                number = self.work.fault(self._place(found.start()), found[2])
                self._replace(found.start(1), found.start(1), f"if (stands({number})) ")

    def _answers(self) -> None:
        """A reason that is given or not, in one expression."""
        for found in re.finditer(r"(?:(?<=\? )|(?<=: )|(?<== \())((?:\w+\.)?([A-Z]\w+)\.selector)(?= : |;|\)|, last)", self.bare):
            number = self.work.fault(self._place(found.start()), found[2])
            self._replace(*found.span(1), f"unless({number}, {found[1]})")

    def _calls(self) -> None:
        for found in re.finditer(r"(?<=[{};)])\s+(_(?:require\w+|refuse\w+|inTurn))\(", self.bare):
            if self._is_in_a_modifier(found.start()):
                continue
            number = self.work.fault(self._place(found.start(1)), found[1])
            self._replace(found.start(1), found.start(1), f"if (stands({number})) ")
        for found in re.finditer(rf"(?<== )({'|'.join(VALUES)})(\(\w+\))", self.bare):
            number = self.work.fault(self._place(found.start()), found[1])
            self._replace(*found.span(), f"(stands({number}) ? {found[0]} : {VALUES[found[1]]}{found[2]})")

    def _modifiers(self) -> None:
        for found in re.finditer(r"function \w+\([^{;]*\{", self.bare):
            uses = list(re.finditer(r"\b(onlyGovernance|onlyGuardian|onlyByAct|known\(brandId\))", found.group()))
            checks = ""
            for use in uses:
                name = use[1].partition("(")[0]
                number = self.work.fault(self._place(found.end()), name)
                condition, error = MODIFIERS[name]
                checks += f" if ({condition} && stands({number})) revert {error};"
                self._replace(found.start() + use.start(), found.start() + use.end(), "")
            if uses:
                self._replace(found.end(), found.end(), checks)

    def _parts(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Of a condition, what stands between its outermost ors."""
        first, depth, place = start, 0, start
        while place < end:
            depth += (self.bare[place] in "([") - (self.bare[place] in ")]")
            if depth == 0 and self.bare.startswith("||", place):
                yield first, place
                first = place + 2
            place += 1
        yield first, end

    def _closing(self, place: int) -> int:
        """Where the parenthesis closes that opened before `place`."""
        depth = 1
        while depth:
            depth += (self.bare[place] == "(") - (self.bare[place] == ")")
            place += 1
        return place - 1

    def _is_in_a_modifier(self, position: int) -> bool:
        """Whose uses are faults of their own."""
        begun = re.findall(r"\b(?:function \w+|modifier|constructor\()", self.bare[:position])
        return begun[-1] in ("modifier", *(f"function {name}" for name in self.asked_by_modifiers))

    def _place(self, position: int) -> str:
        named = [match[1] for match in re.finditer(r"\b(?:function|modifier) (\w+)|\b(?:constructor)\(", self.bare[:position])]
        return f"{self.stem}.{(named or [None])[-1] or 'constructor'}"

    def _replace(self, start: int, end: int, instead: str) -> None:
        self.edits.append((start, end, instead))
