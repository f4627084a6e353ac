"""Brand 2, of which the operator holds the batch key ("managed") and nothing else; and what a batch of entries is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from gateway.chain.artifacts import points_ledger
from gateway.ledger.entries import Entry, encode_entry
from gateway.ledger.framing import pack_entries
from gateway.ledger.owner_acts import SetExposure
from gateway.ledger.refusals import refusal_of
from gateway.ledger.signing import batch_digest
from gateway.second_people.own_transaction import send_own
from gateway.values.hex import to_bytes
from gateway.values.ids import Address
from tests.builders.commanded_coalition import BRAND
from tests.trust.standing import FOREVER, own_key

if TYPE_CHECKING:
    from tests.trust.ground import Ground

MANAGED = 2
ACCEPTED = ""
TERMS = (1, 1, 1, 1, 0, 90, 1)  # a point is worth a minor unit; a day's notice
_ENTRY_REFUSED = keccak(text="EntryRefused(uint32,uint64,uint32,bytes4)")
_GAS = 3_000_000


def owner_of_managed() -> LocalAccount:
    return own_key("the owner of brand 2")


def register_managed(ground: Ground) -> None:
    """By an act that two people approve, as the product's own commands registered brand 1; it takes 1,000 of that brand's points."""
    owner, operator = Address.parse(owner_of_managed().address), ground.address("operator")
    act = ground.act("Brands", "registerBrand", (MANAGED, owner, 10**12, TERMS, operator, (0, FOREVER, True)), salt="brand 2")
    ground.send("operator", "Governance", "schedule", *act.arguments, ground.known.delay_seconds)
    ground.pass_time(ground.known.delay_seconds)
    approvals = ground.approvals(act.id, ground.keys["approver"], ground.second_approver)
    ground.send("operator", "Governance", "executeApproved", *act.arguments, approvals)
    signed = ground.owner_act(owner_of_managed(), SetExposure(MANAGED, BRAND, 1_000, 0, FOREVER))
    ground.send("operator", "Brands", "setExposure", MANAGED, BRAND, 1_000, (0, FOREVER, signed))


def answers_to(ground: Ground, account: LocalAccount, brand: int, number: int, entries: list[Entry]) -> list[str]:
    """Of a batch that this account signed in the brand's name and the operator sent: ACCEPTED, or the ledger's reason, entry by entry."""
    packed = pack_entries([encode_entry(each) for each in entries])
    digest = batch_digest(ground.known.domain("PointsLedger"), brand, number, keccak(packed), FOREVER)
    call = points_ledger().call("submitBatch", (brand, number, FOREVER), packed, ground.signed(account, digest))
    sent = send_own(ground.chain, ground.keys["operator"], ground.contract("PointsLedger"), call, gas=_GAS)
    logs = ground.chain.call("eth_getTransactionReceipt", str(sent))["logs"]
    words = [to_bytes(log["data"]) for log in logs if to_bytes(log["topics"][0]) == _ENTRY_REFUSED]
    refused = {int.from_bytes(data[:32]): refusal_of(data[32:36]).value for data in words}
    return [refused.get(index, ACCEPTED) for index in range(len(entries))]
