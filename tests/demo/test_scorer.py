"""The scorer: it must see what was missed and what was reported without cause."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.demo.scorer import FoundBreak, PlantedBreak, found_break, read_answers, score

ANSWERS = [
    PlantedBreak("deli", "deli-1", "missing", None, ()),
    PlantedBreak("deli", "deli-2", "duplicated", None, ("D-2",)),
    PlantedBreak("fuel", "fuel-3", "late", "late+wrong_amount", ("txn_3",)),
    PlantedBreak("fuel", "fuel-3", "wrong_amount", "late+wrong_amount", ("txn_3",)),
]
FOUND = [
    FoundBreak("missing", "deli-1", None),
    FoundBreak("duplicated", "deli-2", "D-2"),
    FoundBreak("late", "fuel-3", "txn_3"),
    FoundBreak("wrong_amount", "fuel-3", "txn_3"),
]


def test_everything_found_and_nothing_else_is_perfect() -> None:
    result = score(ANSWERS, FOUND)
    assert result.perfect
    assert result.planted == result.found == {"missing": 1, "duplicated": 1, "late": 1, "wrong_amount": 1}
    assert result.compounds_planted == result.compounds_found == {"late+wrong_amount": 1}


@pytest.mark.parametrize("dropped", range(len(FOUND)))
def test_a_break_that_was_not_found_is_missed(dropped: int) -> None:
    result = score(ANSWERS, [found for place, found in enumerate(FOUND) if place != dropped])
    assert result.missed == [FOUND[dropped].provider_record_id or FOUND[dropped].payment_id]
    assert result.false == []
    assert not result.perfect


def test_a_compound_of_which_one_kind_was_found_is_not_found() -> None:
    assert score(ANSWERS, FOUND[:3]).compounds_found == {}


@pytest.mark.parametrize(
    "wrong",
    [
        FoundBreak("unexpected", None, "txn_9"),
        FoundBreak("missing", "deli-9", None),
        FoundBreak("late", "deli-2", "D-2"),
        FoundBreak("duplicated", "deli-2", "D-2"),
        FoundBreak("wrong_currency", "deli-1", None),
    ],
    ids=["unplanted record", "unplanted payment", "wrong kind", "reported twice", "kind never planted"],
)
def test_a_break_without_cause_is_false(wrong: FoundBreak) -> None:
    result = score(ANSWERS, [*FOUND, wrong])
    assert result.false == [wrong.provider_record_id or wrong.payment_id]
    assert result.missed == []
    assert not result.perfect


def test_the_right_payment_with_another_record_is_both_missed_and_false() -> None:
    result = score(ANSWERS, [FOUND[0], FoundBreak("duplicated", "deli-2", "D-7"), *FOUND[2:]])
    assert result.missed == ["D-2"]
    assert result.false == ["D-7"]


def test_a_break_may_name_the_record_alone_but_not_nothing_at_all() -> None:
    assert score(ANSWERS[1:2], [FoundBreak("duplicated", None, "D-2")]).perfect
    assert score(ANSWERS[1:2], [FoundBreak("duplicated", None, None)]).false == ["unnamed"]


def test_answers_and_breaks_are_read_from_json(tmp_path: Path) -> None:
    defect = {
        "brand": "fuel",
        "payment_id": "fuel-3",
        "label": "late+wrong_amount",
        "kinds": {"late": ["txn_3"], "wrong_amount": ["txn_3"]},
    }
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({"defects": [defect]}))
    assert read_answers(path) == ANSWERS[2:]
    assert found_break({"kind": "missing", "payment_id": "deli-1", "age_days": 9}) == FOUND[0]
