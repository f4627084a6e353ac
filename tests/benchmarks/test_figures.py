"""Rates, percentiles and verdicts."""

from __future__ import annotations

import pytest

from scripts.benchmarks.figures import rates, spread, together
from scripts.benchmarks.targets import Target


def test_percentiles_are_of_what_was_measured() -> None:
    assert spread([number / 1_000 for number in range(1, 101)]) == {"p50": 51.0, "p99": 100.0, "most": 100.0, "count": 100}


def test_where_nothing_was_measured_no_percentile_is_made_up() -> None:
    assert spread([]) == {"p50": None, "p99": None, "most": None, "count": 0}


def test_runs_together_weigh_by_their_time() -> None:
    assert together([rates(100, 1, 1), rates(100, 3, 1)])["entries_per_s"] == 50


@pytest.mark.parametrize(("value", "met"), [(4, True), (3.9, False), (None, None)])
def test_a_rate_is_met_from_its_bound_upward(value: float | None, met: bool | None) -> None:
    assert Target("", "a.b", 4).met({"a": {"b": value}}) is met


@pytest.mark.parametrize(("value", "met"), [(40, True), (40.1, False)])
def test_a_time_is_met_from_its_bound_downward(value: float, met: bool) -> None:
    assert Target("", "a.b", 40, downward=True).met({"a": {"b": value}}) is met
