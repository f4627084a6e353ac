"""docs/trust.md, line by line: on a deployment made by the product's own commands every role tries every state-changing function alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.chain.artifacts import DEPLOYED
from tests.builders.abi import contract_abi
from tests.trust.ground import ROLES, Ground
from tests.trust.powers import POWERS, lines

DOCUMENT = Path(__file__).parents[2] / "docs" / "trust.md"
TRIED = [(contract, function) for contract, powers in POWERS.items() for function in powers]


def test_every_state_changing_function_of_every_deployed_contract_has_its_line() -> None:
    found = {}
    for load in DEPLOYED.values():
        functions = contract_abi(load().name).functions
        found[load().name] = {name for name, item in functions.items() if item["stateMutability"] not in ("view", "pure")}
    assert found == {contract: set(powers) for contract, powers in POWERS.items()}


def test_what_is_seen_is_an_event_of_the_contract() -> None:
    for contract, powers in POWERS.items():
        events = {item["name"] for item in contract_abi(contract).events.values()}
        assert {power.seen for power in powers.values() if power.seen} <= events


def test_the_document_has_the_lines_that_are_tried() -> None:
    table = "\n".join(lines())
    assert table in DOCUMENT.read_text(), f"put this into {DOCUMENT.name}:\n{table}"


@pytest.mark.parametrize(("contract", "function"), TRIED, ids=[f"{contract}.{function}" for contract, function in TRIED])
def test_each_role_alone_is_answered_as_the_line_says(ground: Ground, contract: str, function: str) -> None:
    power = POWERS[contract][function]
    answers = {
        role: ground.answer(ground.keys[role], contract, function, *power.arguments(ground, ground.keys[role], role)) for role in ROLES
    }
    assert answers == {role: power.expected(role) for role in ROLES}
