"""Builders of facts: purchases, reported refunds and records, with a date given as days from the first."""

from datetime import date, timedelta

from gateway.payments.record import PaymentRecord, RecordKind
from gateway.reconciliation.facts import ExpectedPayment, Facts, KeptRecord, ReportedRefund
from gateway.reconciliation.matching import Reconciled, reconcile

FIRST = date(2019, 3, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def purchase(payment_id: str = "A", minor: int = 1000, on: int = 0, *, currency: str = "USD", due: int = 10, issued: int | None = 10):
    return ExpectedPayment(
        payment_id, currency, minor, day(on), due, issued, "its issue is confirmed" if issued else "its issue is accepted"
    )


def refund(refund_id: str, minor: int, payment_id: str = "A", on: int = 1, *, done: bool = True):
    return ReportedRefund(refund_id, payment_id, minor, day(on), done, "its clawback is confirmed" if done else "its clawback is accepted")


class Records:
    """Numbers records as a database would."""

    def __init__(self) -> None:
        self.kept: list[KeptRecord] = []

    def add(
        self,
        kind: RecordKind,
        minor: int,
        payment_id: str | None = "A",
        on: int = 1,
        *,
        key: str | None = None,
        fee: int = 0,
        currency: str = "USD",
        payout_id: str | None = None,
        refund_id: str | None = None,
    ) -> "Records":
        number = len(self.kept) + 1
        record = PaymentRecord(
            line_number=number + 1,
            provider="stripe",
            kind=kind,
            provider_record_id=key or f"txn_{number}",
            payment_id=payment_id,
            refund_id=refund_id,
            currency=currency,
            gross_minor=minor,
            fee_minor=fee,
            net_minor=minor - fee,
            occurred_at=f"{day(on).isoformat()}T12:00:00+00:00",
            business_date=day(on),
            payout_id=payout_id,
        )
        self.kept.append(KeptRecord(number, record))
        return self

    def charge(self, minor: int = 1000, payment_id: str | None = "A", on: int = 1, **more) -> "Records":
        return self.add(RecordKind.CHARGE, minor, payment_id, on, **more)

    def refund(self, minor: int, payment_id: str | None = "A", on: int = 2, **more) -> "Records":
        return self.add(RecordKind.REFUND, -minor, payment_id, on, **more)


def reconciled(purchases=(), records: Records | None = None, refunds=(), cut_off: int = 30) -> Reconciled:
    return reconcile(Facts(day(cut_off), tuple(purchases), tuple(refunds), tuple((records or Records()).kept)))


def kinds(result: Reconciled) -> list[str]:
    return sorted(found.kind.value for found in result.breaks)
