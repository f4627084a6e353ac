"""Publish the next version of a brand's base rule; published versions never change."""

from __future__ import annotations

from gateway.loyalty.programmes.ports import Rules
from gateway.loyalty.rule import EarningRule, next_rule


def publish_rule(brand_id: int, points: int, per_minor: int, valid_from: int | None, *, rules: Rules, now: int) -> EarningRule:
    """`points` for every `per_minor` minor units of the earn base, from `valid_from` on."""
    rule = next_rule(rules.published(brand_id), points, per_minor, valid_from, now)
    rules.add(brand_id, rule, now)
    return rule
