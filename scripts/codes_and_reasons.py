"""Makes docs/guides/codes-and-reasons.md: `python -m scripts.codes_and_reasons`.

The codes are those that the program has: recorded ones (tests/recorded/data/problems.json, which a test compares with the code), and
those read from its source: the signer's own errors, and why the gateway itself ends an operation. The words are in
scripts/remedies.toml; a code without words, or words without a code, is named.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.rounds.governance_outcomes import CANCELLED, LAPSED, VETOED
from gateway.rounds.not_yet import NOT_YET
from gateway.rounds.signer_port import ProbeResult

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "guides" / "codes-and-reasons.md"
_RECORDED = ROOT / "tests" / "recorded" / "data" / "problems.json"
_SIGNER_ERROR = re.compile(r'"error": "(\w+)"|_refuse\(\d+, "(\w+)"|InconsistentBatch\("(\w+)"')
_OWN_REASON = re.compile(r'CannotBe\("(\w+)"|refuse_batch\(.*"(\w+)"')
_WITH_ANOTHER_REASON = ("not_yet", "signer_refused", "batch_reverted", "not_proposed")
_HEADS = {
    "problems": (
        "Problems",
        "`code` of an answer of status 400 and above (RFC 9457, `application/problem+json`). The status tells the kind, `detail` the case.",
    ),
    "operations": ("Operations", "`reason` of an operation at `GET /v1/operations/{id}`."),
    "signer": (
        "A signer's reasons",
        "Why a brand's signer does not sign an entry. Those marked ↻ are tried again for a day, where nobody waits at a till.",
    ),
    "ledger": ("The ledger's reasons", "Why the contract refused an entry of a batch; the others of the batch count."),
    "probe": (
        "How a signer is found",
        "`result` of `POST /v1/brands/{id}/signer-probe`, and of `signer` in a registration's or a change of settings' answer.",
    ),
    "signer_errors": (
        "A signer's errors",
        "`error` of a signer's answer over HTTP, as the gateway's log and the signer's own callers see it.",
    ),
}


class WordsMissing(Exception):
    """Codes without words, or words without a code."""


def known_codes() -> dict[str, dict[str, str]]:
    """By section, the codes that the program has, with what is shown beside them."""
    recorded = json.loads(_RECORDED.read_text())
    answers = [*recorded["refusals"].values(), *recorded["statuses"].values(), *recorded["requests"].values()]
    statuses: dict[str, set[int]] = {}
    for answer in answers:
        statuses.setdefault(answer["code"], set()).add(answer["status"])
    return {
        "problems": {code: ", ".join(map(str, sorted(found))) if code != "refused" else "any" for code, found in statuses.items()},
        "signer": {reason: "↻" if reason in NOT_YET else "" for reason in recorded["signer_reasons"]},
        "operations": dict.fromkeys(_reasons_of_operations(), ""),
        "ledger": dict.fromkeys(recorded["entry_refusals"], ""),
        "probe": {result.value: "" for result in ProbeResult},
        "signer_errors": dict.fromkeys(_signer_errors(), ""),
    }


def page_of(words: Mapping[str, Mapping[str, list[str]]], codes: Mapping[str, Mapping[str, str]]) -> str:
    """The page; raises WordsMissing that names every code with nothing said of it, and every word said of no code."""
    wrong = [f"{section}: {code}" for section, known in codes.items() for code in sorted(set(known) ^ set(words.get(section, {})))]
    if wrong:
        raise WordsMissing(f"scripts/remedies.toml and the program's codes differ in {'; '.join(wrong)}: add or take out its line")
    parts = ["# Codes and reasons", "Made by `python -m scripts.codes_and_reasons`; the words are in `scripts/remedies.toml`."]
    for section, (title, said) in _HEADS.items():
        parts.append(f"## {title}\n{said}")
        beside = codes.get(section, {})
        has_more = any(beside.values())
        head = ["| Code | | Means | What to do |", "|---|---|---|---|"] if has_more else ["| Code | Means | What to do |", "|---|---|---|"]
        rows = [_row(code, beside.get(code, ""), has_more, *words[section][code]) for code in sorted(words[section], key=str.lower)]
        parts.append("\n".join([*head, *rows]))
    return "\n\n".join(parts) + "\n"


def written_words() -> dict[str, Any]:
    return tomllib.loads((ROOT / "scripts" / "remedies.toml").read_text())


def main() -> int:
    try:
        PAGE.write_text(page_of(written_words(), known_codes()))
    except WordsMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


def _row(code: str, beside: str, has_more: bool, means: str, remedy: str) -> str:
    cells = [f"`{code}`", *([beside] if has_more else []), means, remedy]
    return f"| {' | '.join(cells)} |"


def _signer_errors() -> set[str]:
    return _found("brand_signer", _SIGNER_ERROR)


def _reasons_of_operations() -> set[str]:
    followed = {CANCELLED, VETOED, LAPSED, *(f"{reason}: REASON" for reason in _WITH_ANOTHER_REASON)}
    return {"one of the ledger's reasons"} | followed | _found("rounds", _OWN_REASON)


def _found(folder: str, pattern: re.Pattern[str]) -> set[str]:
    """What the pattern finds in a folder of the gateway's."""
    sources = [path.read_text() for path in sorted((ROOT / "gateway" / folder).glob("*.py"))]
    return {next(filter(None, found.groups())) for source in sources for found in pattern.finditer(source)}


if __name__ == "__main__":
    sys.exit(main())
