"""Invariant 3, beside what payments earn: what came over came over once and as the file says, what went back had been taken, and what was
extended goes back to an activity that stands on the ledger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gateway.audit.book import BookEntry
from gateway.audit.case import Case
from gateway.ledger.awards import AwardId
from gateway.ledger.entries import Extend, Opening, decode_entry
from gateway.ledger.lot_references import carried_reference, opening_reference, restore_reference
from gateway.ledger.lots import expiry_day_for
from gateway.points.tables import OpeningFileRow, OpeningLineRow
from gateway.values.ids import Hash, MemberId, Reference

KINDS_OF_ACTIVITY = ("issue", "redeem", "capture")


def findings(case: Case) -> Iterator[str]:
    yield from _openings(case)
    yield from _extensions(case)
    yield from _restores(case)
    yield from _carried(case)


def _openings(case: Case) -> Iterator[str]:
    """Of brands whose files are kept here: a database that was rebuilt from the ledger has none."""
    store = case.evidence.store
    secrets = _secrets(case)
    files: dict[tuple[int, Hash], OpeningFileRow] = {(file.brand_id, file.source): file for file in store.opening_files}
    by_id = {file.opening_file_id: file for file in store.opening_files}
    lines: dict[tuple[int, Reference | None], OpeningLineRow] = {
        (by_id[one.opening_file_id].brand_id, one.reference): one for one in store.opening_lines if one.reference is not None
    }
    kept = {file.brand_id for file in store.opening_files}
    for entry in case.replay.book.accepted:
        if entry.kind != "opening" or entry.brand_id not in kept:
            continue
        opening = decode_entry(entry.entry)
        assert isinstance(opening, Opening)
        file, line = files.get((entry.brand_id, opening.basis.source)), lines.get((entry.brand_id, entry.reference))
        if file is None or line is None:
            yield f"{entry.place}: {entry.points} points came over, but no line of a file kept here says so"
            continue
        if (opening.basis.ratio_points, opening.basis.ratio_units) != (file.ratio_points, file.ratio_units):
            yield f"{entry.place}: its ratio is not that of file {file.opening_file_id}"
        due = line.units * file.ratio_points // file.ratio_units
        if (entry.points, entry.member, opening.expiry_day) != (due, line.member_id, line.expiry_day):
            yield f"{entry.place}: line {line.line_number} of file {file.opening_file_id} says {due} points to {line.member_id}"
        if entry.member is None or entry.reference != opening_reference(
            secrets[entry.brand_id], file.programme, entry.member, opening.expiry_day
        ):
            yield f"{entry.place}: its reference is not the keyed hash of its programme, member and expiry"


def _extensions(case: Case) -> Iterator[str]:
    """To the expiry that points had which were earned by an earlier activity of the member at the brand."""
    months = {brand.brand_id: brand.lot_validity_months for brand in case.evidence.store.brands}
    offset = case.evidence.chain.utc_offset_seconds
    reached: dict[tuple[int, MemberId | None], set[int]] = defaultdict(set)
    for entry in case.replay.book.accepted:
        if entry.brand_id not in months:
            continue
        if entry.kind in KINDS_OF_ACTIVITY:
            reached[entry.brand_id, entry.member].add(expiry_day_for(entry.timestamp, offset, months[entry.brand_id]))
        elif entry.kind == "extend" and _to_day(entry) not in reached[entry.brand_id, entry.member]:
            yield f"{entry.place}: no earlier activity of member {entry.member} at the brand reaches that expiry"


def _to_day(entry: BookEntry) -> int:
    extend = decode_entry(entry.entry)
    assert isinstance(extend, Extend)
    return extend.to_day


def _restores(case: Case) -> Iterator[str]:
    """What a failed payment refund gave back stands under its own reference, and is no more than was due."""
    secrets, refunds = _secrets(case), {one.payment_refund_id: one for one in case.evidence.store.payment_refunds}
    given = {(entry.brand_id, entry.reference): entry for entry in case.replay.book.accepted if entry.kind == "restore"}
    for restore in case.evidence.store.award_restores:
        of = refunds[restore.payment_refund_id]
        award = AwardId(of.brand_id, of.payment_id, restore.number, restore.issuer_id)
        name = f"brand {of.brand_id}, refund {of.refund_id}"
        if restore.reference != restore_reference(secrets[restore.issuer_id], award, of.refund_id):
            yield f"{name}: the reference of what its failure gave back of award {restore.number} is not the keyed hash of its refund id"
        entry = given.get((restore.issuer_id, restore.reference))
        if entry is not None and entry.points > restore.points_due:
            yield f"{name}: {entry.points} points went back of award {restore.number}, {restore.points_due} were due"


def _carried(case: Case) -> Iterator[str]:
    """What was taken later is no more than fell short, under a reference of its own."""
    secrets, refunds = _secrets(case), {one.payment_refund_id: one for one in case.evidence.store.payment_refunds}
    due = {(one.payment_refund_id, one.number): one.points_due for one in case.evidence.store.award_clawbacks}
    later: dict[tuple[int, int], int] = defaultdict(int)
    for part in case.evidence.store.carried_clawbacks:
        of = refunds[part.payment_refund_id]
        award = AwardId(of.brand_id, of.payment_id, part.number, part.issuer_id)
        if part.reference != carried_reference(secrets[part.issuer_id], award, of.refund_id, part.part):
            name = f"brand {of.brand_id}, refund {of.refund_id}"
            yield f"{name}: the reference of its later clawback {part.part} is not the keyed hash of its refund id"
        later[part.payment_refund_id, part.number] += part.points_due - part.points_short
    for place, points in later.items():
        if points > due.get(place, 0):
            yield f"refund {refunds[place[0]].refund_id}: later clawbacks take {points} points, {due.get(place, 0)} were due"


def _secrets(case: Case) -> dict[int, bytes]:
    return {brand.brand_id: brand.reference_secret for brand in case.evidence.store.brands}
