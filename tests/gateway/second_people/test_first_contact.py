"""At first contact a person knows nothing but a node of its own choice: what a lying gateway says otherwise than the contracts is named."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.chain.artifacts import contract_named
from gateway.cli import program
from gateway.second_people.known_coalition import CONTRACTS
from gateway.values.hex import hex_text
from gateway.values.ids import Address
from tests.builders.commanded_coalition import DELAY, CommandedCoalition, commanded_coalition
from tests.builders.lying_gateway import lying_gateway

ELSEWHERE = "0x" + "77" * 20
COALITION = "/v1/coalition"
NEEDS_NODE = ("acts", "approve", "execute", "veto", "cancel", "pause", "unpause", "propose-operator")
NEEDS_NODE_TOO = {"hand-over": ("offer", "accept"), "brand": ("publish", "accept", "key", "terms")}
SIMULATED = {"sandbox": True, "governance_delay_seconds": 0}
LIES: dict[str, tuple[dict[str, Any], str]] = {
    "sandbox": (SIMULATED, "the gateway says that sandbox is True, the contract Governance says False"),
    "delay": ({"governance_delay_seconds": 0}, f"governance_delay_seconds is 0, the contract Governance says {DELAY}"),
    "coalition": ({"coalition_id": "0x" + "05" * 32}, f"coalition_id is 0x{'05' * 32}, the contract Governance says 0x"),
    "chain": ({"chain_id": 1}, "the coalition is on 1: name its node"),
    **{name: ({f"{name}_address": ELSEWHERE}, f"at {ELSEWHERE} stands no") for name in ("governance", "brands", "members", "points")},
    **{name: ({f"{name}_address": None}, "at no address stands no") for name in ("settlement", "anchors")},
}


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandedCoalition]:
    """No sandbox: time is not set at will, delays are days."""
    with commanded_coalition(tmp_path_factory.mktemp("lasting"), sandbox=False) as made:
        yield made


def said_by(lasting: CommandedCoalition, told: dict[str, Any]) -> dict[str, Any]:
    """What ann is told who asks a gateway that tells so."""
    posted: list[str] = []
    with lying_gateway(lasting.url, {COALITION: lambda truth: truth | told}, posted) as url:
        answer = lasting.command("acts", person="ann", gateway=url, succeeds=False)
    assert posted == []
    return dict(answer)


@pytest.mark.parametrize("lie", LIES)
def test_what_a_gateway_says_otherwise_than_the_contracts_is_refused_by_name(lasting: CommandedCoalition, lie: str) -> None:
    told, why = LIES[lie]
    answer = said_by(lasting, told)
    assert (answer["code"], why in answer["detail"]) == ("wrong_state", True), answer
    assert not (lasting.home("ann") / "coalition.json").exists(), "no lie is kept"


def sandbox_governance(lasting: CommandedCoalition) -> str:
    """The committed contract, of the same coalition id, without a delay: where somebody deploys it beside the coalition's own."""
    one, two = (Address(bytes([number]) * 20) for number in (1, 2))
    founding = (True, 0, one, two, [Address(b"\x03" * 20)], 1)
    return deployed(lasting, contract_named("Governance").creation(lasting.known.coalition_id, founding))


def deployed(lasting: CommandedCoalition, creation: bytes) -> str:
    """The address of what this data creates, from the guardian's account."""
    account, chain = lasting.account("guardian"), lasting.chain
    sent = {"type": 2, "chainId": lasting.known.chain_id, "nonce": chain.transaction_count(Address.parse(account.address)), "value": 0}
    sent |= {"data": creation, "gas": 16_000_000}
    signed = account.sign_transaction(sent | {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9})
    chain.call("eth_sendRawTransaction", hex_text(bytes(signed.raw_transaction)))
    found = lasting.await_true(lambda: chain.call("eth_getTransactionReceipt", hex_text(bytes(signed.hash))))
    return str(found["contractAddress"])


def test_another_governance_of_the_same_coalition_id_is_refused(lasting: CommandedCoalition) -> None:
    """Its code is the committed one: that the others name it is what tells."""
    false = sandbox_governance(lasting)
    answer = said_by(lasting, {**SIMULATED, "governance_address": false})
    assert f"the address of Governance is {false}, the contract Brands says {lasting.known.contracts['Governance']}" in answer["detail"]


def test_members_that_go_by_another_verifier_of_passkeys_are_refused(lasting: CommandedCoalition) -> None:
    """Their code is the committed one: the verifier is built in beside it."""
    known = lasting.known.contracts
    built_in = known["Governance"], known["Anchors"], known["PointsLedger"], 2 * 86_400
    answer = said_by(lasting, {"members_address": deployed(lasting, contract_named("Members").creation(*built_in))})
    assert f"Members goes by a verifier of passkeys at {known['Anchors']}, which is not PasskeyVerifier" in answer["detail"]


def test_the_sealers_clock_is_nobodys_own(lasting: CommandedCoalition) -> None:
    """An act is signable two days from now by the person's clock, whatever the gateway says."""
    act = lasting.post("/v1/governance/delay", {"delay_seconds": DELAY + 1})["operation_id"]
    lasting.proposed(act)
    before = int(time.time())
    told = next(each for each in lasting.command("acts", person="bea") if each["operation_id"] == act)
    assert before + DELAY <= told["signable_from"] <= int(time.time()) + DELAY + 120
    posted: list[str] = []
    with lying_gateway(lasting.url, {COALITION: lambda truth: truth | SIMULATED}, posted) as url:
        for gateway in (url, ""):
            refused = lasting.command("approve", act, "--asked-directly", person="bea", gateway=gateway, succeeds=False)
            assert refused["code"] == "wrong_state"
    assert posted == []


def test_no_second_person_asks_without_a_node() -> None:
    commands = [program().commands[name] for name in NEEDS_NODE]
    commands += [program().commands[group].commands[name] for group, names in NEEDS_NODE_TOO.items() for name in names]
    for command in commands:
        (rpc,) = [option for option in command.params if option.name == "rpc_url"]
        assert rpc.required, command.name


def test_every_contract_of_a_coalition_is_looked_at(lasting: CommandedCoalition) -> None:
    assert set(CONTRACTS) == set(lasting.known.contracts)
