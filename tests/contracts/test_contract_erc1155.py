"""The points ledger as wallets and explorers read it: ERC-1155 balances, ERC-165, ERC-5267; transfers are not open yet."""

from __future__ import annotations

import pytest

from gateway.ledger.lots import lot_id
from tests.builders.abi import contract_abi
from tests.builders.ledger_chain import CHAIN_ID
from tests.builders.points_ledger import COALITION_ID, UTC_OFFSET_SECONDS, PointsLedger, member_named

GROCER, FUEL = 1, 2
BOB = member_named("bob")


def test_balances_are_read_one_by_one_and_many_at_once(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    lots = [lot_id(GROCER, expiry_day), lot_id(FUEL, 0), lot_id(FUEL, 0)]
    assert ledger.view("balanceOfBatch", [ann, ann, BOB], lots) == (1_000, 500, 0)
    assert [ledger.view("balanceOf", ann, lot) for lot in lots[:2]] == [1_000, 500]
    outcome = ledger.chain.call(ledger.address, ledger.abi.call("balanceOfBatch", [ann], lots))
    assert ledger.reverted(outcome) == "LengthsDiffer"


@pytest.mark.parametrize(
    ("interface_id", "supported"),
    [("d9b67a26", True), ("0e89341c", True), ("01ffc9a7", True), ("ffffffff", False), ("80ac58cd", False)],
)
def test_it_says_which_interfaces_it_has(ledger: PointsLedger, interface_id: str, supported: bool) -> None:
    assert ledger.view("supportsInterface", bytes.fromhex(interface_id)) is supported


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("setApprovalForAll", (BOB, True)),
        ("safeTransferFrom", (BOB, BOB, 1, 1, b"")),
        ("safeBatchTransferFrom", (BOB, BOB, [1], [1], b"")),
    ],
)
def test_transfers_and_approvals_are_not_open(ledger: PointsLedger, function: str, arguments: tuple[object, ...]) -> None:
    assert ledger.reverted(ledger.transact(function, *arguments)) == "TransfersNotOpen"
    assert ledger.view("isApprovedForAll", BOB, BOB) is False


@pytest.mark.parametrize("place", [0, 1, 2], ids=["PointsLedger", "Brands", "Members"])
def test_the_signing_domain_carries_the_coalition_as_salt(ledger: PointsLedger, place: int) -> None:
    address, abi = ledger.contracts[place]
    answer = ledger.chain.call(address, abi.call("eip712Domain")).output
    fields, name, version, chain_id, contract, salt, extensions = abi.answer("eip712Domain", answer)
    assert (fields, name, version, chain_id, salt) == (b"\x1f", "Splittally", "1", CHAIN_ID, COALITION_ID)
    assert bytes.fromhex(contract[2:]) == address
    assert extensions == ()


def test_the_ledger_says_whose_it_is(ledger: PointsLedger) -> None:
    assert ledger.view("coalitionId") == COALITION_ID
    assert ledger.view("currency") == b"EUR"
    assert ledger.view("utcOffsetSeconds") == UTC_OFFSET_SECONDS
    assert ledger.view("governance") == "0x" + ledger.governance.address.hex()
    assert ledger.view("sandbox") is True
    assert ledger.view("brands") == "0x" + ledger.brands.hex()
    assert ledger.view("members") == "0x" + ledger.members.hex()
    assert ledger.view("pointsLedger") == "0x" + ledger.address.hex()
    assert ledger.view("uri", 5).startswith("data:application/json,")


@pytest.mark.parametrize(("offset", "possible"), [(-50_400, True), (50_400, True), (-50_401, False), (50_401, False)])
def test_a_time_zone_is_at_most_fourteen_hours_from_utc(ledger: PointsLedger, offset: int, possible: bool) -> None:
    outcome = ledger.chain.send(b"", contract_abi("Brands").creation(ledger.governance.address, offset))
    assert outcome.succeeded is possible
    if not possible:
        assert ledger.reverted(outcome) == "UtcOffsetTooFar"
