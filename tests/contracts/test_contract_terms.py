"""Versions of a brand's terms on the real contract: what gets worse waits for the notice that holds, all else holds at once."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.terms import LedgerTerms, TermsVersion, TermsVersions
from gateway.values.calendar import SECONDS_PER_DAY
from tests.builders.points_ledger import TERMS, PointsLedger

GROCER = 1
NOTICE_SECONDS = TERMS.notice_days * SECONDS_PER_DAY
WORSE: list[dict[str, int]] = [
    {"par_points": 101},
    {"redemption_minor": 0},
    {"redemption_points": 200},
    {"par_minor": 0},
    {"fee_basis_points": 51},
    {"run_off_days": 89},
    {"notice_days": 29},
]
NO_WORSE: list[dict[str, int]] = [
    {"par_points": 99},
    {"par_minor": 2, "par_points": 200},
    {"redemption_minor": 2},
    {"redemption_minor": 3, "redemption_points": 300},
    {"fee_basis_points": 49},
    {"run_off_days": 91},
    {"notice_days": 31},
]


def set_terms(ledger: PointsLedger, terms: LedgerTerms) -> list[tuple[int, LedgerTerms, int]]:
    """(number, terms, holds from) of every version in the events."""
    outcome = ledger.set_brand_terms(GROCER, terms)
    assert outcome.succeeded, ledger.reverted(outcome)
    return [
        (each.values["number"], LedgerTerms(*each.values["terms"]), each.values["validFrom"])
        for each in ledger.events(outcome)
        if each.name == "BrandTermsSet"
    ]


def held(ledger: PointsLedger) -> LedgerTerms:
    return LedgerTerms(*ledger.view("brandTerms", GROCER)[0])


def announced(ledger: PointsLedger) -> tuple[Any, ...]:
    return tuple(ledger.view("announcedTerms", GROCER))


@pytest.mark.parametrize("change", NO_WORSE, ids=str)
def test_what_is_no_worse_holds_at_once(ledger: PointsLedger, change: dict[str, int]) -> None:
    wanted = replace(TERMS, **change)
    assert set_terms(ledger, wanted) == [(2, wanted, ledger.chain.timestamp)]
    assert held(ledger) == wanted
    assert announced(ledger) == ((0,) * 7, 0, 0)


@pytest.mark.parametrize("change", WORSE, ids=str)
def test_what_is_worse_holds_after_the_notice_to_the_second(ledger: PointsLedger, change: dict[str, int]) -> None:
    wanted = replace(TERMS, **change)
    valid_from = ledger.now + NOTICE_SECONDS
    assert set_terms(ledger, wanted) == [(2, wanted, valid_from)]
    ledger.chain.set_time(valid_from - 1)
    assert held(ledger) == TERMS
    assert announced(ledger) == (astuple(wanted), 2, valid_from)
    ledger.chain.set_time(valid_from)
    assert held(ledger) == wanted
    assert announced(ledger)[1] == 0


def test_a_change_for_better_and_worse_is_split_by_field(ledger: PointsLedger) -> None:
    wanted = replace(TERMS, par_minor=2, fee_basis_points=60)
    at_once = replace(TERMS, par_minor=2)
    now = ledger.now
    assert set_terms(ledger, wanted) == [(2, at_once, now), (3, wanted, now + NOTICE_SECONDS)]
    assert held(ledger) == at_once


def test_a_new_version_replaces_the_announced_one_and_waits_its_own_notice(ledger: PointsLedger) -> None:
    set_terms(ledger, replace(TERMS, fee_basis_points=60))
    ledger.chain.set_time(ledger.now + NOTICE_SECONDS - 10)
    wanted = replace(TERMS, fee_basis_points=55)
    valid_from = ledger.now + NOTICE_SECONDS
    assert set_terms(ledger, wanted) == [(3, wanted, valid_from)]
    ledger.chain.set_time(valid_from - 1)
    assert held(ledger) == TERMS
    ledger.chain.set_time(valid_from)
    assert held(ledger) == wanted


def test_the_terms_that_hold_set_again_withdraw_what_is_announced(ledger: PointsLedger) -> None:
    set_terms(ledger, replace(TERMS, fee_basis_points=60))
    assert set_terms(ledger, TERMS) == [(3, TERMS, ledger.chain.timestamp)]
    assert announced(ledger)[1] == 0


def test_a_shorter_notice_shortens_nothing_before_it_holds(ledger: PointsLedger) -> None:
    set_terms(ledger, replace(TERMS, notice_days=0))
    wanted = replace(TERMS, notice_days=0, fee_basis_points=10_000)
    assert set_terms(ledger, wanted)[-1][2] == ledger.chain.timestamp + NOTICE_SECONDS


ratios = st.sampled_from([(1, 100), (2, 200), (1, 101), (0, 5), (2**64 - 1, 2**64 - 2), (2**64 - 2, 2**64 - 1)])
days = st.sampled_from([0, 1, 30, 3_650])
wanted_terms = st.builds(
    lambda par, redemption, fee, run_off, notice: LedgerTerms(*par, *redemption, fee, run_off, notice),
    ratios,
    ratios,
    st.sampled_from([0, 50, 10_000]),
    days,
    days,
)


@settings(max_examples=15, deadline=None)
@given(steps=st.lists(st.tuples(wanted_terms, st.integers(0, 40)), min_size=2, max_size=8))
def test_any_history_of_terms_is_the_models(steps: list[tuple[LedgerTerms, int]]) -> None:
    ledger, model = PointsLedger((GROCER,)), TermsVersions()
    model.set(TERMS, ledger.chain.timestamp)
    for terms, days_later in steps:
        made = [TermsVersion(terms, number, valid_from) for number, terms, valid_from in set_terms(ledger, terms)]
        assert made == model.set(terms, ledger.chain.timestamp)
        ledger.chain.set_time(ledger.now + days_later * SECONDS_PER_DAY)
        expected, next_one = model.held(ledger.now), model.announced(ledger.now)
        assert ledger.view("brandTerms", GROCER) == (astuple(expected.terms), expected.number, expected.valid_from)
        none = ((0,) * 7, 0, 0)
        assert announced(ledger) == ((astuple(next_one.terms), next_one.number, next_one.valid_from) if next_one else none)
