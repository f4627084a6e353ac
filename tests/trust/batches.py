"""Batches of brand 1, signed by its batch key and relayed by the operator, and consents to spend."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from gateway.chain.artifacts import points_ledger
from gateway.ledger.consents import NO_ORDER, ConsentTerms, consent_digest
from gateway.ledger.entries import Authorize, ConsentProof, Entry, Issue, Redeem, encode_entry
from gateway.ledger.framing import pack_entries
from gateway.ledger.lots import Line
from gateway.ledger.members import AuthorizerKind, member_id
from gateway.ledger.refusals import refusal_of
from gateway.ledger.signing import batch_digest
from gateway.second_people.own_transaction import send_own
from gateway.values.hex import to_bytes
from gateway.values.ids import Address, MemberId, Reference
from gateway.values.points import Points
from tests.builders.commanded_coalition import BRAND
from tests.builders.issues import BASIS
from tests.trust.ground import DONE, FOREVER, Ground

HELD = Points(100)
_ENTRY_REFUSED = keccak(text="EntryRefused(uint32,uint64,uint32,bytes4)")
_GAS = 3_000_000
_numbers = count(5_000)


def next_number() -> int:
    """Of a batch, nonce or reference that was not used before."""
    return next(_numbers)


def submit(ground: Ground, number: int, *entries: Entry) -> list[str]:
    """The answer to each entry: DONE, or the ledger's reason."""
    packed = pack_entries([encode_entry(each) for each in entries])
    digest = batch_digest(ground.known.domain("PointsLedger"), BRAND, number, keccak(packed), FOREVER)
    call = points_ledger().call("submitBatch", (BRAND, number, FOREVER), packed, ground.signed(ground.keys["batch key"], digest))
    sent = send_own(ground.chain, ground.keys["operator"], ground.contract("PointsLedger"), call, gas=_GAS)
    logs = ground.chain.call("eth_getTransactionReceipt", str(sent))["logs"]
    words = [to_bytes(log["data"]) for log in logs if to_bytes(log["topics"][0]) == _ENTRY_REFUSED]
    refused = {int.from_bytes(data[:32]): refusal_of(data[32:36]).value for data in words}
    return [refused.get(index, DONE) for index in range(len(entries))]


def issue(member: MemberId, expiry_day: int = 0) -> Issue:
    return Issue(member, expiry_day, HELD, BASIS, Reference(keccak(text=f"payment {next_number()}")))


def holder(ground: Ground, account: LocalAccount, expiry_day: int = 0) -> MemberId:
    """A new member with this key who holds HELD points of brand 1."""
    address = Address.parse(account.address)
    ground.send("operator", "Members", "enroll", [(AuthorizerKind.KEY, address, bytes(32))])
    member = member_id(ground.known.coalition_id, AuthorizerKind.KEY, address, bytes(32))
    assert submit(ground, next_number(), issue(member, expiry_day)) == [DONE]
    return member


def _spending(ground: Ground, member: MemberId, account: LocalAccount, expiry_day: int) -> tuple[Any, ...]:
    reference, nonce, deadline = Reference(keccak(text=f"order {next_number()}")), next_number(), ground.now + 3_600
    terms = ConsentTerms(member, member, BRAND, HELD, HELD, NO_ORDER, reference, nonce, deadline)
    proof = ConsentProof(1, ground.signed(account, consent_digest(ground.known.domain("PointsLedger"), terms)))
    lines: Sequence[Line] = (Line(BRAND, expiry_day, HELD),)
    return member, reference, NO_ORDER, nonce, deadline, HELD, HELD, proof, lines


def redeemed(ground: Ground, member: MemberId, account: LocalAccount, expiry_day: int = 0) -> Redeem:
    """All that the member holds, with this key's consent."""
    return Redeem(*_spending(ground, member, account, expiry_day))


def authorized(ground: Ground, member: MemberId, account: LocalAccount) -> Authorize:
    return Authorize(*_spending(ground, member, account, 0))
