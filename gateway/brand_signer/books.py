"""A brand's books as the checks see them, and what all checks share: a refusal is the code of its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.brand_signer.config import Programme
from gateway.brand_signer.register_records import RegisteredSale
from gateway.brand_signer.sales_register import SalesRegister
from gateway.brand_signer.signed_state import SignedState
from gateway.ledger import lots
from gateway.loyalty.rule import EarningRule, rule_in_force, rules_in_force
from gateway.values import calendar
from gateway.values.ids import Reference
from gateway.values.points import Points

Detail = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Books:
    """What entries are held against: the programme, the sales, the secret that keys references, and the brand's own clock.

    The chain's time is whatever its sealer writes, so no day is over because the gateway says so. On a sandbox chain, whose time is
    simulated, there is no clock. `followed`: versions of the rule that came after those of the programme. A version is good for a sale
    so many seconds after the next one came into force, too: the gateway may have accepted the sale before.
    """

    programme: Programme
    register: SalesRegister
    reference_secret: bytes
    utc_offset_seconds: int
    clock: Callable[[], int] | None
    followed: Callable[[], Sequence[EarningRule]] = tuple
    rule_overlap_seconds: int = 0

    def rule_for(self, occurred_at: int, named: int) -> EarningRule | None:
        """The version that is named where it is good for a sale then; otherwise the one that is due."""
        rules = (*self.programme.rules, *self.followed())
        good = rules_in_force(rules, occurred_at - self.rule_overlap_seconds, occurred_at)
        return next((rule for rule in good if rule.version == named), None) or rule_in_force(rules, occurred_at)

    def is_over(self, expiry_day: int) -> bool:
        return self.clock is None or lots.is_expired(expiry_day, self.clock(), self.utc_offset_seconds)


class NotSupported(Exception):
    """The brand's books do not support the entry; the text is the reason's code."""


def require(condition: bool, reason: str) -> None:
    if not condition:
        raise NotSupported(reason)


def check_unused(stated: Reference, due: Reference, signed: SignedState) -> None:
    require(stated == due, "reference_mismatch")
    require(stated not in signed.references, "already_signed")


def external_id(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise NotSupported("detail_mismatch")
    return value


def expiry_fits(expiry_day: int, occurred_at: int, books: Books) -> bool:
    """The month end that the programme promises, counted from a day between the sale and the last on which it may be reported."""
    soonest = lots.expiry_day_for(occurred_at, books.utc_offset_seconds, books.programme.lot_validity_months)
    is_promised = expiry_day == calendar.NEVER or calendar.is_month_end(expiry_day)
    return soonest <= expiry_day <= _latest_expiry(occurred_at, books) and is_promised


def is_late(expiry_day: int, occurred_at: int, books: Books) -> bool:
    """A month end, but of a sale that was reported after the last day on which it may be."""
    return calendar.is_month_end(expiry_day) and expiry_day > _latest_expiry(occurred_at, books) != calendar.NEVER


def _latest_expiry(occurred_at: int, books: Books) -> int:
    reported = occurred_at + books.programme.report_days_max * calendar.SECONDS_PER_DAY
    return lots.expiry_day_for(reported, books.utc_offset_seconds, books.programme.lot_validity_months)


def due_back(points: Points, sale: RegisteredSale, books: Books) -> int:
    """Of an award's points, by the money that has gone back: refunds that failed do not count."""
    failed = books.register.failures_of(sale.payment_id)
    refunds = books.register.refunds(sale.payment_id)
    refunded_minor = min(sale.paid_minor, sum(one.amount_minor for one in refunds.values() if one.refund_id not in failed))
    return points * refunded_minor // sale.paid_minor
