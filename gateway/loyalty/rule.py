"""Earning rules: published versions of a brand's base rule. A purchase earns by the version in force when it happened.

Which one that is, is decided here alone, for the gateway and for a brand's own programs alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.values.errors import Invalid
from gateway.values.money import AmountMinor
from gateway.values.points import Points

MAX_RULE_NUMBER = 10**9


@dataclass(frozen=True, slots=True)
class EarningRule:
    """`points` for every `per_minor` minor units of the earn base; `valid_from` (Unix seconds) is the soonest that it may be in force.

    It is in force from `in_force_from` until a later version is; None: the brand's agent has not confirmed it, and the one before earns.
    """

    version: int
    points: int
    per_minor: int
    valid_from: int
    in_force_from: int | None

    def points_for(self, earn_base_minor: AmountMinor) -> Points:
        """floor(earn base x points / per_minor)."""
        return Points(earn_base_minor * self.points // self.per_minor)


def next_rule(published: Iterable[EarningRule], points: int, per_minor: int, valid_from: int | None, now: int) -> EarningRule:
    """The next version, of a brand that has no agent confirm it: in force from its beginning on. A brand's first rule holds since ever
    unless it says otherwise; later ones never begin before their forerunner."""
    check_rule(points, per_minor)
    last = max(published, key=lambda rule: rule.version, default=None)
    if last is None:
        return EarningRule(1, points, per_minor, valid_from or 0, valid_from or 0)
    start = now if valid_from is None else valid_from
    if start < last.valid_from:
        raise Invalid("a version cannot begin before the one it follows", last_version=last.version, last_valid_from=last.valid_from)
    return EarningRule(last.version + 1, points, per_minor, start, start)


def check_rule(points: int, per_minor: int) -> None:
    if not 0 <= points <= MAX_RULE_NUMBER or not 1 <= per_minor <= MAX_RULE_NUMBER:
        raise Invalid(f"points (0 or more) and per_minor (1 or more) are whole numbers up to {MAX_RULE_NUMBER}")


def rule_in_force(published: Iterable[EarningRule], at: int) -> EarningRule | None:
    """The highest version that had come into force by then."""
    begun = (rule for rule in published if rule.in_force_from is not None and rule.in_force_from <= at)
    return max(begun, key=lambda rule: rule.version, default=None)


def rules_in_force(published: Iterable[EarningRule], since: int, until: int) -> set[EarningRule]:
    """Every version that was in force at some moment from `since` to `until`."""
    rules = list(published)
    moments = {since, until, *(rule.in_force_from for rule in rules if rule.in_force_from is not None)}
    found = (rule_in_force(rules, moment) for moment in moments if since <= moment <= until)
    return {rule for rule in found if rule is not None}


def comes_into_force(rule: EarningRule, published: Iterable[EarningRule], now: int) -> int:
    """From when on a version that is confirmed now is in force: its beginning, but not before now where another one earns."""
    return rule.valid_from if rule_in_force(published, now) is None else max(rule.valid_from, now)
