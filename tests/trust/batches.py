"""Batches of brand 1, signed by its batch key and relayed by the operator, and consents to spend."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from gateway.ledger.consents import NO_ORDER, ConsentTerms, consent_digest
from gateway.ledger.entries import BRAND_GRANT, Authorize, ConsentProof, Entry, Issue, Redeem
from gateway.ledger.lots import Line
from gateway.ledger.members import AuthorizerKind, member_id
from gateway.values.ids import Address, MemberId, Reference
from gateway.values.points import Points
from tests.builders.commanded_coalition import BRAND
from tests.builders.issues import BASIS
from tests.trust.ground import DONE, Ground
from tests.trust.second_brand import answers_to

HELD = Points(100)
_numbers = count(5_000)


def next_number() -> int:
    """Of a batch, nonce or reference that was not used before."""
    return next(_numbers)


def submit(ground: Ground, number: int, *entries: Entry) -> list[str]:
    """The answer to each entry: DONE, or the ledger's reason."""
    return answers_to(ground, ground.keys["batch key"], BRAND, number, list(entries))


def issue(member: MemberId, expiry_day: int = 0) -> Issue:
    return Issue(member, expiry_day, HELD, BASIS, Reference(keccak(text=f"payment {next_number()}")))


def holder(ground: Ground, account: LocalAccount, expiry_day: int = 0) -> MemberId:
    """A new member with this key who holds HELD points of brand 1."""
    address = Address.parse(account.address)
    ground.send("operator", "Members", "enroll", [(AuthorizerKind.KEY, address, bytes(32))])
    member = member_id(ground.known.coalition_id, AuthorizerKind.KEY, address, bytes(32))
    assert submit(ground, next_number(), issue(member, expiry_day)) == [DONE]
    return member


def _spending(ground: Ground, member: MemberId, account: LocalAccount, expiry_day: int, seconds: int = 3_600) -> tuple[Any, ...]:
    reference, nonce, deadline = Reference(keccak(text=f"order {next_number()}")), next_number(), ground.now + seconds
    terms = ConsentTerms(member, member, BRAND, HELD, HELD, NO_ORDER, reference, nonce, deadline)
    proof = ConsentProof(1, ground.signed(account, consent_digest(ground.known.domain("PointsLedger"), terms)))
    lines: Sequence[Line] = (Line(BRAND, expiry_day, HELD),)
    return member, reference, NO_ORDER, nonce, deadline, HELD, HELD, proof, lines


def redeemed(ground: Ground, member: MemberId, account: LocalAccount, expiry_day: int = 0) -> Redeem:
    """All that the member holds, with this key's consent."""
    return Redeem(*_spending(ground, member, account, expiry_day))


def authorized(ground: Ground, member: MemberId, account: LocalAccount, seconds: int = 3_600) -> Authorize:
    """The consent is good for so long by the chain's clock."""
    return Authorize(*_spending(ground, member, account, 0, seconds))


def under_grant(ground: Ground, member: MemberId) -> Redeem:
    """By the brand itself, to which the member granted it."""
    reference, deadline = Reference(keccak(text=f"order {next_number()}")), ground.now + 3_600
    of = member, reference, NO_ORDER, next_number(), deadline, HELD, HELD
    return Redeem(*of, ConsentProof(BRAND_GRANT, b""), (Line(BRAND, 0, HELD),))
