"""A gateway put back from a backup lost a batch that its brand had signed: it is submitted as it was signed, nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from gateway.ledger.entries import Capture, Issue, Void, decode_entry, encode_entry
from gateway.ledger.framing import pack_entries, unpack_entries
from gateway.projection.changes import batch_counter, note_numbers
from gateway.projection.tables import LedgerEntryRow
from gateway.rounds.outcomes import SPENDING_LIFETIME_SECONDS, unpack
from gateway.rounds.signed_earlier import SignedEarlier, take_over
from gateway.rounds.tables import BatchRow, OperationRow
from gateway.store.counters import next_number
from gateway.values.ids import MemberId, Reference, ReservationId
from gateway.values.points import Points
from tests.builders.coalition import CoalitionBuilder, running_coalition
from tests.builders.lot_acts import failing_invariants, held

DEADLINE = 2**39
NOW = 2**31
_AS_PACKED = {"deadline": NOW, "entries": b"", "entry_count": 0, "signature": None, "status": "failed"}


@pytest.fixture
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path_factory.mktemp("coalition"), brand_ids=(1,), not_yet_seconds=600) as builder:
        yield builder


def sign_and_lose(coalition: CoalitionBuilder, *operation_ids: str) -> SignedEarlier:
    """The brand signs a batch of these; then the gateway's database is one that has never packed it."""
    coalition.worker.sequencer.pack()
    (batch,) = coalition.worker.signing.unsigned()
    coalition.worker._signer.sign(batch.signer, batch.request)
    with coalition.database.write() as session:
        lost = OperationRow.batch_id == batch.batch_id
        assert set(session.scalars(select(OperationRow.operation_id).where(lost))) == set(operation_ids)
        session.execute(update(OperationRow).where(lost).values(status="accepted", batch_id=None, entry_index=None))
        session.execute(delete(BatchRow).where(BatchRow.batch_id == batch.batch_id))
    coalition.restart_worker()
    return SignedEarlier(batch.request.number, batch.request.entries)


def rename(coalition: CoalitionBuilder, operation_id: str, reference: bytes) -> Reference:
    """Has an operation go by another reference; the one that it had."""
    with coalition.database.write() as session:
        row = session.scalars(select(OperationRow).where(OperationRow.operation_id == operation_id)).one()
        assert row.reference is not None
        had, row.reference = row.reference, Reference(reference)
    return had


def batch_numbers(coalition: CoalitionBuilder, *operation_ids: str) -> list[int]:
    """Of the batches on the ledger that hold these operations' entries, each once."""
    with coalition.database.read() as session:
        numbers = (
            select(LedgerEntryRow.batch_number)
            .join(OperationRow, OperationRow.reference == LedgerEntryRow.reference)
            .where(OperationRow.operation_id.in_(operation_ids), OperationRow.status == "confirmed")
        )
        return list(session.scalars(numbers.order_by(LedgerEntryRow.batch_number)))


def test_what_was_signed_goes_under_the_number_it_was_signed_with(coalition: CoalitionBuilder) -> None:
    ann, bob = coalition.member_keys
    first, second = coalition.purchase(1, ann), coalition.purchase(1, bob)
    signed = sign_and_lose(coalition, first, second)
    third = coalition.purchase(1, ann)
    coalition.work_off()
    assert batch_numbers(coalition, first, second) == [signed.number, signed.number]
    assert len(batch_numbers(coalition, third)) == 1
    assert (list(held(coalition, ann, 1).values()), list(held(coalition, bob, 1).values())) == ([200], [100])
    assert failing_invariants(coalition) == {}


def test_what_is_told_again_last_is_waited_for(coalition: CoalitionBuilder) -> None:
    """Of a batch of two the gateway knows one alone: it waits, and both are confirmed once the other is told."""
    ann, bob = coalition.member_keys
    known, not_told = coalition.purchase(1, ann), coalition.purchase(1, bob)
    signed = sign_and_lose(coalition, known, not_told)
    reference = rename(coalition, not_told, bytes(32))
    with coalition.database.write() as session:
        session.execute(update(OperationRow).where(OperationRow.operation_id == not_told).values(not_before=DEADLINE))
    coalition.turn_until(lambda: coalition.operation(known).reason is not None)
    assert coalition.operation(known).reason == "not_yet: already_signed"
    rename(coalition, not_told, reference)
    coalition.set_time(coalition.now + 60)
    coalition.work_off()
    assert batch_numbers(coalition, known, not_told) == [signed.number, signed.number]
    assert failing_invariants(coalition) == {}


def _reserved(coalition: CoalitionBuilder, member: MemberId, points: int) -> ReservationId:
    """At brand 1, on the ledger."""
    operation_id = coalition.authorize(1, member, points)
    coalition.work_off()
    found = coalition.operation(operation_id).reservation_id
    assert found is not None
    return found


