"""A refund failed: what its clawback took goes back, once. What a clawback could not take is forgotten, or comes later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.purchases.clawback import points_due, points_restored
from gateway.rounds.entry_building import to_restore
from gateway.rounds.lot_operation import RestoreOperation
from gateway.rounds.lot_operation_codec import lot_act_of
from gateway.rounds.operation import OperationKind
from gateway.values.errors import NotFound, ReferenceReused
from gateway.values.ids import MemberId, OperationId, Reference
from gateway.values.points import Points
from tests.builders.coalition import CoalitionBuilder, running_coalition
from tests.builders.lot_acts import ended, fail_refund, failing_invariants, held, last_refund, report_failure, settle_on, shortfalls

DAY = 86_400


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path, brand_ids=(1, 2)) as builder:
        yield builder


def test_what_was_taken_goes_back_once(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(1, ann, 10_000, "p-1")
    coalition.work_off()
    coalition.refund_payment(1, "p-1", 4_000)
    coalition.work_off()
    (lot,) = held(coalition, ann, 1)
    assert held(coalition, ann, 1) == {lot: 60}
    refund = last_refund(coalition)
    assert len(fail_refund(coalition, 1, refund)) == 1
    coalition.work_off()
    assert held(coalition, ann, 1) == {lot: 100}
    fail_refund(coalition, 1, refund)
    coalition.work_off()
    assert held(coalition, ann, 1) == {lot: 100}
    assert failing_invariants(coalition) == {}


def test_a_failure_that_comes_before_its_clawback_is_done_waits_for_it(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(1, ann, 10_000, "p-1")
    coalition.work_off()
    coalition.refund_payment(1, "p-1", 4_000)
    fail_refund(coalition, 1, last_refund(coalition), till=False)
    coalition.worker.turn()
    fail_refund(coalition, 1, last_refund(coalition))
    coalition.work_off()
    assert [one[0] for one in ended(coalition, "clawback")] == ["confirmed"]
    assert ended(coalition, "restore") == [("confirmed", None, 40)]
    assert list(held(coalition, ann, 1).values()) == [100]


def test_only_what_was_taken_goes_back_where_the_rest_was_spent(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(1, ann, 10_000, "p-1")
    coalition.work_off()
    coalition.redeem(2, ann, 70)
    coalition.work_off()
    coalition.refund_payment(1, "p-1", 8_000)
    coalition.work_off()
    assert (held(coalition, ann, 1), shortfalls(coalition)) == ({}, (50, []))
    fail_refund(coalition, 1, last_refund(coalition))
    coalition.work_off()
    assert list(held(coalition, ann, 1).values()) == [30]
    assert failing_invariants(coalition) == {}


def test_a_clawback_that_took_nothing_leaves_nothing_to_give_back(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(1, ann, 10_000, "p-1")
    coalition.work_off()
    coalition.redeem(2, ann, 100)
    coalition.work_off()
    coalition.refund_payment(1, "p-1", 8_000)
    coalition.work_off()
    assert fail_refund(coalition, 1, last_refund(coalition)) == []


def test_points_that_have_expired_meanwhile_come_back_for_a_while(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(1, ann, 10_000, "p-1")
    coalition.work_off()
    coalition.refund_payment(1, "p-1", 4_000)
    coalition.work_off()
    (lot,) = held(coalition, ann, 1)
    coalition.set_time(coalition.now + 500 * DAY)
    fail_refund(coalition, 1, last_refund(coalition))
    coalition.work_off()
    later = {day: points for day, points in held(coalition, ann, 1).items() if day != lot}
    assert list(later.values()) == [40]
    assert min(later) > coalition.now // DAY


def test_a_later_refund_counts_without_the_one_that_failed(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(1, ann, 10_000, "p-1")
    coalition.work_off()
    coalition.refund_payment(1, "p-1", 10_000)
    coalition.work_off()
    fail_refund(coalition, 1, last_refund(coalition))
    coalition.work_off()
    coalition.refund_payment(1, "p-1", 10_000)
    coalition.work_off()
    assert held(coalition, ann, 1) == {}
    assert [one[0] for one in ended(coalition, "clawback")] == ["confirmed", "confirmed"]
    assert failing_invariants(coalition) == {}


def test_the_signer_gives_nothing_back_that_its_own_register_does_not_say(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(1, ann, 10_000, "p-1")
    coalition.work_off()
    coalition.refund_payment(1, "p-1", 4_000)
    coalition.work_off()
    fail_refund(coalition, 1, last_refund(coalition), till=False)
    coalition.work_off()
    assert ended(coalition, "restore") == [("refused", "signer_refused: unknown_refund_failure", 40)]


def test_a_refund_that_was_never_recorded_cannot_fail_and_one_that_failed_fails_once(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(1, ann, 10_000, "p-1")
    coalition.refund_payment(1, "p-1", 4_000)
    coalition.work_off()
    refund = last_refund(coalition)
    with pytest.raises(NotFound):
        report_failure(coalition, 1, "never", datetime(2026, 2, 16, tzinfo=UTC))
    report_failure(coalition, 1, refund, datetime(2026, 2, 16, tzinfo=UTC))
    with pytest.raises(ReferenceReused):
        report_failure(coalition, 1, refund, datetime(2026, 2, 15, tzinfo=UTC))


def test_what_is_missing_is_written_off_unless_the_brand_carries_it(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(1, ann, 10_000, "p-1")
    coalition.work_off()
    coalition.redeem(2, ann, 70)
    coalition.work_off()
    coalition.refund_payment(1, "p-1", 10_000)
    coalition.work_off()
    coalition.purchase(1, ann, 5_000, "p-2")
    coalition.work_off()
    coalition.work_off()
    assert (list(held(coalition, ann, 1).values()), shortfalls(coalition)) == ([50], (70, []))
    settle_on(coalition, 1, carries_clawbacks=True)
    assert (held(coalition, ann, 1), shortfalls(coalition)) == ({}, (20, [50]))
    coalition.purchase(1, ann, 5_000, "p-3")
    coalition.work_off()
    coalition.work_off()
    assert (list(held(coalition, ann, 1).values()), shortfalls(coalition)) == ([30], (0, [50, 20]))
    refund = last_refund(coalition)
    fail_refund(coalition, 1, refund)
    coalition.work_off()
    assert sum(held(coalition, ann, 1).values()) == 130
    assert failing_invariants(coalition) == {}


def test_rounding_between_refunds_of_a_payment_is_given_back_too() -> None:
    first = points_due(7, 1_000, 0, 500, 0)
    second = points_due(7, 1_000, 500, 500, first)
    assert (first, second) == (3, 4)
    assert points_restored(7, 1_000, 500, first + second, first) == (4, 3)
    assert points_restored(7, 1_000, 500, first + second, second) == (4, 3)
    assert points_restored(7, 1_000, 0, first, first) == (3, 0)


def test_nothing_is_moved_by_rounding_where_another_refund_fell_short(coalition: CoalitionBuilder) -> None:
    """Due were 56 and 30, and 29 for the second alone: the first gives 57 back only if the second took its 30."""
    (ann, _) = coalition.member_keys
    coalition.purchase(1, ann, 8_650, "p-1")
    coalition.work_off()
    coalition.refund_payment(1, "p-1", 5_710)
    first = last_refund(coalition)
    coalition.work_off()
    coalition.redeem(2, ann, 18)
    coalition.work_off()
    coalition.refund_payment(1, "p-1", 2_940)
    second = last_refund(coalition)
    coalition.work_off()
    assert (held(coalition, ann, 1), shortfalls(coalition)) == ({}, (18, []))
    fail_refund(coalition, 1, first)
    coalition.work_off()
    assert ended(coalition, "restore")[0][:2] == ("confirmed", None)
    assert list(held(coalition, ann, 1).values()) == [56]
    fail_refund(coalition, 1, second)
    coalition.work_off()
    assert list(held(coalition, ann, 1).values()) == [68]
    assert failing_invariants(coalition) == {}


def test_an_operation_accepted_before_the_others_due_was_kept_ends_as_it_would_have() -> None:
    taken = (OperationId("a" * 32), 1, MemberId(b"m" * 20), Reference(b"r" * 32))
    body = {"refund_id": "r-1", "payment_id": "p-1", "points_due": 4, "clawed_back_due": 3, "clawbacks": []}
    body |= {"issue_reference": "0x" + "11" * 32, "award": {"number": 1, "sold_by": 1}}
    before = lot_act_of(OperationKind.RESTORE, *taken, Points(4), body)
    assert isinstance(before, RestoreOperation)
    assert (to_restore(before, Points(3), Points(7)), to_restore(before, Points(2), Points(7))) == (4, 3)
