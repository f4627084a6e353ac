"""A refusal is read by people: a moment among its facts is written as one, never as a count of seconds."""

from __future__ import annotations

import ast
import re

from gateway.values import errors
from tests.architecture.sources import ROOT, python_files, tree_of

A_MOMENT = re.compile(r"now|deadline|until|since|timestamp|\w+_(at|until|deadline)")
REFUSALS = {name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, errors.Refusal)}


def _raw_moments(tree: ast.AST) -> list[str]:
    """Facts named as moments that are handed over as they were counted."""
    found = []
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in REFUSALS):
            continue
        for fact in call.keywords:
            if fact.arg and A_MOMENT.fullmatch(fact.arg) and isinstance(fact.value, ast.Attribute | ast.BinOp):
                found.append(f"line {call.lineno}: {fact.arg}")
            if fact.arg == "now" and isinstance(fact.value, ast.Name):
                found.append(f"line {call.lineno}: {fact.arg}")
    return found


def test_no_refusal_carries_a_moment_as_seconds() -> None:
    raw = {path.name: found for path in python_files(ROOT / "gateway") if (found := _raw_moments(tree_of(path)))}
    assert raw == {}


def test_a_moment_as_seconds_would_be_seen() -> None:
    assert _raw_moments(ast.parse('raise Invalid("late", now=now)')) == ["line 1: now"]
    assert _raw_moments(ast.parse('raise WrongState("late", deadline=reservation.deadline)')) == ["line 1: deadline"]
    assert _raw_moments(ast.parse('raise Invalid("late", now=moment_in_words(now))')) == []
