"""A bonus for sales of another brand's, by its evidence: who may ask for it, what it counts as, and what is left of the budget.

Acts on the journal's connection: evidence, budget, the register's line and the item for the gateway are written together or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.bodies.purchases import PaymentRefundBody, PurchaseBody, RefundFailureBody
from gateway.brand_agent.evidence import LATER, EvidenceBody, EvidenceDocument, EvidenceKind, NoEvidence, Partner, id_here
from gateway.brand_agent.item import Item, ItemKind, Speaker
from gateway.brand_agent.outbox import find
from gateway.brand_agent.problems import TillRefused
from gateway.brand_agent.record_lines import RecordLines
from gateway.brand_agent.statements import Statement, payment_refund, points_promised, refund_failure, sale
from gateway.brand_signer.config import Config
from gateway.ledger.signing import Domain
from gateway.loyalty.rule import EarningRule
from gateway.values.calendar import SECONDS_PER_DAY, day_text, local_day, moment
from gateway.values.hex import to_bytes

CHANNEL = "evidence"
IN_ALL = "in_all"
_AHEAD_SECONDS = 300
_KINDS = {
    EvidenceKind.SALE: ItemKind.PURCHASE,
    EvidenceKind.PAYMENT_REFUND: ItemKind.PAYMENT_REFUND,
    EvidenceKind.REFUND_FAILURE: ItemKind.REFUND_FAILURE,
}


@dataclass(frozen=True, slots=True)
class CheckedEvidence:
    """A document that is what it says: addressed to this brand, and signed by its partner's evidence key."""

    document: EvidenceDocument
    signature: bytes
    partner: Partner


def check_evidence(body: EvidenceBody, partners: Iterable[Partner], domain: Domain, brand_id: int) -> CheckedEvidence:
    """Raises TillRefused."""
    try:
        document = EvidenceDocument.parse(body.document)
    except NoEvidence as wrong:
        raise TillRefused(422, "invalid", str(wrong), field="document") from None
    told_to = document.addressee, document.chain_id, document.contract
    own = brand_id, domain.chain_id, str(domain.verifying_contract)
    if told_to != own:
        there, here = (f"brand {brand} on the ledger {contract} of chain {chain}" for brand, chain, contract in (told_to, own))
        raise TillRefused(403, "other_addressee", f"it is addressed to {there}, and this is the agent of {here}")
    partner = next((one for one in partners if one.brand_id == document.sold_by), None)
    if partner is None:
        told = f"this brand gives nothing for sales of brand {document.sold_by}: name it in agent.partners"
        raise TillRefused(403, "unknown_partner", told)
    signature = to_bytes(body.signature)
    if not document.is_signed_by(partner.evidence_key, signature, domain):
        raise TillRefused(403, "wrong_signature", f"it is not signed by brand {partner.brand_id}'s evidence key {partner.evidence_key}")
    return CheckedEvidence(document, signature, partner)


def take(
    connection: sqlite3.Connection,
    evidence: CheckedEvidence,
    signer: Config,
    rules: Sequence[EarningRule],
    lines: RecordLines,
    speaker: Speaker,
    now: int,
) -> tuple[Item, bool]:
    """(the item, whether it was counted before). Raises TillRefused, and has written nothing then."""
    document = evidence.document
    known = _counted(connection, document, document.kind, document.id)
    if known is not None:
        return _the_same_again(connection, document, known), True
    _check_moment(document, signer, now)
    statement = _statement(connection, document, signer, rules)
    if document.kind is EvidenceKind.SALE:
        _use_budget(connection, evidence.partner, document, _points(statement), signer.utc_offset_seconds)
    named = document.sold_by, document.kind, document.id
    values = *named, document.text(), evidence.signature, now
    connection.execute("INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?)", values)
    return statement.keep(connection, lines, speaker, now)


def is_counted(connection: sqlite3.Connection, document: EvidenceDocument) -> bool:
    """Asked by whom it is of: counts nothing."""
    return _counted(connection, document, document.kind, document.id) is not None


def budgets(connection: sqlite3.Connection, partners: Iterable[Partner], month: str) -> list[dict[str, Any]]:
    """What each partner's evidence has used, in all and this month."""
    return [
        {
            "brand_id": one.brand_id,
            "points": _used(connection, one, IN_ALL),
            "budget_points": one.budget_points,
            "month": month,
            "month_points": _used(connection, one, month),
            "budget_month_points": one.budget_month_points,
        }
        for one in partners
    ]


def month_of(at: int, utc_offset_seconds: int) -> str:
    return day_text(local_day(at, utc_offset_seconds))[:7]


