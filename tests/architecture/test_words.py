"""Public names keep to the glossary: a word of its column "Never" is in none of them, unless the word is itself one of its terms.

A word counts as a whole part of snake_case or CamelCase, in the singular or the plural. Words that rightly mean something else as well
are listed in allowed_words.toml with that meaning.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, python_files, tree_of

GLOSSARY = ROOT / "docs" / "glossary.md"
ALLOWED: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("allowed_words.toml").read_text())


@dataclass(frozen=True, slots=True)
class Glossary:
    """Words that no name contains, words that are no name by themselves, and terms of several words, whose words are free together."""

    never: frozenset[str]
    never_alone: frozenset[str]
    compounds: tuple[tuple[str, ...], ...]


def test_public_names_keep_to_the_glossary() -> None:
    assert {name: places for name, places in _offences(ROOT).items() if name not in ALLOWED["names"]} == {}


def test_every_allowed_name_is_still_one_that_needs_it() -> None:
    assert set(ALLOWED["names"]) - set(_offences(ROOT)) == set()


def test_every_allowed_word_is_one_of_the_glossary_and_in_use() -> None:
    glossary = _glossary()
    used = {word for name in _names(ROOT) for word in _words(name)}
    assert {word for word in ALLOWED["words"] if word not in glossary.never or word not in used} == set()


def test_the_glossary_rules_words_out() -> None:
    glossary = _glossary()
    assert {"mint", "burn", "hold", "lock", "cancel", "undo", "bucket", "auth", "wallet"} <= glossary.never
    assert {"batch", "transaction", "par", "award"} & glossary.never == set()
    assert {"refund", "account", "expiry", "balance"} <= glossary.never_alone
    assert ("redemption", "rate") in glossary.compounds


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("def mint(member): ...", "mint"),
        ("def points_to_burn(): ...", "points_to_burn"),
        ("def issue(*, locks): ...", "locks"),
        ("class CancelBody: ...", "CancelBody"),
        ("class Lot:\n    bucket_id: int", "bucket_id"),
        ("class Lot:\n    def undo(self): ...", "undo"),
        ("async def read(auth): ...", "auth"),
        ("UNDO_MAX = 1", "UNDO_MAX"),
        ("class Member:\n    balance: int", "balance"),
        ("def give_back(refund): ...", "refund"),
        ("class Rate: ...", "Rate"),
    ],
)
def test_a_name_against_the_glossary_is_seen(tmp_path: Path, text: str, name: str) -> None:
    assert set(_offences(_planted(tmp_path, "points/some.py", text))) == {name}


@pytest.mark.parametrize("module", ["points/burn.py", "burn/some.py"])
def test_a_module_named_against_the_glossary_is_seen(tmp_path: Path, module: str) -> None:
    assert set(_offences(_planted(tmp_path, module, ""))) == {"burn"}


@pytest.mark.parametrize(
    "text",
    [
        "def issue(member): ...",
        "def _mint(member): ...",
        "class _Bucket:\n    burn: int",
        "def issue(member):\n    mint = 1",
        "def authorized(): ...",
        "redemption_rate = 1",
        "def lot_expiry(payment_refund): ...",
        "class LotExpiry:\n    _undo: int",
    ],
)
def test_what_is_private_or_a_term_is_free(tmp_path: Path, text: str) -> None:
    assert _offences(_planted(tmp_path, "points/some.py", text)) == {}


def _offences(root: Path) -> dict[str, list[str]]:
    glossary = _glossary()
    return {name: places for name, places in _names(root).items() if _is_against(name, glossary)}


def _is_against(name: str, glossary: Glossary) -> bool:
    words = _words(name)
    if len(words) == 1 and words[0] in glossary.never_alone:
        return True
    joined = f" {' '.join(words)} "
    for compound in glossary.compounds:
        joined = joined.replace(f" {' '.join(compound)} ", " ")
    return bool(set(joined.split()) & (glossary.never - set(ALLOWED["words"])))


def _words(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, small and in the singular."""
    return [_singular(word.lower()) for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def _singular(word: str) -> str:
    return word[:-2] if word.endswith(("ches", "sses")) else word.removesuffix("s")


def _glossary() -> Glossary:
    text = GLOSSARY.read_text()
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if re.match(r"\| (?!Term)", line)]
    terms = {part for term, *_ in rows for part in _parts(term)}
    never = {part for *_, cell in rows for part in _parts(cell)}
    alone = {word for part in never for word in re.findall(r'^a bare "(\w+)"$', part)}
    [sentence] = re.findall(r"^(.+) never stand alone", text, flags=re.MULTILINE)
    return Glossary(
        frozenset(_singular(part) for part in never - terms if re.fullmatch(r"[a-z]+", part)),
        frozenset(alone | set(re.findall(r"`(\w+)`", sentence))),
        tuple(tuple(map(_singular, term.split())) for term in sorted(terms) if re.fullmatch(r"[a-z]+( [a-z]+)+", term)),
    )


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,;/]", cell)]


def _names(root: Path) -> dict[str, list[str]]:
    """Every public name of the gateway with the files that define it."""
    places: dict[str, list[str]] = {}
    for path in python_files(root / "gateway"):
        module = path.relative_to(root / "gateway").with_suffix("")
        for name in {*module.parts, *_defined(tree_of(path).body)}:
            if not name.startswith("_"):
                places.setdefault(name, []).append(str(path.relative_to(root)))
    return places


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if not node.name.startswith("_") or node.name == "__init__":
                yield node.name
                yield from (one.arg for one in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs])
            case ast.ClassDef() if not node.name.startswith("_"):
                yield node.name
                yield from _defined(node.body)
            case ast.Assign():
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def _planted(folder: Path, module: str, text: str) -> Path:
    (folder / "gateway" / module).parent.mkdir(parents=True)
    (folder / "gateway" / module).write_text(text + "\n")
    return folder
