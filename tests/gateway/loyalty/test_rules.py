"""Earning rules: versions in order, the one in force at a moment, and earning by the floor."""

from __future__ import annotations

import pytest

from gateway.loyalty.rule import EarningRule, comes_into_force, next_rule, rule_in_force, rules_in_force
from gateway.values.errors import Invalid


def test_the_first_rule_holds_since_ever_and_later_ones_from_now() -> None:
    first = next_rule([], 1, 100, None, now=500)
    assert first == EarningRule(1, 1, 100, 0, 0)
    assert next_rule([first], 2, 100, None, now=500) == EarningRule(2, 2, 100, 500, 500)
    assert next_rule([first], 2, 100, 700, now=500).valid_from == 700


def test_a_version_cannot_begin_before_its_forerunner() -> None:
    published = [EarningRule(1, 1, 100, 0, 0), EarningRule(2, 2, 100, 900, 900)]
    with pytest.raises(Invalid):
        next_rule(published, 3, 100, 899, now=500)
    with pytest.raises(Invalid):
        next_rule(published, 3, 100, None, now=500)
    assert next_rule(published, 3, 100, 900, now=500).version == 3


def test_the_highest_version_that_has_begun_is_in_force() -> None:
    published = [EarningRule(1, 1, 100, 10, 10), EarningRule(2, 2, 100, 20, 20), EarningRule(3, 3, 100, 20, 20)]
    found = [rule_in_force(published, at) for at in (9, 10, 19, 20)]
    assert [rule.version if rule else None for rule in found] == [None, 1, 1, 3]


def test_earning_rounds_down() -> None:
    rule = EarningRule(1, 3, 200, 0, 0)
    assert [rule.points_for(base) for base in (0, 66, 67, 199, 200)] == [0, 0, 1, 2, 3]


@pytest.mark.parametrize(("points", "per_minor"), [(-1, 100), (1, 0), (1, -5), (10**9 + 1, 1), (1, 10**9 + 1)])
def test_numbers_out_of_bounds_are_refused(points: int, per_minor: int) -> None:
    with pytest.raises(Invalid):
        next_rule([], points, per_minor, None, now=0)


def test_a_version_that_waits_for_its_agent_is_not_in_force() -> None:
    published = [EarningRule(1, 1, 100, 0, 0), EarningRule(2, 2, 100, 10, None)]
    assert rule_in_force(published, 1_000) == published[0]
    assert rule_in_force([*published, EarningRule(3, 3, 100, 0, 30)], 30) == EarningRule(3, 3, 100, 0, 30)


@pytest.mark.parametrize(("valid_from", "comes"), [(0, 500), (400, 500), (700, 700)])
def test_a_version_comes_into_force_when_it_is_confirmed_or_at_its_beginning(valid_from: int, comes: int) -> None:
    waiting = EarningRule(2, 2, 100, valid_from, None)
    assert comes_into_force(waiting, [EarningRule(1, 1, 100, 0, 0), waiting], 500) == comes
    assert comes_into_force(waiting, [waiting], 500) == valid_from, "where none earns till then there is nothing to wait for"


def test_the_versions_of_a_time_are_those_that_were_in_force_at_some_moment_of_it() -> None:
    published = [EarningRule(1, 1, 100, 0, 0), EarningRule(2, 2, 100, 0, 20), EarningRule(3, 3, 100, 0, 30), EarningRule(4, 4, 1, 0, None)]

    def versions(since: int, until: int) -> set[int]:
        return {rule.version for rule in rules_in_force(published, since, until)}

    assert [versions(10, 19), versions(10, 20), versions(19, 31), versions(20, 20), versions(30, 90)] == [{1}, {1, 2}, {1, 2, 3}, {2}, {3}]
