"""Openings, restores and extensions as the gateway would pack them, and the books that support them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from gateway.brand_signer.register_writer import opening_file_record, order_record, refund_failure_record
from gateway.ledger.awards import FIRST, AwardId
from gateway.ledger.entries import Extend, Opening, Restore
from gateway.ledger.issue_parts import OpeningBasis
from gateway.ledger.lot_references import (
    Activity,
    ActivityKind,
    carried_reference,
    extension_reference,
    opening_reference,
    restore_reference,
)
from gateway.ledger.lots import Line
from gateway.values.calendar import month_end
from gateway.values.ids import Hash, MemberId, sha256
from gateway.values.points import Points
from tests.gateway.brand_signer.brand_books import BRAND, EXPIRY_DAY, MEMBER, PROGRAMME, SECRET, SOLD_AT, STRANGER, Brand, Entered, clawback

STAMPS = "stamp-card"
LAST_DAY = month_end((date(2018, 3, 15) - date(1970, 1, 1)).days)
OPENINGS = f"member_id,balance,expires_on\n{MEMBER},101,2018-03-15\n{STRANGER},10,2018-03-31\n".encode()
EARLIER_DAY = EXPIRY_DAY - 31
EXTENDING = replace(PROGRAMME, extends_by_activity=True)


def fill(brand: Brand, folder_name: str = "openings.csv") -> None:
    """A sale with two refunds, one of which failed; an order that says when; the file of the stamp card."""
    brand.sell("p-1", 1_000)
    brand.refund("r-1", "p-1", 500)
    brand.refund("r-2", "p-1", 250)
    path = brand.folder / folder_name
    path.write_bytes(OPENINGS)
    brand.till.append(
        [
            order_record("o-1", str(MEMBER), 20, SOLD_AT, one_step=True),
            order_record("o-2", str(MEMBER), 20, one_step=True),
            opening_file_record(path, STAMPS, 1, 2, None),
        ]
    )


def fail(brand: Brand, refund_id: str) -> None:
    brand.till.append([refund_failure_record(refund_id, "p-1")])


def opening(
    line_number: int = 2,
    points: int = 50,
    *,
    member: MemberId = MEMBER,
    day: int = LAST_DAY,
    ratio: tuple[int, int] = (1, 2),
    source: Hash | None = None,
    named: MemberId = MEMBER,
) -> Entered:
    """The entry, with a reference that is due to `named`."""
    basis = OpeningBasis(*ratio, sha256(OPENINGS) if source is None else source)
    entry = Opening(member, day, Points(points), basis, opening_reference(SECRET, STAMPS, named, LAST_DAY))
    return entry, {"kind": "opening", "line_number": line_number}


def restore(
    points: int,
    refund_id: str = "r-1",
    *,
    member: MemberId = MEMBER,
    brand: int = BRAND,
    place: tuple[int, int] = (1, 0),
    by_day: dict[int, int] | None = None,
) -> Entered:
    """All into the issue's own lot, if nothing else is said."""
    award = AwardId(BRAND, "p-1", FIRST, BRAND)
    lines = tuple(Line(brand, day, Points(some)) for day, some in (by_day or {EXPIRY_DAY: points}).items())
    entry = Restore(member, restore_reference(SECRET, award, refund_id), *place, lines)
    return entry, {"kind": "restore", "refund_id": refund_id, "payment_id": "p-1"}


def carried(refund_id: str, part: int, points: int) -> Entered:
    """A later clawback of the same issue."""
    entry, detail = clawback(refund_id, "p-1", points)
    reference = carried_reference(SECRET, AwardId(BRAND, "p-1", FIRST, BRAND), refund_id, part)
    return replace(entry, reference=reference), {**detail, "part": part}


def extend(
    kind: ActivityKind = ActivityKind.SALE,
    named: str = "p-1",
    *,
    member: MemberId = MEMBER,
    days: tuple[int, int] = (EARLIER_DAY, EXPIRY_DAY),
    told: Any = None,
) -> Entered:
    activity = Activity(kind, named)
    entry = Extend(member, *days, Points(5), extension_reference(SECRET, activity, days[0]))
    return entry, {"kind": "extend", "activity": {"kind": kind.value, "id": named} if told is None else told}
