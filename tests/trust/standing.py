"""What stands before anything is tried: an act of a member that waits, an overdue reservation, and cycles of brand 1 with itself."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from gateway.ledger.consents import NO_ORDER, ConsentTerms, consent_digest, reservation_id_of
from gateway.ledger.entries import Authorize, ConsentProof, Issue, encode_entry
from gateway.ledger.framing import pack_entries
from gateway.ledger.lots import Line, lot_id
from gateway.ledger.member_acts import (
    AuthorizerChange,
    MemberAct,
    RemoveAuthorizer,
    SetGuardian,
    delayed_act_arguments,
    member_act_digest,
)
from gateway.ledger.settlement import Cycle, SettledPair, cycle_digest, cycle_over
from gateway.ledger.signing import batch_digest
from gateway.values.ids import Address, Hash, MemberId, Reference, ReservationId
from gateway.values.points import Points
from tests.builders.commanded_coalition import BRAND
from tests.builders.issues import BASIS
from tests.builders.settlement import as_call, as_tuple

if TYPE_CHECKING:
    from tests.trust.ground import Ground

FOREVER = 2**40 - 1
SOME_POINTS = Points(100)
EARNED = Points(200)
PAIRS = (SettledPair(BRAND, BRAND, 1, 0, 0),)


def own_key(name: str) -> LocalAccount:
    """A key that somebody makes for itself, to pass for a second person or to have one more."""
    account: LocalAccount = Account.from_key(keccak(text=name))
    return account


def member_act_signed(ground: Ground, account: LocalAccount, act: MemberAct) -> bytes:
    return ground.signed(account, member_act_digest(ground.known.domain("Members"), act))


@dataclass(frozen=True)
class Standing:
    """Ann acted three times: a friend is her guardian, a second wallet came, and she asked to remove that."""

    removal: RemoveAuthorizer
    reservation: ReservationId
    agreed: Cycle
    applied: Cycle
    acts_of_ann: int = 3
    turn_of_ann: int = 1  # by the guardian


def stand(ground: Ground) -> Standing:
    """Everybody signs its part, one after the other, and the operator relays it."""
    spare = bytes(Address.parse(own_key("a spare wallet").address))
    friend = bytes(Address.parse(own_key("a friend").address))
    named = SetGuardian(ground.ann, 1, friend, 0, FOREVER)  # first of all: what waits falls with another guardian
    change = AuthorizerChange(ground.ann, 1, spare, Hash(bytes(32)), 1, FOREVER)
    removal = RemoveAuthorizer(ground.ann, 1, spare, 2, FOREVER)
    member = ground.keys["member"]
    ground.send("operator", "Members", "requestAct", delayed_act_arguments(named), 1, member_act_signed(ground, member, named))
    ground.send("operator", "Members", "changeAuthorizers", astuple(change), 1, member_act_signed(ground, member, change))
    ground.send("operator", "Members", "requestAct", delayed_act_arguments(removal), 1, member_act_signed(ground, member, removal))
    agreed = _agree(ground, "a cycle")
    reservation = _reserve(ground, ground.ann)
    applied = _agree(ground, "an applied cycle")
    ground.send("operator", "Settlement", "applyPairs", as_tuple(applied), [as_call(PAIRS, 0)])
    return Standing(removal, reservation, agreed, applied)


def cycle_of(ground: Ground, name: str) -> Cycle:
    """Cut off at the block before the newest, in which calls run."""
    return cycle_over(Hash(keccak(text=name)), ground.chain.head_number() - 1, PAIRS, FOREVER)


def _agree(ground: Ground, name: str) -> Cycle:
    cycle = cycle_of(ground, name)
    signature = ground.signed(ground.keys["brand owner"], cycle_digest(ground.known.domain("Settlement"), cycle))
    ground.send("operator", "Settlement", "agree", as_tuple(cycle), [signature])
    return cycle


def _reserve(ground: Ground, member: MemberId) -> ReservationId:
    """Ann has points of brand 1 and consents to spend some of them there; nobody captures."""
    domain, deadline, order = ground.known.domain("PointsLedger"), ground.now + 3_600, Reference(keccak(text="order"))
    terms = ConsentTerms(member, member, BRAND, SOME_POINTS, SOME_POINTS, NO_ORDER, order, 1, deadline)
    proof = ConsentProof(1, ground.signed(ground.keys["member"], consent_digest(domain, terms)))
    line = Line(BRAND, 0, SOME_POINTS)
    authorize = Authorize(member, order, NO_ORDER, 1, deadline, SOME_POINTS, SOME_POINTS, proof, (line,))
    issue = Issue(member, 0, EARNED, BASIS, Reference(keccak(text="payment")))
    entries = pack_entries([encode_entry(each) for each in (issue, authorize)])
    signature = ground.signed(ground.keys["batch key"], batch_digest(domain, BRAND, 1, keccak(entries), FOREVER))
    ground.send("operator", "PointsLedger", "submitBatch", (BRAND, 1, FOREVER), entries, signature)
    return reservation_id_of(domain, BRAND, authorize)


def lots_of_the_reservation() -> list[int]:
    return [lot_id(BRAND, 0)]
