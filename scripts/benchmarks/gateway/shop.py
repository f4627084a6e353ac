"""What a brand's tills have to say: sales of four lines, payment refunds of earlier ones, and now and then something again."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from scripts.benchmarks.gateway.task import Seller

Kind = Literal["purchase", "payment_refund"]
REFUND_AT = (32, 65, 98)  # of each hundred
AGAIN_AT = (49,)
_CATEGORIES = ("dairy", "produce", "bakery", "household", "frozen", "drinks")


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing that a till says; `line` is the register's. `is_new`: it makes an entry, which what is said again does not."""

    kind: Kind
    id: str
    body: str
    line: str
    is_new: bool = True


class Shop:
    """One brand's, in one load. `told(saying)` lets it be refunded or said again."""

    def __init__(self, seller: Seller, run: str, members: Sequence[str], now: int) -> None:
        self.seller = seller
        self._members = members
        self._name = f"{run}-{seller.brand_id}"
        self._count = 0
        self._random = random.Random(self._name)  # noqa: S311 - what is bought, not a secret
        self._sold: deque[tuple[str, int, Saying]] = deque(maxlen=10_000)
        self._last: Saying | None = None
        moment = datetime.fromtimestamp(now, UTC)
        self._occurred_at, self._day = moment.isoformat(), moment.date().isoformat()
        self._totals: dict[str, int] = {}

    def next(self) -> Saying:
        """A sale, most of the time."""
        place = self._count % 100
        self._count += 1
        if place in REFUND_AT and self._sold:
            return self.refund()
        if place in AGAIN_AT and self._last is not None:
            return self.again()
        return self.sale()

    def sale(self, member: str | None = None) -> Saying:
        payment_id = f"{self._name}-{len(self._totals)}"
        draw = self._random
        amounts = [draw.randrange(300, 3_000) for _ in range(4)]
        total = sum(amounts)
        self._totals[payment_id] = total
        member = member or self._members[draw.randrange(len(self._members))]
        lines = ",".join(
            f'{{"category":"{_CATEGORIES[(total + place) % 6]}","quantity":1,"amount_minor":{amount}}}'
            for place, amount in enumerate(amounts)
        )
        body = (
            f'{{"payment_id":"{payment_id}","member_id":"{member}","store":"s-1","channel":"till","currency":"USD","gross_minor":{total},'
            f'"occurred_at":"{self._occurred_at}","business_date":"{self._day}","lines":[{lines}]}}'
        )
        line = (
            f'{{"type":"sale","payment_id":"{payment_id}","member_id":"{member}","occurred_at":"{self._occurred_at}",'
            f'"gross_minor":{total},"tax_minor":0,"paid_with_points_minor":0}}\n'
        )
        return Saying("purchase", payment_id, body, line)

    def refund(self) -> Saying:
        """Half of the oldest sale that was told and not refunded."""
        payment_id, total, _ = self._sold.popleft()
        refund_id = f"r-{payment_id}"
        body = (
            f'{{"refund_id":"{refund_id}","payment_id":"{payment_id}","amount_minor":{total // 2},'
            f'"occurred_at":"{self._occurred_at}","business_date":"{self._day}"}}'
        )
        line = f'{{"type":"refund","refund_id":"{refund_id}","payment_id":"{payment_id}","amount_minor":{total // 2}}}\n'
        return Saying("payment_refund", refund_id, body, line)

    def again(self) -> Saying:
        """The last sale that was told: same id, same content; it makes no entry."""
        assert self._last is not None
        return Saying(self._last.kind, self._last.id, self._last.body, "", is_new=False)

    @property
    def has_sold(self) -> int:
        """Sales that may be refunded."""
        return len(self._sold)

    def told(self, saying: Saying) -> None:
        """It was answered."""
        if saying.kind == "purchase" and saying.is_new:
            self._sold.append((saying.id, self._totals[saying.id], saying))
            self._last = saying


def _line(category: str, amount: int) -> str:
    return f'{{"category":"{category}","quantity":1,"amount_minor":{amount}}}'
