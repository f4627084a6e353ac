"""Walks through the sales day by day in simulated time: members pay with points, earn, are refunded, and their points expire.

A day's decisions are written down before the first request and every request has a key made of its payment: a walk that was
interrupted takes the day up again and does nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from time import sleep
from typing import Any

from gateway.brand_signer import register_writer
from scripts.demo.client import Refused
from scripts.demo.coalition import CURRENCY, UTC_OFFSET_SECONDS
from scripts.demo.day_plan import PointPayment, decide_day, from_json, to_json
from scripts.demo.expiry import await_expiry
from scripts.demo.generator.actuals import PaidSale, PaymentRefund
from scripts.demo.generator.planning import Plan, PlannedRefund
from scripts.demo.sales import Extract, Sale
from scripts.demo.till import Till
from scripts.demo.world import World

DAY_STARTS = time(12)
LOOK_AGAIN_SECONDS = 0.01
OPEN = ("accepted", "packed")
ZONE = timezone(timedelta(seconds=UTC_OFFSET_SECONDS))


class NotSettled(Exception):
    """An operation that was acknowledged did not end in time."""


@dataclass
class Actuals:
    """What happened at the tills, for the generator of the provider files; and what was refused on the way."""

    sales: list[PaidSale] = field(default_factory=list)
    refunds: list[PaymentRefund] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    paid_by_passkey: int = 0


def first_second(extract: Extract) -> int:
    """When the chain begins: the noon before the first day."""
    return moment(extract.first_day - timedelta(days=1))


def moment(day: date) -> int:
    """The Unix second at which a day of the walk starts."""
    return int(datetime.combine(day, DAY_STARTS, tzinfo=ZONE).timestamp())


def walk(world: World, extract: Extract, plan: Plan, seed: str, progress: Callable[[date, int], None]) -> Actuals:
    """Every day of the extract; days done before are only read."""
    actuals = Actuals()
    with ThreadPoolExecutor(max_workers=16, thread_name_prefix="till") as pool:
        for day, sales in extract.by_day.items():
            _Day(world, plan, seed, day, sales, actuals, pool).walk()
            progress(day, len(actuals.sales))
    return actuals


class _Day:
    def __init__(
        self, world: World, plan: Plan, seed: str, day: date, sales: Sequence[Sale], actuals: Actuals, pool: ThreadPoolExecutor
    ) -> None:
        self._world = world
        self._seed = seed
        self._day = day
        self._sales = sales
        self._refunds = plan.refunds_on(day)
        self._actuals = actuals
        self._pool = pool
        self._file = f"walk/{day}.json"

    def walk(self) -> None:
        kept: dict[str, Any] = self._world.directory.read(self._file) or {}
        if not kept.get("done"):
            kept = self._live(kept)
        self._actuals.refused.update(kept["refused"])
        done = kept["paid_with_points_minor"]
        self._actuals.paid_by_passkey += sum(one["proof_kind"] == 3 and one["payment_id"] in done for one in kept["payments"])
        for sale in self._sales:
            self._actuals.sales.append(self._paid(sale, kept["paid_with_points_minor"].get(sale.payment_id, 0)))
        paid = {sale.payment_id: sale for sale in self._actuals.sales}
        for refund in self._refunds:
            amount = refund.amount_minor(paid[refund.payment_id].money_minor)
            if amount > 0:
                self._actuals.refunds.append(PaymentRefund(refund.brand, refund.refund_id, refund.payment_id, amount, refund.at))

    def _live(self, kept: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        world.clock.advance_to(moment(self._day))
        self._await_projection()
        await_expiry(world, self._day)
        if "payments" not in kept:
            kept = {"payments": to_json(decide_day(world, self._sales, self._seed, self._pool))}
            world.directory.keep(self._file, kept)
        payments = from_json(kept["payments"])
        refused: Counter[str] = Counter()
        paid: dict[str, int] = {}
        self._trade(self._consented(payments, refused), paid, refused)
        self._refund_points(payments, paid, refused)
        kept |= {"paid_with_points_minor": paid, "refused": dict(refused), "done": True}
        world.directory.keep(self._file, kept)
        return kept

    def _await_projection(self) -> None:
        """The gateway has seen the new day before anything is asked of it."""
        while True:
            head = self._world.operator.get("/v1/coalition")["head"]
            if head and head["timestamp"] >= moment(self._day):
                return
            self._world.supervisor.check()
            sleep(LOOK_AGAIN_SECONDS)

    def _consented(self, payments: Sequence[PointPayment], refused: Counter[str]) -> list[PointPayment]:
        """Those redeemed or authorized on the ledger now. All brands' come before anything else of the day: lots are chosen here."""
        calls = []
        at = {sale.payment_id: sale.occurred_at(UTC_OFFSET_SECONDS) for sale in self._sales}
        for till in self._world.tills.values():
            mine = [payment for payment in payments if payment.brand == till.brand.slug]
            till.register.append(
                register_writer.order_record(one.payment_id, one.member_id, one.points, at[one.payment_id], one_step=one.mode == "redeem")
                for one in mine
            )
            at_once = [payment for payment in mine if payment.mode == "redeem"]
            first_authorized = [payment for payment in mine if payment.mode != "redeem"]
            calls.append(self._pool.submit(self._consents, till, "redemptions", at_once, refused))
            calls.append(self._pool.submit(self._consents, till, "authorizations", first_authorized, refused))
        return [payment for call in calls for payment in call.result()]

    def _trade(self, accepted: Sequence[PointPayment], paid: dict[str, int], refused: Counter[str]) -> None:
        """Each brand finishes its authorizations, then sells, then refunds, without waiting for the other brands.

        Only refunds wait until every brand has finished its authorizations: a clawback takes points that are not reserved anywhere.
        `paid` becomes what was captured, in money, by payment id.
        """
        finished = {
            slug: self._pool.submit(self._finish, till, [payment for payment in accepted if payment.brand == slug], paid, refused)
            for slug, till in self._world.tills.items()
        }
        sold = [self._pool.submit(self._sell, till, finished[slug], paid, refused) for slug, till in self._world.tills.items()]
        wait(finished.values())
        for call in sold:
            call.result()
        refunded = [self._pool.submit(self._refund_payments, till, paid, refused) for till in self._world.tills.values()]
        for call in refunded:
            call.result()

    def _consents(self, till: Till, verb: str, payments: Sequence[PointPayment], refused: Counter[str]) -> list[PointPayment]:
        """Those of the payments that are on the ledger now."""
        if not payments:
            return []
        body = {verb: [payment.consent_body() for payment in payments]}
        results = self._bulk(till, f"/v1/{verb}/bulk", body, f"{verb}-{self._day}-{till.brand.slug}", refused)
        return [payment for payment, confirmed in zip(payments, results, strict=True) if confirmed]

    def _finish(self, till: Till, accepted: Sequence[PointPayment], paid: dict[str, int], refused: Counter[str]) -> None:
        """Captures or voids what a brand has authorized."""
        voids = [self._pool.submit(self._void, till, payment, refused) for payment in accepted if payment.mode == "void"]
        done = [payment for payment in accepted if payment.mode == "redeem"]
        done += self._captures(till, [payment for payment in accepted if payment.mode not in ("redeem", "void")], refused)
        paid |= {payment.payment_id: till.brand.worth_minor(payment.captured) for payment in done}
        for void in voids:
            void.result()

    def _captures(self, till: Till, payments: Sequence[PointPayment], refused: Counter[str]) -> list[PointPayment]:
        """Those of the payments that were captured."""
        if not payments:
            return []
        till.register.append(
            register_writer.capture_record(f"{one.payment_id}-C", one.payment_id, one.member_id, one.captured) for one in payments
        )
        captures = [{"reservation_id": one.reservation_id, "capture_id": f"{one.payment_id}-C", "points": one.captured} for one in payments]
        results = self._bulk(till, "/v1/captures/bulk", {"captures": captures}, f"captures-{self._day}-{till.brand.slug}", refused)
        return [payment for payment, confirmed in zip(payments, results, strict=True) if confirmed]

    def _void(self, till: Till, payment: PointPayment, refused: Counter[str]) -> None:
        void_id = f"{payment.payment_id}-V"
        till.register.append([register_writer.void_record(void_id, payment.payment_id, payment.member_id)])
        path = f"/v1/authorizations/{payment.reservation_id}/void"
        try:
            self._settled(till.client.post, path, {"void_id": void_id}, f"void-{payment.payment_id}")
        except Refused as refusal:
            refused[str(refusal.problem.get("code"))] += 1

    def _sell(self, till: Till, finished: Future[None], paid: dict[str, int], refused: Counter[str]) -> None:
        """The day's purchases, once it is known what of them was paid with points."""
        finished.result()
        self._buy(till, paid, refused)

    def _buy(self, till: Till, paid: dict[str, int], refused: Counter[str]) -> None:
        sales = [sale for sale in self._sales if sale.brand == till.brand.slug]
        if not sales:
            return
        bodies = [self._purchase_body(sale, paid.get(sale.payment_id, 0)) for sale in sales]
        if till.agent is not None:
            refused.update(till.agent.sell(bodies))
            return
        till.register.append(self._sale_record(sale, paid.get(sale.payment_id, 0)) for sale in sales)
        self._bulk(till, "/v1/purchases/bulk", {"purchases": bodies}, f"purchases-{self._day}-{till.brand.slug}", refused)

    def _refund_payments(self, till: Till, paid: dict[str, int], refused: Counter[str]) -> None:
        bodies = [self._refund_body(refund, paid) for refund in self._refunds if refund.brand == till.brand.slug]
        bodies = [body for body in bodies if body["amount_minor"] > 0]
        if not bodies:
            return
        if till.agent is not None:
            refused.update(till.agent.refund(bodies))
            return
        till.register.append(register_writer.refund_record(body["refund_id"], body["payment_id"], body["amount_minor"]) for body in bodies)
        key = f"payment-refunds-{self._day}-{till.brand.slug}"
        self._bulk(till, "/v1/payment-refunds/bulk", {"payment_refunds": bodies}, key, refused)

    def _refund_points(self, payments: Sequence[PointPayment], paid: dict[str, int], refused: Counter[str]) -> None:
        due = [payment for payment in payments if payment.refunded and payment.payment_id in paid]
        list(self._pool.map(lambda payment: self._refund_points_of(payment, refused), due))

    def _refund_points_of(self, payment: PointPayment, refused: Counter[str]) -> None:
        till = self._world.tills[payment.brand]
        point_refund_id = f"{payment.payment_id}-P"
        decided = register_writer.point_refund_record(point_refund_id, payment.payment_id, payment.member_id, payment.refunded)
        till.register.append([decided])
        body = {"point_refund_id": point_refund_id, "points": payment.refunded}
        path = f"/v1/authorizations/{payment.reservation_id}/point-refunds"
        try:
            self._settled(till.client.post, path, body, f"point-refund-{payment.payment_id}")
        except Refused as refusal:
            refused[str(refusal.problem.get("code"))] += 1

    def _bulk(self, till: Till, path: str, body: Any, key: str, refused: Counter[str]) -> list[bool]:
        """Whether each item is on the ledger, or needs not be there."""
        answer = self._settled(till.client.post, path, body, key)
        confirmed = []
        for result in answer["results"]:
            operation = result["operation"]
            reason = None
            if result["status"] == "refused":
                reason = str(result["problem"]["code"])
            elif operation and operation["status"] == "refused":
                reason = str(operation["reason"])
            if reason:
                refused[reason] += 1
            confirmed.append(reason is None)
        return confirmed

    def _settled(self, post: Callable[..., Any], path: str, body: Any, key: str) -> Any:
        """Sends, and sends again under the same key until every operation has ended."""
        for _ in range(20):
            answer = post(path, body, key)
            results = answer.get("results", [answer])
            if not any(result["operation"] and result["operation"]["status"] in OPEN for result in results):
                return answer
        raise NotSettled(f"{path} ({key}) has operations that do not end; see the gateway's health and log")

    def _sale_record(self, sale: Sale, paid_with_points_minor: int) -> dict[str, Any]:
        member, at = self._world.members[sale.household], sale.occurred_at(UTC_OFFSET_SECONDS)
        return register_writer.sale_record(sale.payment_id, member, at, sale.gross_minor, 0, paid_with_points_minor)

    def _purchase_body(self, sale: Sale, paid_with_points_minor: int) -> dict[str, Any]:
        return {
            "payment_id": sale.payment_id,
            "member_id": self._world.members[sale.household],
            "store": sale.store,
            "channel": "shop",
            "currency": CURRENCY,
            "gross_minor": sale.gross_minor,
            "tax_minor": 0,
            "paid_with_points_minor": paid_with_points_minor,
            "occurred_at": sale.occurred_at(UTC_OFFSET_SECONDS).isoformat(),
            "business_date": sale.business_date.isoformat(),
            "lines": [{"category": line.category, "quantity": line.quantity, "amount_minor": line.amount_minor} for line in sale.lines],
        }

    def _refund_body(self, refund: PlannedRefund, paid: dict[str, int]) -> dict[str, Any]:
        return {
            "refund_id": refund.refund_id,
            "payment_id": refund.payment_id,
            "amount_minor": refund.amount_minor(self._money_of(refund.payment_id, paid)),
            "occurred_at": refund.at.replace(tzinfo=ZONE).isoformat(),
            "business_date": refund.at.date().isoformat(),
        }

    def _money_of(self, payment_id: str, paid: dict[str, int]) -> int:
        """What the payment provider saw of a payment of today or an earlier day."""
        for sale in self._sales:
            if sale.payment_id == payment_id:
                return sale.gross_minor - paid.get(payment_id, 0)
        return next(sale.money_minor for sale in self._actuals.sales if sale.payment_id == payment_id)

    def _paid(self, sale: Sale, points_minor: int) -> PaidSale:
        member = self._world.members[sale.household]
        return PaidSale(sale.brand, sale.payment_id, member, sale.sold_at, CURRENCY, sale.gross_minor, points_minor)
