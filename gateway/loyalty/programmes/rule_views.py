"""A brand's rules as they are shown: which one earns, which one waits for the brand's agent, and what was signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from gateway.loyalty.programmes.ports import PublishedRule
from gateway.loyalty.programmes.tables import EarningRuleRow
from gateway.loyalty.rule import rule_in_force
from gateway.loyalty.rule_document import RuleDocument
from gateway.values.calendar import moment, moment_or_none
from gateway.values.hex import hex_text

WAITS_TOO_LONG_SECONDS = 3_600
"""After so long without its brand's agent's word a version is an alarm."""


class RuleStatus(StrEnum):
    """published: waits for the brand's agent · coming: from `in_force_from` on · in_force: earns now · past: a later one has its place."""

    PUBLISHED = "published"
    COMING = "coming"
    IN_FORCE = "in_force"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class RuleView:
    """`in_force_from` is null until the brand's agent has confirmed the version. `document` (canonical JSON) is what its publisher's
    `signature` is over; both are null of a brand that signs no rules."""

    version: int
    points: int
    per_minor: int
    valid_from: str
    status: RuleStatus
    in_force_from: str | None
    document: str | None
    signature: str | None


@dataclass(frozen=True, slots=True)
class RuleWaitingView:
    """A version that its brand's agent has not confirmed for longer than it should take; the one before earns meanwhile."""

    brand_id: int
    version: int
    waiting_seconds: int


def rule_views(brand_id: int, told: Sequence[PublishedRule], now: int) -> list[RuleView]:
    """All that a brand has published, in their order."""
    rules = [each.rule for each in told]
    in_force = rule_in_force(rules, now)
    last_confirmed = max((rule.version for rule in rules if rule.in_force_from is not None), default=0)
    return [_view(brand_id, each, in_force.version if in_force else 0, last_confirmed) for each in told]


def _view(brand_id: int, told: PublishedRule, earns: int, last_confirmed: int) -> RuleView:
    rule = told.rule
    if rule.version == earns:
        status = RuleStatus.IN_FORCE
    elif rule.version < (earns if rule.in_force_from is not None else last_confirmed):
        status = RuleStatus.PAST
    else:
        status = RuleStatus.PUBLISHED if rule.in_force_from is None else RuleStatus.COMING
    return RuleView(
        rule.version,
        rule.points,
        rule.per_minor,
        moment(rule.valid_from),
        status,
        moment_or_none(rule.in_force_from),
        None if told.signature is None else RuleDocument.of(brand_id, rule).text(),
        None if told.signature is None else hex_text(told.signature),
    )


def rules_waiting(session: Session, now: int) -> list[RuleWaitingView]:
    """Versions that wait too long for their brands' agents; not those whose place a later one has taken."""
    rule, later = EarningRuleRow, aliased(EarningRuleRow)
    confirmed = select(func.max(later.version)).where(later.brand_id == rule.brand_id, later.in_force_from.is_not(None)).scalar_subquery()
    waits = rule.in_force_from.is_(None), rule.created_at < now - WAITS_TOO_LONG_SECONDS, rule.version > func.coalesce(confirmed, 0)
    rows = session.execute(select(rule.brand_id, rule.version, rule.created_at).where(*waits).order_by(rule.brand_id, rule.version))
    return [RuleWaitingView(brand_id, version, now - created_at) for brand_id, version, created_at in rows]
