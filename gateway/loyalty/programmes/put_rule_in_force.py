"""The brand's agent confirms that it has a version of the rule: from then on that one earns."""

from __future__ import annotations

from gateway.loyalty.programmes.ports import Rules
from gateway.loyalty.rule import EarningRule, comes_into_force
from gateway.loyalty.rule_document import RuleDocument
from gateway.values.errors import Invalid, NotFound, WrongState
from gateway.values.ids import Hash


def put_rule_in_force(brand_id: int, version: int, document: Hash, told: int | None, *, rules: Rules, now: int) -> None:
    """`document` is the hash of what the agent has. `told`: from when on it is in force, where the agent was told that before, by a gateway
    that has lost it since. What is confirmed already stays as it is."""
    published = rules.published(brand_id)
    rule = next((each for each in published if each.version == version), None)
    if rule is None:
        raise NotFound(f"brand {brand_id} has published no version {version} of its rule", version=version)
    if RuleDocument.of(brand_id, rule).hash != document:
        raise Invalid(f"version {version} of brand {brand_id} is another document here than the agent has", field="document_hash")
    if rule.in_force_from is not None:
        return
    last = _last_confirmed(published)
    if last > version:
        raise WrongState(f"version {last} of brand {brand_id} is confirmed: {version} comes too late, publish it anew", version=last)
    if told is not None and told < rule.valid_from:
        raise Invalid(f"version {version} of brand {brand_id} is not in force before its beginning", field="in_force_from")
    rules.put_in_force(brand_id, version, int(comes_into_force(rule, published, now) if told is None else told))


def _last_confirmed(published: list[EarningRule]) -> int:
    return max((rule.version for rule in published if rule.in_force_from is not None), default=0)
