"""A gateway takes what a witness signed for its chain, once, also where it contradicts; and nothing that a witness did not sign."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.values.ids import Hash
from tests.builders.checkpoints import ANN, BOB, EVE, checkpoint_body
from tests.builders.offline_coalition import START, OfflineCoalition

PATH = "/v1/checkpoints"
OTHER_BLOCK = Hash(b"\x02" * 32)


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[OfflineCoalition]:
    coalition = OfflineCoalition(tmp_path)
    coalition.brand(1)
    yield coalition
    coalition.close()


def shown(coalition: OfflineCoalition) -> list[dict[str, Any]]:
    answer = coalition.client.get(PATH)
    assert answer.status_code == 200
    return list(answer.json()["checkpoints"])


def test_what_a_witness_signed_is_recorded_and_served_to_everyone(coalition: OfflineCoalition) -> None:
    body = checkpoint_body()
    answer = coalition.post("auditor", PATH, body)
    assert (answer.status_code, answer.json()) == (201, {**body, "agrees": True})
    assert shown(coalition) == [{**body, "agrees": True}]


def test_the_same_checkpoint_again_changes_nothing(coalition: OfflineCoalition) -> None:
    assert coalition.post("auditor", PATH, checkpoint_body()).status_code == 201
    with coalition.no_trace_but("idempotent_requests"):
        assert coalition.post("brand:1", PATH, checkpoint_body()).status_code == 201


@pytest.mark.parametrize("other", [{"block_hash": OTHER_BLOCK}, {"witnessed_at": START + 9}, {"block_time": START + 1}])
def test_a_witness_signs_a_number_once(coalition: OfflineCoalition, other: dict[str, Any]) -> None:
    coalition.post("auditor", PATH, checkpoint_body())
    with coalition.no_trace():
        answer = coalition.post("auditor", PATH, checkpoint_body(**other))
    assert (answer.status_code, answer.json()["code"]) == (409, "reference_reused")
    assert answer.json()["facts"]["block_hash"] == "0x" + "01" * 32


def test_one_that_contradicts_the_projection_is_kept_and_shown_as_such(coalition: OfflineCoalition) -> None:
    assert coalition.post("auditor", PATH, checkpoint_body(BOB, block_hash=OTHER_BLOCK)).json()["agrees"] is False
    assert coalition.post("auditor", PATH, checkpoint_body(EVE, block_time=START + 60)).json()["agrees"] is False
    coalition.move_time(START + 5)
    assert coalition.post("auditor", PATH, checkpoint_body(BOB, number=9)).json()["agrees"] is None
    assert [(each["number"], each["agrees"]) for each in shown(coalition)] == [(9, None), (1, False), (1, False)]


def test_of_each_witness_the_newest_is_shown(coalition: OfflineCoalition) -> None:
    coalition.move_time(START + 5)
    for number in (1, 2):
        seen = {"number": number, "block_hash": Hash(number.to_bytes(32)) if number > 1 else Hash(b"\x01" * 32)}
        coalition.post("auditor", PATH, checkpoint_body(ANN, **seen, block_time=START + 5 * (number - 1)))
    coalition.post("auditor", PATH, checkpoint_body(BOB))
    assert [(each["witness"], each["number"]) for each in shown(coalition)] == [(str(ANN.address), 2), (str(BOB.address), 1)]


FORGED: dict[str, dict[str, Any]] = {
    "of another witness": {**checkpoint_body(), "witness": str(BOB.address)},
    "with another hash": {**checkpoint_body(), "block_hash": str(OTHER_BLOCK)},
    "with another number": {**checkpoint_body(), "number": 2},
    "with another block time": {**checkpoint_body(), "block_time": START + 1},
    "with another clock": {**checkpoint_body(), "witnessed_at": START + 1},
    "of another chain": checkpoint_body(genesis_hash=Hash(b"\x05" * 32)),
    "with v 27": {**checkpoint_body(), "signature": checkpoint_body()["signature"][:-2] + "1b"},
}


@pytest.mark.parametrize("name", FORGED)
def test_what_the_witness_did_not_sign_is_refused(coalition: OfflineCoalition, name: str) -> None:
    with coalition.no_trace():
        answer = coalition.post("auditor", PATH, FORGED[name])
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
