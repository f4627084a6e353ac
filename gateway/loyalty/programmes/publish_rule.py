"""Publish the next version of a brand's base rule; published versions never change."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.brands.brand import Brand
from gateway.ledger.signing import Domain
from gateway.loyalty.programmes.ports import Rules
from gateway.loyalty.rule import EarningRule, check_rule, next_rule
from gateway.loyalty.rule_document import RuleDocument
from gateway.values.errors import Invalid, WrongState


@dataclass(frozen=True, slots=True)
class AskedRule:
    """`version` and `signature` come together, of a brand whose publisher signs its rules; `valid_from` is in Unix seconds."""

    points: int
    per_minor: int
    valid_from: int | None
    version: int | None = None
    signature: bytes | None = None


def publish_rule(brand: Brand, asked: AskedRule, *, domain: Domain, rules: Rules, now: int) -> EarningRule:
    """In force at its beginning; one that is signed waits for the brand's agent besides."""
    if brand.publisher_address is not None:
        return _publish_signed(brand, asked, domain, rules, now)
    if asked.version is not None or asked.signature is not None:
        raise Invalid(f"brand {brand.brand_id} has no publisher: set publisher_address in its settings first", field="signature")
    rule = next_rule(rules.published(brand.brand_id), asked.points, asked.per_minor, asked.valid_from, now)
    rules.add(brand.brand_id, rule, None, now)
    return rule


def _publish_signed(brand: Brand, asked: AskedRule, domain: Domain, rules: Rules, now: int) -> EarningRule:
    if asked.version is None or asked.signature is None:
        said = "send version and signature, as `splittally brand sign-rule` makes them"
        raise Invalid(f"the rules of brand {brand.brand_id} are signed by its publisher: {said}", field="signature")
    check_rule(asked.points, asked.per_minor)
    due = max((rule.version for rule in rules.published(brand.brand_id)), default=0) + 1
    if asked.version != due:
        raise WrongState(f"the next rule of brand {brand.brand_id} has version {due}: sign it with that one", version=due)
    document = RuleDocument(brand.brand_id, due, asked.points, asked.per_minor, asked.valid_from or 0)
    assert brand.publisher_address is not None
    if not document.is_signed_by(brand.publisher_address, asked.signature, domain):
        raise Invalid(
            f"the signature is not by the publisher of brand {brand.brand_id}, {brand.publisher_address}, over {document.text()}",
            field="signature",
        )
    rules.add(brand.brand_id, document.rule(), asked.signature, now)
    return document.rule()