def _the_same_again(connection: sqlite3.Connection, document: EvidenceDocument, known: EvidenceDocument) -> Item:
    """Cart lines count nothing: whether they go along may have changed between two tries."""
    if known.without_lines() != document.without_lines():
        told = f"{document.kind} {document.id} of brand {document.sold_by} was told before with other content"
        raise TillRefused(409, "reference_reused", told)
    item = find(connection, _KINDS[document.kind], id_here(document.sold_by, document.id))
    assert item is not None
    return item


def _check_moment(document: EvidenceDocument, signer: Config, now: int) -> None:
    """By the clock here, which a sandbox's simulated time has nothing to do with."""
    if signer.sandbox:
        return
    if document.occurred_at > now + _AHEAD_SECONDS:
        raise _not_yet(f"it is to happen at {moment(document.occurred_at)}, and it is {moment(now)} here")
    days = signer.programme.report_days_max
    if document.kind is EvidenceKind.SALE and document.occurred_at < now - days * SECONDS_PER_DAY:
        raise TillRefused(409, "too_old", f"sales are rewarded up to {days} days after they happened")


def _statement(connection: sqlite3.Connection, document: EvidenceDocument, signer: Config, rules: Sequence[EarningRule]) -> Statement:
    """What it says, as if a till of one's own had."""
    at, day = moment(document.occurred_at), day_text(local_day(document.occurred_at, signer.utc_offset_seconds))
    dates: dict[str, Any] = {"occurred_at": at, "business_date": day}
    own_id, payment_id = id_here(document.sold_by, document.id), id_here(document.sold_by, document.payment_id)
    if document.kind is EvidenceKind.SALE:
        what: dict[str, Any] = {"member_id": document.member_id, "currency": document.currency, "gross_minor": document.amount_minor}
        told = PurchaseBody(payment_id=payment_id, store=f"brand {document.sold_by}", channel=CHANNEL, **what, **dates)
        said = sale(told, signer.brand_id, points_promised(told, signer.brand_id, signer.programme, rules))
        return replace(said, item=replace(said.item, day=None, gross_minor=None))  # of no till's day
    _check_follows(connection, document, EvidenceKind.SALE, document.payment_id)
    if document.kind is EvidenceKind.PAYMENT_REFUND:
        return payment_refund(PaymentRefundBody(refund_id=own_id, payment_id=payment_id, amount_minor=document.amount_minor, **dates))
    _check_follows(connection, document, EvidenceKind.PAYMENT_REFUND, document.id)
    return refund_failure(own_id, RefundFailureBody(occurred_at=dates["occurred_at"]), connection)


def _check_follows(connection: sqlite3.Connection, document: EvidenceDocument, kind: EvidenceKind, of: str) -> None:
    """What it follows was counted, and is about the same payment and member."""
    before = _counted(connection, document, kind, of)
    if before is None:
        raise _not_yet(f"{kind} {of} of brand {document.sold_by} was not counted here: its evidence comes first")
    if (before.payment_id, before.member_id, before.currency) != (document.payment_id, document.member_id, document.currency):
        raise TillRefused(409, "other_sale", f"{kind} {of} of brand {document.sold_by} is about another payment, member or currency")


def _counted(connection: sqlite3.Connection, document: EvidenceDocument, kind: EvidenceKind, of: str) -> EvidenceDocument | None:
    found = "SELECT document FROM evidence WHERE sold_by = ? AND kind = ? AND id = ?"
    row = connection.execute(found, (document.sold_by, kind, of)).fetchone()
    return None if row is None else EvidenceDocument.parse(row[0])


def _points(statement: Statement) -> int:
    if statement.item.points is None:
        raise _not_yet("no rule of this brand is in force for it, or one is about to be")
    return statement.item.points


def _use_budget(connection: sqlite3.Connection, partner: Partner, document: EvidenceDocument, points: int, utc_offset_seconds: int) -> None:
    """Whole or not at all. What went back later stays used."""
    month = month_of(document.occurred_at, utc_offset_seconds)
    for period, budget in ((IN_ALL, partner.budget_points), (month, partner.budget_month_points)):
        used = _used(connection, partner, period)
        if budget is not None and used + points > budget:
            left = f"{points} points are due, and of {budget} for sales of brand {partner.brand_id} ({period}) {used} are used"
            raise TillRefused(409, "over_budget", left, period=period, budget_points=budget, used_points=used, points=points)
        connection.execute("INSERT OR REPLACE INTO bonus_budgets VALUES (?, ?, ?)", (partner.brand_id, period, used + points))


def _used(connection: sqlite3.Connection, partner: Partner, period: str) -> int:
    found = "SELECT points FROM bonus_budgets WHERE sold_by = ? AND period = ?"
    row = connection.execute(found, (partner.brand_id, period)).fetchone()
    return 0 if row is None else int(row[0])


def _not_yet(detail: str) -> TillRefused:
    return TillRefused(503, LATER, f"{detail}: send it again later")
