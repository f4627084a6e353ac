"""A brand that signs nothing for hours, or for days: its points wait, and are not lost when it is back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from gateway.purchases.rows import SqlPaymentRefunds
from gateway.purchases.tables import AwardClawbackRow
from gateway.rounds.retry_operation import retry_operation
from gateway.rounds.rows import SqlOperations
from gateway.store.unit_of_work import writing
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.errors import WrongState
from gateway.values.ids import OperationId
from tests.builders.coalition import CoalitionBuilder, new_id, running_coalition
from tests.gateway.rounds.test_signing import batch_number, listening, point_at, status_of

HOUR = 3_600
AWAY = 2


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path_factory.mktemp("coalition"), not_yet_seconds=SECONDS_PER_DAY) as builder:
        yield builder


def retry(coalition: CoalitionBuilder, operation_id: str) -> None:
    with writing(coalition.database, lambda _: coalition.now) as work:
        stored = work.of(SqlOperations).find(OperationId(operation_id))
        assert stored is not None
        retry_operation(stored, operations=work.of(SqlOperations), written_off=work.of(SqlPaymentRefunds))


def points_short(coalition: CoalitionBuilder, clawback: str) -> int:
    with coalition.database.read() as session:
        return session.scalars(select(AwardClawbackRow.points_short).where(AwardClawbackRow.operation_id == clawback)).one()


def sold(coalition: CoalitionBuilder) -> str:
    """The payment id of a purchase whose points are on the ledger."""
    payment_id = new_id("payment")
    coalition.purchase(AWAY, next(iter(coalition.member_keys)), payment_id=payment_id)
    coalition.work_off()
    return payment_id


def unsigned_for(coalition: CoalitionBuilder, operation_id: str, seconds: int) -> tuple[str, str | None]:
    """How the operation stands once its brand's agent has taken the question and answered nothing for so long."""
    with listening(hangs=True) as url:
        point_at(coalition, url)
        coalition.turn_until(lambda: status_of(coalition, operation_id)[0] == "packed")
        coalition.set_time(coalition.now + seconds)
        coalition.worker.turn()
    point_at(coalition, coalition.brands[AWAY].url)
    return status_of(coalition, operation_id)


@pytest.mark.parametrize("of_what", ["issue", "clawback"])
def test_for_hours_under_the_same_number(coalition: CoalitionBuilder, of_what: str) -> None:
    payment_id, member = sold(coalition), next(iter(coalition.member_keys))
    operation_id = coalition.purchase(AWAY, member) if of_what == "issue" else coalition.refund_payment(AWAY, payment_id, 5_000)
    assert unsigned_for(coalition, operation_id, 5 * HOUR) == ("packed", None)
    number = batch_number(coalition, operation_id)
    coalition.work_off()
    assert status_of(coalition, operation_id) == ("confirmed", None)
    assert batch_number(coalition, operation_id) == number, "it may have been signed"


def test_a_clawback_that_was_given_up_is_due_again_by_a_retry(coalition: CoalitionBuilder) -> None:
    clawback = coalition.refund_payment(AWAY, sold(coalition), 5_000)
    assert unsigned_for(coalition, clawback, SECONDS_PER_DAY + HOUR) == ("refused", "batch_expired")
    assert points_short(coalition, clawback) == 50, "written off"
    retry(coalition, clawback)
    assert points_short(coalition, clawback) == 0
    coalition.work_off()
    assert status_of(coalition, clawback) == ("confirmed", None)
    with pytest.raises(WrongState, match="confirmed"):
        retry(coalition, clawback)
