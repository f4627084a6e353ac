"""The end of one brand: its owner hands it to a successor, both sign and it issues no more, and it runs off by an act of governance."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from scripts.demo.coalition import BY_SLUG
from scripts.demo.second_people import addresses
from scripts.demo.walk import ZONE
from scripts.demo.world import World, publish_keys

SLUG = "deli"
SUCCESSOR = "successor-deli"
_GRACE_DAYS = 7  # between proposal and execution the earliest last day moves on


def end_a_brand(world: World) -> dict[str, Any]:
    """What has become of it; on a second run it has happened already."""
    brand_id = BY_SLUG[SLUG].brand_id
    path = f"/v1/brands/{brand_id}"
    before = world.operator.get(path)
    (successor,) = addresses(world.directory, [SUCCESSOR])
    if before["owner_address"] != successor.lower():
        world.await_operation(world.second_people.hand_over(brand_id, f"owner-{SLUG}", SUCCESSOR))
    publish_keys(world, BY_SLUG[SLUG], SUCCESSOR, 2)
    if before["status"] in ("active", "suspended"):  # the latter where a run was cut short between hand-over and run-off
        today = datetime.fromtimestamp(world.clock.head_timestamp(), ZONE).date()
        last_day = today + timedelta(days=before["held_terms"]["run_off_days"] + _GRACE_DAYS)
        answer = world.operator.post(f"{path}/run-off", {"last_day": last_day.isoformat()}, f"run-off-{SLUG}", wait_seconds=0)
        world.second_people.carry_out([answer["operation_id"]])
    after = world.operator.get(path)
    return {
        "brand_id": brand_id,
        "name": after["name"],
        "status": after["status"],
        "last_day": (date(1970, 1, 1) + timedelta(days=after["last_day"])).isoformat(),
        "handed_over": after["owner_address"] == successor.lower(),
    }
