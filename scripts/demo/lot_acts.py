"""Acts on lots: a brand brings points along from its stamp card, another keeps points alive by activity, and a refund of a third failed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from typing import Any

from gateway.brand_signer import register_writer
from scripts.demo.client import Refused
from scripts.demo.coalition import BRANDS, BY_SLUG
from scripts.demo.generator.actuals import PaymentRefund
from scripts.demo.till import Till
from scripts.demo.walk import ZONE
from scripts.demo.world import World

OPENS = "grocer"
REFUND_FAILS_AT = "grocer"
PROGRAMME = "stamp-card"
RATIO_POINTS, RATIO_UNITS = 1, 2
EXPIRES_ON = date(2017, 12, 31)
_NOBODY = "0x" + "0e" * 20
_EVERY = 3  # of so many households one had a stamp card
_SECONDS = 120


def bring_along(world: World) -> str:
    """The stamp card's balances come over, once; the id of the import."""
    till = world.tills[OPENS]
    path = world.directory.brand(OPENS) / f"{PROGRAMME}.csv"
    content = _stamp_card(world.members)
    if not path.exists():
        path.write_bytes(content)
        till.register.append([register_writer.opening_file_record(path, PROGRAMME, RATIO_POINTS, RATIO_UNITS, EXPIRES_ON)])
    terms: dict[str, str | int] = {
        "programme": PROGRAMME,
        "ratio_points": RATIO_POINTS,
        "ratio_units": RATIO_UNITS,
        "expires_on": EXPIRES_ON.isoformat(),
    }
    answer = till.client.upload("/v1/opening-files", content, f"openings-{len(world.members)}", file_name=path.name, **terms)
    opening_file_id: str = answer["opening_file_id"]
    until = time.monotonic() + _SECONDS
    while _opening(till, opening_file_id)["states"]["pending"]["lines"]:
        if time.monotonic() > until:
            raise Refused(503, {"code": "pending", "detail": "the openings do not come on the ledger: see the gateway's log"})
        time.sleep(0.05)
    return opening_file_id


def keep_alive_by_activity(world: World) -> None:
    """The brands that promise it say so to the gateway, as their signers have it from their settings."""
    for brand in BRANDS:
        if brand.extends_by_activity:
            body = {"extends_by_activity": True}
            world.tills[brand.slug].client.post(f"/v1/brands/{brand.brand_id}/settings", body, f"settings-{brand.slug}")


def fail_a_refund(world: World, refunds: Sequence[PaymentRefund]) -> dict[str, Any] | None:
    """The bank could not pay one refund out: its clawback is taken back. None where no refund took any points."""
    till = world.tills[REFUND_FAILS_AT]
    for refund in refunds:
        if refund.brand != REFUND_FAILS_AT:
            continue
        path = f"/v1/payment-refunds/{refund.refund_id}"
        taken = till.client.get(path)
        if taken["points_due"] <= taken["points_short"]:
            continue
        till.register.append([register_writer.refund_failure_record(refund.refund_id, refund.payment_id)])
        when = {"occurred_at": refund.refunded_at.replace(tzinfo=ZONE).isoformat()}
        till.client.post(f"{path}/failure", when, f"refund-failure-{refund.refund_id}")
        return {"brand": till.brand.slug, **{name: till.client.get(path)[name] for name in ("refund_id", "points_due", "points_restored")}}
    return None


def tell(world: World, opening_file_id: str, failed: dict[str, Any] | None) -> dict[str, Any]:
    """What came of all of it, as the gateway says."""
    opening = _opening(world.tills[OPENS], opening_file_id)
    kept = ("programme", "ratio_points", "ratio_units", "row_count", "units", "points", "rounded_off", "states")
    extended = {brand.slug: _extended(world.tills[brand.slug]) for brand in BRANDS if brand.extends_by_activity}
    return {"opened": {"brand": OPENS, **{name: opening[name] for name in kept}}, "extended": extended, "refund_failed": failed}


def lines(lots: dict[str, Any]) -> list[str]:
    """For people."""
    opened = lots["opened"]
    given, waiting = opened["states"]["confirmed"], opened["states"]["waiting"]
    ratio = f"{opened['ratio_points']} point for {opened['ratio_units']}"
    brought = f"{given['units']:,} stamps of {given['lines']} members along as {given['points']:,} points, {ratio}, each rounded down"
    said = [f"{BY_SLUG[opened['brand']].name} brought {brought}; {waiting['lines']} balance waits for its member"]
    for slug, one in lots["extended"].items():
        said.append(f"{BY_SLUG[slug].name}: activity moved {one['points']:,} points to a later expiry in {one['entries']} steps")
    failed = lots["refund_failed"]
    if failed:
        back = f"{failed['points_restored']} of its {failed['points_due']} points went back to the member"
        said.append(f"Refund {failed['refund_id']} failed: {back}")
    return said


def _stamp_card(members: Sequence[str]) -> bytes:
    rows = [f"{member},{31 + 17 * number % 400}" for number, member in enumerate(members) if number % _EVERY == 0]
    return "\n".join(["member_id,balance", *rows, f"{_NOBODY},100", ""]).encode()


def _opening(till: Till, opening_file_id: str) -> dict[str, Any]:
    view: dict[str, Any] = till.client.get(f"/v1/opening-files/{opening_file_id}")
    return view


def _extended(till: Till) -> dict[str, int]:
    entries = points = 0
    query: dict[str, str | int] = {"kind": "extend", "status": "confirmed", "limit": 200}
    while True:
        page = till.client.get("/v1/operations", **query)
        entries += len(page["operations"])
        points += sum(one["points"] for one in page["operations"])
        if page["next_cursor"] is None:
            return {"entries": entries, "points": points}
        query["cursor"] = page["next_cursor"]
