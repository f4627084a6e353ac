"""Calls on a state and a header the caller changes, and access lists found by running the call."""

import pytest
from eth_hash.auto import keccak

from tests.node.cell_contract import RUNTIME, word
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR, NOBODY = throwaway_account("operator"), throwaway_account("nobody")


def test_overridden_accounts_are_what_the_call_sees_and_nothing_stays(node: RunningNode, cell: str) -> None:
    node.send(OPERATOR, to=cell, data=word(7))
    read = {"to": cell}
    assert node.call("eth_call", read, "latest", {cell: {"stateDiff": {word(0): word(8)}}}) == word(8)
    assert node.call("eth_call", read, "latest", {cell: {"state": {word(1): word(8)}}}) == word(0)
    assert node.call("eth_call", read, "latest", {cell: {"stateDiff": {word(1): word(8)}}}) == word(7)
    elsewhere = {"to": NOBODY.address}
    assert node.call("eth_call", elsewhere, "latest", {NOBODY.address: {"code": "0x" + RUNTIME.hex()}}) == word(0)
    balance_of_caller = {"from": NOBODY.address, "to": NOBODY.address}
    change = {"balance": "0x7b", "code": "0x333160005260206000f3"}  # CALLER, BALANCE
    assert node.call("eth_call", balance_of_caller, "latest", {NOBODY.address: change}) == word(123)
    assert node.call("eth_call", read) == word(7)
    assert node.call("eth_getCode", NOBODY.address) == "0x"


def test_an_estimate_takes_overrides_into_account(node: RunningNode) -> None:
    paid = {"from": NOBODY.address, "to": OPERATOR.address, "value": "0x5", "gasPrice": "0x8"}
    assert node.request("eth_estimateGas", paid)["error"] == {"code": -32000, "message": "insufficient funds for transfer"}
    assert node.call("eth_estimateGas", paid, "latest", {NOBODY.address: {"balance": hex(10**18)}}) == "0x5208"


def test_overridden_headers_are_what_the_code_sees(node: RunningNode) -> None:
    code = {"data": "0x42600052436020524860405260606000f3"}  # TIMESTAMP, NUMBER, BASEFEE
    seen = node.call("eth_call", code, "latest", None, {"time": "0x63", "number": "0x7", "baseFeePerGas": "0x0"})
    assert seen == word(99) + word(7)[2:] + word(0)[2:]


STRANGE = ({"weather": 1}, {"balance": "1"}, {"state": {}, "stateDiff": {}}, {"code": "0x1"}, 7)


@pytest.mark.parametrize("overrides", [5, {"0x12": {}}, *({"0x" + "11" * 20: strange} for strange in STRANGE)])
def test_overrides_that_make_no_sense_are_refused(node: RunningNode, overrides: object) -> None:
    assert node.request("eth_call", {"to": OPERATOR.address}, "latest", overrides)["error"]["code"] == -32602


def test_an_access_list_names_what_the_call_touches_beside_its_own_accounts(node: RunningNode, cell: str) -> None:
    looks_at_nobody = "73" + NOBODY.address[2:] + "31" + "00"  # BALANCE
    found = node.call("eth_createAccessList", {"from": OPERATOR.address, "data": "0x" + looks_at_nobody})
    assert found["accessList"] == [{"address": NOBODY.address.lower(), "storageKeys": []}]
    written = {"from": OPERATOR.address, "to": cell, "data": word(9)}
    listed = node.call("eth_createAccessList", written)
    assert listed["accessList"] == [{"address": cell, "storageKeys": [word(0)]}]
    receipt = node.send(OPERATOR, to=cell, data=word(9), accessList=listed["accessList"])
    assert receipt["gasUsed"] == listed["gasUsed"]
    assert node.call("eth_createAccessList", {"from": OPERATOR.address, "to": NOBODY.address})["accessList"] == []


def test_a_call_that_fails_says_so_beside_its_access_list(node: RunningNode, cell: str) -> None:
    assert node.call("eth_createAccessList", {"to": cell, "data": "0x12345678"})["error"] == "execution reverted"


def test_failures_are_worded_as_elsewhere(node: RunningNode) -> None:
    def error(code: str) -> tuple[int, str]:
        answer = node.request("eth_call", {"data": "0x" + code, "gas": "0x186a0"})["error"]
        return answer["code"], answer["message"]

    assert error("fe") == (-32000, "invalid opcode: INVALID")
    assert error("0c") == (-32000, "invalid opcode: opcode 0xc not defined")
    assert error("56")[1] == "stack underflow"
    assert error("600056")[1] == "invalid jump destination"
    assert error("5b600056")[1] == "out of gas"
    panic = keccak(b"Panic(uint256)")[:4].hex() + "11".rjust(64, "0")
    body = "7f" + panic[:64] + "600052" + "7f" + panic[64:].ljust(64, "0") + "602052" + "60246000fd"
    assert error(body) == (3, "execution reverted: arithmetic underflow or overflow")
