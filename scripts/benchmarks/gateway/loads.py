"""What each load sends: to the brands' agents one call a sale, to the gateway one or hundreds a call, and reads."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

from gateway.ledger.signing import reference
from scripts.benchmarks.gateway.brands import in_shares
from scripts.benchmarks.gateway.connection import request
from scripts.benchmarks.gateway.driving import Call, Job
from scripts.benchmarks.gateway.shop import Saying, Shop
from scripts.benchmarks.gateway.task import Seller, Task

Make = Callable[[], Job | None]  # None: there is no more
PATHS = {"purchase": "/v1/purchases", "payment_refund": "/v1/payment-refunds"}
_PREFIXES = {"purchase": "payment", "payment_refund": "refund"}
BULK = 500
BULK_REFUNDS = BULK * 3 // 100
BULK_AGAIN = BULK // 100
WAIT_SECONDS = 10


class Register:
    """The file that a shop writes of itself: its lines are there before the gateway hears of them. Not synced to disk."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, lines: str) -> None:
        if lines:
            os.write(self._file, lines.encode())


class Loads:
    """Of one task."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.members = Path(task.members_file).read_text().split()
        self.shops = [Shop(seller, task.run, self.members, task.now) for seller in task.sellers]
        self._registers = [Register(seller.register) for seller in task.sellers]
        self._order = cycle(in_shares(len(task.sellers)))
        self._random = random.Random(task.run)  # noqa: S311 - who is asked about, not a secret
        self._secrets = [bytes.fromhex(seller.secret) for seller in task.sellers]

    def make(self) -> Make:
        """The function that gives the next job."""
        found: Any = {
            "single_call": self._to_agent,
            "direct_call": self._to_gateway,
            "one_at_a_time": lambda: self._to_gateway(waiting=True),
            "bulk": self._bulk,
            "history": _each(self._history()),
            "read": self._read,
        }
        if self.task.what == "redeem":
            from scripts.benchmarks.gateway.redeeming import redemptions

            return _each(redemptions(self.task, self._order, self._secrets))
        make: Make = found[self.task.what]
        return make

    def _to_agent(self) -> Job:
        place = next(self._order)
        shop = self.shops[place]
        saying, seller = shop.next(), shop.seller
        content = request("POST", PATHS[saying.kind], seller.agent_port, seller.till_token, saying.body)
        return self._job(place, [saying], [Call(seller.agent_port, content)])

    def _to_gateway(self, *, waiting: bool = False) -> Job:
        place = next(self._order)
        shop = self.shops[place]
        saying = shop.sale() if waiting else shop.next()
        headers = {"Idempotency_Key": f"{saying.kind}-{saying.id}"}
        if waiting:
            headers["Prefer"] = f"wait={WAIT_SECONDS}"
        content = self._post(shop.seller, PATHS[saying.kind], saying.body, headers)
        return self._job(place, [saying], [content], lambda: self._registers[place].write(saying.line))

    def _bulk(self) -> Job:
        """Sales, some of them again, and the refunds of earlier ones in a call of their own."""
        place = next(self._order)
        shop = self.shops[place]
        again = [shop.again() for _ in range(BULK_AGAIN)] if shop.has_sold else []
        refunds = [shop.refund() for _ in range(min(BULK_REFUNDS, shop.has_sold))]
        sales = [shop.sale() for _ in range(BULK - len(again))]
        return self._together(place, [*sales, *again], refunds)

    def _history(self) -> Iterator[Job]:
        """The earlier purchases: each brand's share of them, every member in turn."""
        given, number = cycle(self.members), 0
        while count := min(BULK, self.task.options["purchases"] - number):
            place = next(self._order)
            number += count
            yield self._together(place, [self.shops[place].sale(next(given)) for _ in range(count)], [])

    def _together(self, place: int, sales: list[Saying], refunds: list[Saying]) -> Job:
        seller = self.shops[place].seller
        calls = [self._all(seller, "purchases", sales)]
        if refunds:
            calls.append(self._all(seller, "payment_refunds", refunds))
        lines = "".join(saying.line for saying in (*sales, *refunds))
        return self._job(place, [*sales, *refunds], calls, lambda: self._registers[place].write(lines))

    def _all(self, seller: Seller, name: str, sayings: list[Saying]) -> Call:
        body = f'{{"{name}":[{",".join(saying.body for saying in sayings)}]}}'
        headers = {"Idempotency_Key": f"bulk-{name}-{sayings[0].id}"}
        call = self._post(seller, f"/v1/{name.replace('_', '-')}/bulk", body, headers)
        return replace(call, expects=b'"refused":0')

    def _post(self, seller: Seller, path: str, body: str, headers: dict[str, str]) -> Call:
        port = self.task.gateway_port
        return Call(port, request("POST", path, port, seller.api_key, body, **headers))

    def _job(self, place: int, sayings: list[Saying], calls: list[Call], before: Callable[[], None] | None = None) -> Job:
        shop, secret = self.shops[place], self._secrets[place]
        new = [saying for saying in sayings if saying.is_new]

        def done() -> None:
            for saying in new:
                shop.told(saying)

        made = [bytes(reference(secret, _PREFIXES[saying.kind], saying.id)) for saying in new]
        return Job(calls, len(new), made, done, before, len(sayings))

    def _read(self) -> Job:
        seller = self.task.sellers[next(self._order)]
        member = self._random.choice(self.members)
        port = self.task.gateway_port
        return Job([Call(port, request("GET", f"/v1/members/{member}/points", port, seller.api_key))])


def _each(jobs: Iterator[Job]) -> Make:
    return lambda: next(jobs, None)
