"""What the gateway's daily runs let expire: waited for before a day's trade, and told at the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from time import sleep
from typing import Any

from scripts.demo.coalition import BY_ID
from scripts.demo.world import World

LOOK_AGAIN_SECONDS = 0.01


def await_expiry(world: World, day: date) -> None:
    """Until what has expired by this day is gone: a refund of the day finds the same lots, whoever is faster."""
    while True:
        told = world.operator.get("/v1/expiry-runs")
        if told["day"] >= day.isoformat() and told["is_through"] and all(run["finished_at"] for run in told["expiry_runs"]):
            return
        world.supervisor.check()
        sleep(LOOK_AGAIN_SECONDS)


def tell(world: World) -> dict[str, dict[str, int]]:
    """By brand: how many runs there were, and what became of their operations."""
    told: dict[str, dict[str, int]] = {}
    for run in _runs(world):
        brand = BY_ID.get(run["brand_id"])
        name = brand.slug if brand else f"brand-{run['brand_id']}"
        sums = told.setdefault(name, {"runs": 0, "points": 0, "confirmed": 0, "refused": 0})
        sums["runs"] += 1
        sums["points"] += run["confirmed"]["points"]
        sums["confirmed"] += run["confirmed"]["operations"]
        sums["refused"] += run["refused"]["operations"]
    return dict(sorted(told.items()))


def line(summary: dict[str, Any]) -> str:
    """For people."""
    told = [
        f"{summary['brands'][slug]['name']} {one['points']:,} points in {one['runs']} run{'s' * (one['runs'] != 1)}"
        for slug, one in summary["expiry_runs"].items()
    ]
    return f"Expired by the daily run: {'; '.join(told) or 'nothing yet'}"


def _runs(world: World) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {"limit": 200}
    while True:
        page = world.operator.get("/v1/expiry-runs", **asked)
        yield from page["expiry_runs"]
        if page["next_cursor"] is None:
            return
        asked["cursor"] = page["next_cursor"]
