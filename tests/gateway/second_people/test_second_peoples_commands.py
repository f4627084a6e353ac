"""Second people by their commands: acts are checked by themselves and told in words, approved by their own clock, vetoed and cancelled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.builders.commanded_coalition import APPROVERS, BRAND, CommandedCoalition


def limit(commanded: CommandedCoalition, points: int) -> str:
    operation_id: str = commanded.post(f"/v1/brands/{BRAND}/limit", {"issue_limit": points})["operation_id"]
    commanded.proposed(operation_id)
    return operation_id


def shown(commanded: CommandedCoalition, operation_id: str) -> dict[str, Any]:
    acts = commanded.command("acts", person="ann")
    return dict(next(act for act in acts if act["operation_id"] == operation_id))


def test_an_act_is_told_in_words_with_what_it_changes(commanded: CommandedCoalition) -> None:
    act = limit(commanded, 7_000)
    told = shown(commanded, act)
    assert told["words"] == "brand 1 may have at most 7,000 points outstanding"
    assert told["changes"] == {"issue limit": {"holds": 1_000_000, "then": 7_000}}
    commanded.command("cancel", act, person="guardian")
    commanded.ended(act, "refused")


def test_nobody_approves_before_the_delay_has_passed_since_the_act_was_seen(commanded: CommandedCoalition) -> None:
    act = limit(commanded, 7_001)
    early = commanded.command("approve", act, "--asked-directly", person="ann", succeeds=False)
    assert early["code"] == "wrong_state"
    commanded.wait_out()
    commanded.command("approve", act, "--asked-directly", person="ann")
    late = commanded.command("approve", act, "--asked-directly", person="bea", succeeds=False)
    assert late["code"] == "wrong_state", "bea has only just heard of it"
    commanded.wait_out()
    assert commanded.command("approve", act, person="bea", succeeds=False)["code"] == "invalid", "the brand was not asked"
    commanded.command("approve", act, "--asked-directly", person="bea")
    commanded.ended(act, "confirmed")
    assert commanded.get(f"/v1/brands/{BRAND}")["issue_limit"] == 7_001


def test_an_owner_vetoes_by_command_and_the_gateway_relays_it(commanded: CommandedCoalition) -> None:
    successor = commanded.account("successor").address
    act = commanded.post(f"/v1/brands/{BRAND}/succession", {"owner_address": successor})["operation_id"]
    commanded.proposed(act)
    assert "without its present owner" in shown(commanded, act)["words"]
    ether = commanded.command("veto", act, "--own-account", person="owner", succeeds=False)
    assert "have ether" in ether["detail"], "the owner has none"
    commanded.command("veto", act, person="owner")
    assert commanded.ended(act, "refused")["reason"] == "vetoed"


def test_a_brand_is_handed_over_by_two_commands(commanded: CommandedCoalition, tmp_path: Path) -> None:
    for owner, successor in (("owner", "successor"), ("successor", "owner")):
        offer = tmp_path / f"{owner}.json"
        to = commanded.account(successor).address
        offer.write_text(
            json.dumps(commanded.command("hand-over", "offer", "--brand", str(BRAND), "--to", to, "--another-key", person=owner))
        )
        assert commanded.command("hand-over", "accept", str(offer), person="ann", succeeds=False)["code"] == "wrong_state"
        commanded.ended(commanded.command("hand-over", "accept", str(offer), person=successor)["operation_id"], "confirmed")
        assert commanded.get(f"/v1/brands/{BRAND}")["owner_address"] == to.lower()


def test_the_guardian_pauses_once(commanded: CommandedCoalition) -> None:
    assert commanded.command("pause", person="ann", succeeds=False)["code"] == "invalid", "no approver can"
    commanded.command("pause", person="guardian")
    commanded.command("unpause", person="guardian")
    assert "PauseSpent" in commanded.command("pause", person="guardian", succeeds=False)["detail"]


def test_no_directory_or_log_of_the_operator_holds_a_second_persons_key(commanded: CommandedCoalition) -> None:
    operators = [path for folder in ("gateway", "node") for path in (commanded.folder / folder).rglob("*") if path.is_file()]
    operators.append(commanded.folder / "gateway.log")
    held = [path.read_bytes() for path in operators]
    assert any(bytes(commanded.operator.key).hex().encode() in content for content in held), "the scan finds what is there"
    for name in ("guardian", "owner", "successor", *APPROVERS):
        key = bytes(commanded.account(name).key)
        for form in (key, key.hex().encode(), key.hex().upper().encode()):
            assert not any(form in content for content in held), name
