"""What a purchase is awarded: every rule that fires gives one award, with what it counted. The same wherever points are decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.loyalty.rule import EarningRule
from gateway.values.money import AmountMinor
from gateway.values.points import Points

BASE = "base"
"""The name of a brand's base rule."""


@dataclass(frozen=True, slots=True)
class AwardDue:
    """`points` of the issuing brand by a version of a rule; `why` names the figures that it counted."""

    issuer_id: int
    points: Points
    rule: str
    rule_version: int
    why: Mapping[str, int]


def awards_due(brand_id: int, rule: EarningRule, earn_base_minor: AmountMinor) -> list[AwardDue]:
    """By the brand's base rule: one award, or none where its floor is zero."""
    points = rule.points_for(earn_base_minor)
    why = {"earn_base_minor": earn_base_minor, "points": rule.points, "per_minor": rule.per_minor}
    return [AwardDue(brand_id, points, BASE, rule.version, why)] if points else []
