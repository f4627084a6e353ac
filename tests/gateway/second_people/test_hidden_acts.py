"""An operator proposes past its own gateway, or the gateway keeps an act back: second people see it on their own node and stop it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.chain.connection import Chain, NodeRefused
from gateway.second_people.scheduled_acts import scheduled_act, scheduled_acts
from gateway.values.errors import NotFound, Unavailable
from gateway.values.ids import Hash
from tests.builders.commanded_coalition import BRAND, CommandedCoalition
from tests.builders.lying_gateway import lying_gateway
from tests.node.running_node import throwaway_account

ACTS = "/v1/governance/acts"
THIEF = throwaway_account("a thief of brands").address
SALT = Hash(b"\x07" * 32)


def other_call(truth: dict[str, Any]) -> dict[str, Any]:
    return {"acts": [{**act, "data": "0x00000000"} for act in truth["acts"]]}


LIES: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda truth: {"acts": []},
    "another call": other_call,
    "what cannot be read": lambda truth: {"acts": [None]},
    "no list": lambda truth: 5,
}


def recovery(commanded: CommandedCoalition) -> tuple[str, str]:
    """(operation, act id) of an act that takes the brand from its owner."""
    operation_id = commanded.post(f"/v1/brands/{BRAND}/succession", {"owner_address": THIEF})["operation_id"]
    return operation_id, commanded.proposed(operation_id)["act_id"]


@pytest.mark.parametrize("lie", LIES)
def test_an_owner_sees_and_vetoes_what_the_gateway_does_not_show(commanded: CommandedCoalition, lie: str) -> None:
    operation_id, act = recovery(commanded)
    commanded.give_ether("owner")
    posted: list[str] = []
    with lying_gateway(commanded.url, {ACTS: LIES[lie]}, posted) as url:
        shown = commanded.command("acts", person="owner", gateway=url)
        hidden = next(each for each in shown if each["act_id"] == act and "shown_by_gateway" in each)
        assert (hidden["shown_by_gateway"], "without its present owner" in hidden["words"]) == (False, True)
        done = commanded.command("veto", act, "--own-account", person="owner", gateway=url)
    assert (done["status"], posted) == ("vetoed", [])
    assert commanded.ended(operation_id, "refused")["reason"] == "vetoed"


def test_what_the_gateway_shows_is_not_called_hidden_and_what_has_ended_not_shown(commanded: CommandedCoalition) -> None:
    operation_id, act = recovery(commanded)
    assert [each["shown_by_gateway"] for each in commanded.command("acts", person="owner") if each["act_id"] == act] == [True]
    commanded.command("veto", act, person="owner")
    commanded.ended(operation_id, "refused")
    assert [each for each in commanded.command("acts", person="owner") if each["act_id"] == act] == []
    with pytest.raises(NotFound):
        scheduled_act(commanded.chain, commanded.known, Hash.parse(act))


def test_a_veto_that_the_gateway_does_not_relay_says_how_to_send_it(commanded: CommandedCoalition) -> None:
    operation_id, act = recovery(commanded)
    with lying_gateway(commanded.url, {ACTS: LIES["nothing"]}, []) as url:
        told = commanded.command("veto", act, person="owner", gateway=url, succeeds=False)
        assert "send it yourself with --own-account" in told["detail"]
        commanded.command("cancel", act, person="guardian", gateway=url)
    commanded.ended(operation_id, "refused")


def test_a_gateway_that_refuses_a_person_it_has_met_before_hides_nothing_and_stops_nothing(commanded: CommandedCoalition) -> None:
    commanded.command("acts", person="owner")
    operation_id, act = recovery(commanded)
    commanded.give_ether("owner")
    with lying_gateway(commanded.url, {}, [], closed=True) as url:
        assert [each["act_id"] for each in commanded.command("acts", person="owner", gateway=url)] == [act]
        assert commanded.command("acts", person="successor", gateway=url, succeeds=False)["code"] == "invalid", "who has met nobody yet"
        commanded.command("veto", act, "--own-account", person="owner", gateway=url)
    assert commanded.ended(operation_id, "refused")["reason"] == "vetoed"


@pytest.mark.parametrize("lie", [other_call, lambda truth: truth], ids=["another call", "the truth"])
def test_a_delay_begins_when_the_act_itself_is_seen(commanded: CommandedCoalition, lie: Callable[[Any], Any]) -> None:
    """An id without its call, told beforehand, would let the delay run while there is nothing to look at."""
    operation_id, act = recovery(commanded)
    with lying_gateway(commanded.url, {ACTS: lie}, []) as url:
        commanded.command("acts", person="cyd", gateway=url)
    seen = commanded.home("cyd") / "acts-seen.json"
    assert (seen.exists() and act in json.loads(seen.read_text())) == (lie is not other_call)
    commanded.command("cancel", act, person="guardian")
    commanded.ended(operation_id, "refused")


class StingyChain(Chain):
    """A node that answers for a few blocks of logs at a time, and may keep no state of old blocks."""

    def __init__(self, rpc_url: str, blocks_max: int, forgets: bool) -> None:
        super().__init__(rpc_url)
        self.blocks_max, self.forgets, self.first = blocks_max, forgets, -1

    def call(self, method: str, *params: Any) -> Any:
        if method == "eth_getLogs":
            first, last = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            self.first = first if self.first < 0 else self.first
            if last - first >= self.blocks_max:
                raise NodeRefused(method, -32005, "too many blocks", b"")
        if method == "eth_getCode" and self.forgets:
            raise NodeRefused(method, -32000, "missing trie node", b"")
        return super().call(method, *params)


def test_a_nodes_bounds_hide_no_act(commanded: CommandedCoalition) -> None:
    operation_id, act = recovery(commanded)
    found = scheduled_acts(commanded.chain, commanded.known)
    assert str(found[-1].act_id) == act
    for forgets in (False, True):
        stingy = StingyChain(commanded.node.url, 2, forgets)
        assert scheduled_acts(stingy, commanded.known) == found
        assert (stingy.first == 0) == forgets, "else from governance's own block on"
        stingy.close()
    mute = StingyChain(commanded.node.url, 0, False)
    with pytest.raises(Unavailable, match="name a node that keeps them"):
        scheduled_acts(mute, commanded.known)
    mute.close()
    commanded.command("cancel", act, person="guardian")
    commanded.ended(operation_id, "refused")
