"""What is said of another issuer's bonus, of managed brands, and when the two agents get to know each other."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.demo import bonus
from scripts.demo.showcase import processes_line

TOLD: dict[str, Any] = {
    "issuer": "Town Bonus",
    "seller": "Deli Counter",
    "sales": 4,
    "points": 1_041,
    "clawed_back": 5,
    "refused": 0,
    "budget_points": 1_500,
    "budget_left": 459,
}


def test_one_sentence_says_what_counted_what_went_back_and_what_is_left() -> None:
    said = bonus.line(TOLD)
    assert said.startswith("Town Bonus gave 1,041 points for 4 sales of Deli Counter")
    assert said.endswith("refunds took 5 back; 459 of a budget of 1,500 points are left")
    assert bonus.line({**TOLD, "refused": 2}).endswith("are left (2 sales were refused)")


@pytest.mark.parametrize(("managed", "said"), [((False, True), "Managed: B."), ((True, True), "Managed: A, B."), ((False, False), "none.")])
def test_the_brands_whose_key_the_operator_holds_are_named(managed: tuple[bool, bool], said: str) -> None:
    brands = {name: {"name": name, "managed": one} for name, one in zip("AB", managed, strict=True)}
    assert said in bonus.managed_line(brands)


def test_processes_that_answer_are_counted_apart_from_the_ledger_worker() -> None:
    assert "answers requests in 3;" in processes_line({"ledger_worker": 1, "api": 3})


@pytest.mark.parametrize(("days", "after"), [(91, 83), (8, 0), (1, 0)])
def test_evidence_begins_a_week_before_the_end_of_the_walk_or_after_its_first_day(days: int, after: int) -> None:
    assert bonus.begins_after(range(days)) == after
