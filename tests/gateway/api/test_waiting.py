"""`Prefer: wait=N` has one bound, which is kept, and waiting holds no thread."""

from __future__ import annotations

import threading
import time

import pytest

from gateway.api import idempotency
from gateway.api.limits import WAIT_SECONDS
from tests.builders.offline_coalition import OfflineCoalition, purchase_body


@pytest.mark.parametrize("asked", [61, 3_600, 99_999, 10**30])
def test_nobody_waits_longer_than_the_bound(coalition: OfflineCoalition, monkeypatch: pytest.MonkeyPatch, asked: int) -> None:
    coalition.brand(1)
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 1)
    began = time.monotonic()
    body = purchase_body(member_id=coalition.shopper().member_id)
    answer = coalition.post("brand:1", "/v1/purchases", body, Prefer=f"wait={asked}")
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=1")
    assert 1 <= time.monotonic() - began < 20


def test_the_bound_is_what_is_documented() -> None:
    assert WAIT_SECONDS == 60


def test_many_wait_in_one_thread_and_are_called_as_soon_as_their_operation_has_ended(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    member_id = coalition.shopper().member_id
    answers = []

    def wait(number: int) -> None:
        body = purchase_body(f"p-{number}", member_id=member_id)
        answers.append(coalition.post("brand:1", "/v1/purchases", body, Prefer="wait=60"))

    callers = [threading.Thread(target=wait, args=(number,)) for number in range(20)]
    for caller in callers:
        caller.start()
    while len(coalition.get("brand:1", "/v1/operations?status=accepted").json()["operations"]) < 20:
        time.sleep(0.05)
    assert sum(thread.name == "waiting for the ledger" for thread in threading.enumerate()) <= 1
    for operation in coalition.get("brand:1", "/v1/operations?status=accepted").json()["operations"]:
        coalition.finish(operation["operation_id"])
    for caller in callers:
        caller.join(60)
    assert [answer.status_code for answer in answers] == [201] * 20
    assert {answer.json()["operation"]["status"] for answer in answers} == {"confirmed"}
