"""What guardian, approvers and owners do while the gateway is away, or past it. Each test stops the gateway of its own coalition."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.chain.artifacts import contract_named
from gateway.ledger.governance import NO_PREDECESSOR
from gateway.second_people.own_transaction import send_own
from gateway.values.ids import Address, Hash
from tests.builders.commanded_coalition import APPROVERS, BRAND, DELAY, NEEDED, CommandedCoalition, commanded_coalition
from tests.node.running_node import throwaway_account

THIEF = throwaway_account("a thief of brands").address
SALT = Hash(b"\x07" * 32)


@pytest.fixture
def commanded(tmp_path: Path) -> Iterator[CommandedCoalition]:
    with commanded_coalition(tmp_path / "commanded") as made:
        yield made


def test_whatever_form_an_act_has_it_is_told_and_stopped_without_any_gateway(commanded: CommandedCoalition) -> None:
    """Proposed by the operator's account, past the gateway: in forms that the gateway never makes."""
    brands, governance = commanded.known.contracts["Brands"], commanded.known.contracts["Governance"]
    call = contract_named("Brands").call
    taken = brands, 0, call("setBrandOwner", BRAND, THIEF) + bytes(3), b"\x01" * 32, SALT
    sent = Address(b"\x09" * 20), 5, b"\x12\x34\x56\x78", NO_PREDECESSOR, bytes(32)
    calls = call("setBrandLimit", BRAND, 9), call("startRunOff", BRAND, 2**24 - 1)
    several = [brands] * 2, [0] * 2, list(calls), NO_PREDECESSOR, SALT
    commanded.give_ether("owner")
    for person in ("owner", "guardian"):
        commanded.command("acts", person=person)  # they have met the coalition
    commanded.stop_gateway()
    for function, arguments in (("schedule", taken), ("schedule", sent), ("scheduleBatch", several)):
        data = contract_named("Governance").call(function, *arguments, DELAY)
        send_own(commanded.chain, commanded.operator, governance, data)
    shown = commanded.command("acts", person="owner")
    assert [each["shown_by_gateway"] for each in shown] == [False] * 3
    assert "which cannot be told in words; it takes brand 1 from its present owner" in shown[0]["words"]
    assert f"calls 0x12345678 of another contract at {sent[0]} and sends it 5 wei" in shown[1]["words"]
    assert shown[2]["words"] == (
        "brand 1 may have at most 9 points outstanding; "
        "brand 1 issues no more, its points are accepted until day 16,777,215 since 1970 has ended"
    )
    by_id = [each["act_id"] for each in shown]
    assert commanded.command("veto", by_id[1], "--own-account", person="owner", succeeds=False)["code"] == "invalid"
    assert commanded.command("veto", by_id[0], "--own-account", person="owner")["status"] == "vetoed"
    for act in by_id[1:]:
        commanded.command("cancel", act, person="guardian")
    assert commanded.command("acts", person="owner") == []


def test_an_operator_that_lays_everything_idle_is_replaced_without_it(commanded: CommandedCoalition, tmp_path: Path) -> None:
    """Proposed by the guardian, approved and executed while the gateway is away."""
    act, files = str(tmp_path / "act.json"), [str(tmp_path / f"{name}.json") for name in APPROVERS[:NEEDED]]
    successor = throwaway_account("another operator").address
    commanded.command("propose-operator", successor, "--output", act, person="guardian")
    for name in APPROVERS[:NEEDED]:
        commanded.command("acts", person=name)  # they have met the coalition
    commanded.stop_gateway()
    for name in APPROVERS[:NEEDED]:
        early = commanded.command("approve", act, "--asked-directly", "-o", str(tmp_path / "early"), person=name, succeeds=False)
        assert early["code"] == "wrong_state"
        assert commanded.command("approve", act, "--asked-directly", person=name, succeeds=False)["code"] == "invalid", "no file is named"
    head = int(commanded.node.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    commanded.node.call("evm_mine", head + 3 * DELAY)
    for name, file in zip(APPROVERS, files, strict=False):
        assert commanded.command("approve", act, "--asked-directly", "--output", file, person=name)["status"] == "kept"
    assert "TooFewApprovals" in commanded.command("execute", files[0], files[0], person="guardian", succeeds=False)["detail"]
    assert commanded.command("execute", act, person="guardian", succeeds=False)["code"] == "invalid", "no approval"
    done = commanded.command("execute", *reversed(files), person="guardian")
    assert done["words"] == f"{successor.lower()} is the operator"
    assert commanded.command("execute", *files, person="guardian", succeeds=False)["code"] == "wrong_state", "it is executed already"
