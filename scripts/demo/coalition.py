"""The demo coalition: its four shops and a bonus programme. The slugs of the shops are those of the sales extract."""

from __future__ import annotations

from dataclasses import dataclass

NAME = "Demo coalition"
CURRENCY = "USD"
UTC_OFFSET_SECONDS = -5 * 3600
POINTS_LIMIT = 5_000_000


@dataclass(frozen=True)
class DemoBrand:
    """`earns`: points per 100 minor units. `par` and `redemption`: minor units per point, numerator and denominator."""

    brand_id: int
    slug: str
    name: str
    earns: int
    lot_validity_months: int
    par: tuple[int, int]
    redemption: tuple[int, int]
    layout: str
    extends_by_activity: bool = False
    has_agent: bool = False  # its tills call the brand's agent; the others call the gateway, and a signer reads their register
    second_store: str = ""  # whose tills call an agent of that store's own, which only forwards
    points_limit: int = POINTS_LIMIT  # that may be outstanding, and that it lets itself be owed of each other brand

    def worth_minor(self, points: int) -> int:
        """What points pay at this brand."""
        return points * self.redemption[0] // self.redemption[1]


STRIPE = "stripe-payout-reconciliation"
BRANDS = (
    DemoBrand(1, "grocer", "Corner Grocer", 2, 12, (1, 1), (1, 1), STRIPE),
    DemoBrand(2, "drugstore", "Main Street Drugstore", 3, 6, (1, 1), (1, 1), "mapped:terminal", extends_by_activity=True),
    DemoBrand(3, "fuel", "Fuel Station", 1, 1, (9, 10), (1, 1), STRIPE),
    DemoBrand(4, "deli", "Deli Counter", 5, 1, (1, 1), (11, 10), "mapped:card-machine", has_agent=True, second_store="market-hall"),
)
BONUS = DemoBrand(9, "bonus", "Town Bonus", 2, 12, (1, 1), (1, 1), "", has_agent=True)  # sells nothing; a newcomer by hand is brand 5
BY_SLUG = {brand.slug: brand for brand in BRANDS}
BY_ID = {brand.brand_id: brand for brand in (*BRANDS, BONUS)}
