"""Earning rules: published versions of a brand's base rule. A purchase earns by the version in force when it happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.values.errors import Invalid
from gateway.values.money import AmountMinor
from gateway.values.points import Points

MAX_RULE_NUMBER = 10**9


@dataclass(frozen=True, slots=True)
class EarningRule:
    """`points` for every `per_minor` minor units of the earn base; in force from `valid_from` (Unix seconds) until the next version."""

    version: int
    points: int
    per_minor: int
    valid_from: int

    def points_for(self, earn_base_minor: AmountMinor) -> Points:
        """floor(earn base x points / per_minor)."""
        return Points(earn_base_minor * self.points // self.per_minor)


def next_rule(published: Iterable[EarningRule], points: int, per_minor: int, valid_from: int | None, now: int) -> EarningRule:
    """The next version. A brand's first rule holds since ever unless it says otherwise; later ones never begin before their forerunner."""
    if not 0 <= points <= MAX_RULE_NUMBER or not 1 <= per_minor <= MAX_RULE_NUMBER:
        raise Invalid(f"points (0 or more) and per_minor (1 or more) are whole numbers up to {MAX_RULE_NUMBER}")
    last = max(published, key=lambda rule: rule.version, default=None)
    if last is None:
        return EarningRule(1, points, per_minor, valid_from or 0)
    start = now if valid_from is None else valid_from
    if start < last.valid_from:
        raise Invalid("a version cannot begin before the one it follows", last_version=last.version, last_valid_from=last.valid_from)
    return EarningRule(last.version + 1, points, per_minor, start)


def rule_in_force(published: Iterable[EarningRule], at: int) -> EarningRule | None:
    """The highest version that had begun by then."""
    return max((rule for rule in published if rule.valid_from <= at), key=lambda rule: rule.version, default=None)
