"""A walk in short: the sales as paid, some partly or wholly with points, and the refunds that the plan wants told."""

from __future__ import annotations

from scripts.demo.generator.actuals import PaidSale, PaymentRefund
from scripts.demo.generator.planning import Plan, make_plan
from scripts.demo.sales import Extract

UTC_OFFSET_SECONDS = -5 * 3600


def plan_of(extract: Extract, seed: int = 7) -> Plan:
    return make_plan(extract.sales, seed, extract.first_day, extract.last_day)


def walk(extract: Extract, plan: Plan) -> tuple[list[PaidSale], list[PaymentRefund]]:
    """Every 9th sale is paid half with points, every 31st wholly."""
    paid = []
    for number, sale in enumerate(extract.sales):
        points_minor = sale.gross_minor if number % 31 == 0 else sale.gross_minor // 2 if number % 9 == 0 else 0
        member = f"member-{sale.household}"
        paid.append(PaidSale(sale.brand, sale.payment_id, member, sale.sold_at, extract.currency, sale.gross_minor, points_minor))
    money = {sale.payment_id: sale.money_minor for sale in paid}
    refunds = [
        PaymentRefund(one.brand, one.refund_id, one.payment_id, one.amount_minor(money[one.payment_id]), one.at)
        for one in plan.refunds
        if one.amount_minor(money[one.payment_id])
    ]
    return paid, refunds
