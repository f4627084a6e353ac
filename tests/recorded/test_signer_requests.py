"""Signers are sent what is recorded, and the reference signer answers it as recorded: brands write signers of their own to this."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorded import signer_lot_acts, signer_requests
from tests.recorded.data_files import assert_as_recorded, recorded

KINDS = {"issue", "clawback", "authorize", "redeem", "capture", "void", "point_refund", "expire"}


@pytest.mark.timeout(120)
def test_a_signer_is_asked_and_answers_as_recorded(tmp_path: Path) -> None:
    assert_as_recorded("signer_requests", signer_requests.collect(tmp_path))


@pytest.mark.timeout(60)
def test_a_signer_answers_to_awards_as_recorded(tmp_path: Path) -> None:
    assert_as_recorded("signer_awards", signer_requests.collect_awards(tmp_path))


@pytest.mark.timeout(60)
def test_a_signer_answers_to_acts_on_lots_as_recorded(tmp_path: Path) -> None:
    assert_as_recorded("signer_lot_acts", signer_lot_acts.collect(tmp_path))


def test_entries_of_every_kind_are_recorded() -> None:
    requests = [said["request"]["body"] for said in recorded("signer_requests")["history"]]
    assert {detail["kind"] for request in requests for detail in request["details"]} == KINDS


def test_every_reason_of_the_signer_is_recorded_in_an_answer() -> None:
    asked_of_it = [*recorded("signer_requests")["answers"], *recorded("signer_awards"), *recorded("signer_lot_acts")]
    answers = [asked["answer"]["body"] for asked in asked_of_it]
    reasons = {refused["reason"] for answer in answers for refused in answer.get("refused", [])}
    assert reasons == set(recorded("problems")["signer_reasons"])
