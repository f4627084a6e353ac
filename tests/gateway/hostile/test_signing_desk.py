"""The worker beside hostile signers: no round waits for them, they are asked ever more seldom, and it ends when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket
from statistics import median
from time import monotonic, sleep
from typing import Any

import pytest

from gateway.app import make_worker
from gateway.rounds.batch_signing import BatchSigning
from gateway.rounds.completion import Completions
from gateway.rounds.signing_desk import ANSWERS_AWAITED_SECONDS
from gateway.rounds.worker import LedgerWorker
from tests.builders.coalition import CoalitionBuilder
from tests.gateway.hostile.attacked import confirm, point_at, said_of, status_of
from tests.gateway.hostile.hostile_signer import HostileSigner, hangs, hostile, refuses, says

CROWD = range(11, 31)


@contextmanager
def running_worker(coalition: CoalitionBuilder, **given: Any) -> Iterator[LedgerWorker]:
    """In a thread of its own, as in a gateway."""
    coalition.worker.close()
    worker = make_worker(coalition.database, coalition.chain, Completions(), coalition.settings.model_copy(update=given))
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()
        coalition.restart_worker()


def wait_until(reached: Callable[[], bool], seconds: float = 10) -> None:
    until = monotonic() + seconds
    while not reached():
        assert monotonic() < until
        sleep(0.02)


def took(coalition: CoalitionBuilder, times: int = 5) -> float:
    """How long purchases at brand 2 take to be confirmed, the median of some in sequence."""
    each = []
    for _ in range(times):
        began = monotonic()
        confirm(coalition, coalition.purchase(2, next(iter(coalition.member_keys))))
        each.append(monotonic() - began)
    return median(each)


def test_twenty_brands_that_hang_take_nothing_from_another(coalition: CoalitionBuilder) -> None:
    member = next(iter(coalition.member_keys))
    for brand_id in CROWD:
        coalition.add_brand(brand_id, serves=False)
    coalition.work_off()
    with hostile(hangs) as signer:
        for brand_id in CROWD:
            point_at(coalition, brand_id, signer.url)
            coalition.purchase(brand_id, member, till=False)
        with running_worker(coalition, signer_timeout_seconds=25.0) as worker:
            wait_until(lambda: len(signer.asked_at) >= len(CROWD))
            beside = coalition.purchase(2, member)
            wait_until(lambda: status_of(coalition, beside) == "confirmed")
            began = monotonic()
            worker.stop()
            assert monotonic() - began < 5


def test_a_signer_that_is_right_and_slow_slows_no_round(coalition: CoalitionBuilder) -> None:
    """It answers in form, each time as late as a round would just wait for."""
    member, quiet, beside = next(iter(coalition.member_keys)), took(coalition), []

    def slowly(signer: HostileSigner, connection: socket) -> None:
        signer.over.wait(0.9 * ANSWERS_AWAITED_SECONDS)
        says({"refused": [{"index": 0, "reason": "no"}]}, 409)(signer, connection)

    with hostile(slowly) as signer:
        point_at(coalition, 1, signer.url)
        for _ in range(5):
            coalition.purchase(1, member)
            beside.append(took(coalition, 1))
            coalition.turn_until(lambda: not coalition.open_operations())
        assert len(signer.asked_at) == 5
    assert median(beside) < quiet + ANSWERS_AWAITED_SECONDS / 2


def number_taken(signer: HostileSigner, connection: socket) -> None:
    says({"error": "number_used", "message": "", "refused": []}, 409)(signer, connection)


@pytest.mark.parametrize(
    "misdeed",
    [number_taken, refuses("0", '"no"'), refuses("99"), says({"signature": "0x" + "11" * 64 + "1b"}), says({}, 500)],
    ids=["number taken", "refuses one after another", "refuses no entry", "nobody's signature", "no answer"],
)
def test_a_signer_that_turns_down_again_and_again_is_asked_ever_more_seldom(
    coalition: CoalitionBuilder, misdeed: Callable[[HostileSigner, socket], None]
) -> None:
    member = next(iter(coalition.member_keys))
    with hostile(misdeed) as signer:
        point_at(coalition, 1, signer.url)
        for _ in range(20):
            coalition.purchase(1, member)
        with running_worker(coalition):
            wait_until(lambda: len(signer.asked_at) >= 6, 120)  # again and again
            assert signer.asked_at[5] - signer.asked_at[0] > 0.7, "at most twice at once, then after 0.25 and 0.5 s"


def test_entries_refused_now_and_then_make_no_brand_wait(coalition: CoalitionBuilder) -> None:
    member = next(iter(coalition.member_keys))
    for _ in range(4):
        bad, good = coalition.purchase(1, member, till=False), coalition.purchase(1, member)
        coalition.work_off()
        assert (status_of(coalition, bad), status_of(coalition, good)) == ("refused", "confirmed")
        assert coalition.worker._desk is not None
        assert not coalition.worker._desk.paused_brands()


@pytest.mark.parametrize("step", ["refuse_entries", "store_signed"])
def test_a_fault_of_ours_over_one_brands_answer_stays_with_it(
    coalition: CoalitionBuilder, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Planted: whatever brand 1 answers cannot be dealt with, in a way that nobody has thought of."""
    member = next(iter(coalition.member_keys))
    ours = getattr(BatchSigning, step)
    attacked = [coalition.purchase(1, member, till=step == "store_signed")]
    coalition.worker.sequencer.pack()
    (batch,) = coalition.worker.signing.unsigned()

    def fails(signing: BatchSigning, answers: object, *rest: object) -> object:
        if answers == batch.batch_id or (isinstance(answers, dict) and batch.batch_id in answers):
            raise OverflowError("Python int too large\nto convert")
        return ours(signing, answers, *rest)

    monkeypatch.setattr(BatchSigning, step, fails)
    beside = coalition.purchase(2, member)
    confirm(coalition, beside)
    coalition.turn_until(lambda: "too large?to convert" in said_of(coalition, 1), 5)
    assert status_of(coalition, attacked[0]) == "packed"
    monkeypatch.undo()
    coalition.work_off()
    assert status_of(coalition, attacked[0]) in ("confirmed", "refused")


def test_what_was_asked_about_stays_the_same_batch(coalition: CoalitionBuilder) -> None:
    """Whatever the signer says instead of a signature, it may have signed: nothing else goes under that number."""
    with hostile(says({}, 500)) as signer:
        point_at(coalition, 1, signer.url)
        operation_id = coalition.purchase(1, next(iter(coalition.member_keys)))
        coalition.turn_until(lambda: "answered 500" in said_of(coalition, 1), 10)
        asked = [each.request for each in coalition.worker.signing.unsigned()]
        coalition.turn_until(lambda: len(signer.asked_at) > 2, 10)
        assert [each.request for each in coalition.worker.signing.unsigned()] == asked
    point_at(coalition, 1, coalition.brands[1].url)
    confirm(coalition, operation_id)