def test_what_is_of_a_reservation_and_was_lost_is_done_all_the_same(coalition: CoalitionBuilder) -> None:
    """The shop has given its discount. In one batch with a redemption it waits: who stands at a till is told no at once."""
    ann, _ = coalition.member_keys
    coalition.purchase(1, ann)
    coalition.work_off()
    first, second = _reserved(coalition, ann, 40), _reserved(coalition, ann, 50)
    operations = [coalition.capture(1, first, 30), coalition.void(1, second)]
    signed = sign_and_lose(coalition, *operations)
    coalition.work_off()
    assert [coalition.operation(one).reason for one in operations] == [None, None]
    assert batch_numbers(coalition, *operations) == [signed.number] * 2
    given_back = coalition.point_refund(1, first, 10)
    signed = sign_and_lose(coalition, given_back)
    coalition.work_off()
    assert batch_numbers(coalition, given_back) == [signed.number]
    assert list(held(coalition, ann, 1).values()) == [100 - 30 + 10]
    assert failing_invariants(coalition) == {}

    third = _reserved(coalition, ann, 20)
    operations = [coalition.capture(1, third, 20), coalition.authorize(1, ann, 5)]
    sign_and_lose(coalition, *operations)
    coalition.turn_until(lambda: None not in [coalition.operation(one).reason for one in operations])
    assert [coalition.operation(one).reason for one in operations] == ["not_yet: already_signed", "signer_refused: already_signed"]


def test_a_signer_has_the_gateway_capture_nothing_else(coalition: CoalitionBuilder) -> None:
    ann, _ = coalition.member_keys
    coalition.purchase(1, ann)
    coalition.work_off()
    reservation, other = _reserved(coalition, ann, 40), _reserved(coalition, ann, 40)
    coalition.capture(1, reservation, 30)
    coalition.worker.sequencer.pack()
    with coalition.database.write() as session:
        refused = session.scalars(select(BatchRow).where(BatchRow.status == "packed")).one()
        (raw,) = unpack_entries(refused.entries)
        entry = decode_entry(raw)
        assert isinstance(entry, Capture)
        more = replace(entry.lines[0], points=Points(entry.lines[0].points + 1))
        as_void = Void(entry.reservation_id, entry.reference, entry.lines)
        for forged in (replace(entry, reservation_id=other), replace(entry, lines=(more,)), as_void):
            assert not take_over(session, refused, SignedEarlier(77, pack_entries([encode_entry(forged)])), NOW, 3_600), forged
        assert take_over(session, refused, SignedEarlier(77, refused.entries), NOW, 3_600)
        taken = session.scalars(select(BatchRow).where(BatchRow.number == 77)).one()
        assert taken.deadline == NOW + SPENDING_LIFETIME_SECONDS, "its member spends nowhere else meanwhile"


def _richer(entry: Issue) -> list[Issue]:
    return [replace(entry, points=Points(entry.points + 1))]


def _for_another(entry: Issue) -> list[Issue]:
    return [replace(entry, member=MemberId(b"\x01" * 20))]


def _with_a_stranger(entry: Issue) -> list[Issue]:
    return [entry, replace(entry, reference=Reference(b"\x02" * 32))]


def _twice(entry: Issue) -> list[Issue]:
    return [entry, entry]


@pytest.mark.parametrize("forge", [_richer, _for_another, _with_a_stranger, _twice, lambda _: []])
def test_a_signer_has_the_gateway_submit_nothing_that_it_would_not_pack(
    coalition: CoalitionBuilder, forge: Callable[[Issue], list[Issue]]
) -> None:
    (ann, _) = coalition.member_keys
    operation_id = coalition.purchase(1, ann)
    coalition.worker.sequencer.pack()
    with coalition.database.write() as session:
        refused = session.scalars(select(BatchRow).where(BatchRow.status == "packed")).one()
        (raw,) = unpack_entries(refused.entries)
        entry = decode_entry(raw)
        assert isinstance(entry, Issue)
        forged = pack_entries([encode_entry(each) for each in forge(entry)])
        for entries in (forged, forged + b"\x00", b"\xff" * 40):
            assert not take_over(session, refused, SignedEarlier(77, entries), NOW, 3_600)
        assert not take_over(session, refused, SignedEarlier(refused.number, refused.entries), NOW, 3_600), "it is under way"
        assert not take_over(session, refused, SignedEarlier(2**63 - 1, refused.entries), NOW, 3_600), "no number would follow it"
        assert take_over(session, refused, SignedEarlier(77, refused.entries), NOW, 3_600)
        row = session.scalars(select(OperationRow).where(OperationRow.operation_id == operation_id)).one()
        taken = session.get_one(BatchRow, row.batch_id)
        assert (taken.number, taken.deadline) == (77, NOW + 3_600)


def test_no_batch_is_packed_under_a_number_that_was_taken_over(coalition: CoalitionBuilder) -> None:
    """Else the brand's next batch would be refused by the database, and with it the round of all brands, again and again."""
    ann, bob = coalition.member_keys
    coalition.purchase(1, ann)
    coalition.worker.sequencer.pack()
    with coalition.database.write() as session:
        refused = session.scalars(select(BatchRow).where(BatchRow.status == "packed")).one()
        following = refused.number + 1
        assert take_over(session, refused, SignedEarlier(following, refused.entries), NOW, 3_600)
        for number in (following - 1, following):  # the brand's signer refuses both
            unpack(session, session.scalars(select(BatchRow).where(BatchRow.number == number)).one())
    coalition.purchase(1, bob)
    coalition.worker.sequencer.pack()
    with coalition.database.write() as session:
        assert set(session.scalars(select(BatchRow.number))) == {following - 1, following, following + 1}
        session.add(BatchRow(**_AS_PACKED, brand_id=1, number=following + 2, created_at=NOW))  # as an earlier version had it
    coalition.restart_worker()
    with coalition.database.write() as session:
        assert next_number(session, batch_counter(1)) == following + 3
        note_numbers(session, [(1, 2**63 - 1)])
        assert next_number(session, batch_counter(1)) == following + 4
        note_numbers(session, [(1, 2**62)])
        assert next_number(session, batch_counter(1)) == 2**62 + 1
