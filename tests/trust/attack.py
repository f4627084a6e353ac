"""What an operator tries on brand 1 and its member with all that it has: account, database, node, the sealer's key and the clock.

It manages brand 2, so it signs that brand's batches too. Each attempt is a line of docs/trust.md with the answers it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any

from eth_utils import keccak

from gateway.ledger.consents import NO_ORDER, ConsentTerms, TransferTerms, consent_digest, lines_hash, transfer_digest
from gateway.ledger.entries import Capture, Clawback, ConsentProof, Entry, Expire, Issue, Redeem, Restore, Transfer, Void, encode_entry
from gateway.ledger.issue_parts import ShownIssue
from gateway.ledger.lots import MAX_EXPIRY_DAY, Line
from gateway.ledger.member_acts import (
    AuthorizerChange,
    Grant,
    MemberAct,
    Recovery,
    SetGuardian,
    delayed_act_arguments,
    grant_to_brand,
)
from gateway.ledger.owner_acts import HandOver, SetBrandKey, SetBrandTerms, SetExposure
from gateway.ledger.signing import batch_digest
from gateway.ledger.terms import LedgerTerms
from gateway.values.ids import Address, Hash, MemberId, Reference
from gateway.values.points import Points
from tests.builders.commanded_coalition import BRAND
from tests.builders.issues import BASIS
from tests.trust.ground import FOREVER, Ground
from tests.trust.own_signer import answer_of_its_signer
from tests.trust.second_brand import MANAGED, answers_to
from tests.trust.standing import EARNED, SOME_POINTS, member_act_signed

OWN_KEYS = ("operator", "sealer")
A_MILLION, A_BILLION_TIMES_THOUSAND = Points(10**6), Points(10**12)
LINE = Line(BRAND, 0, SOME_POINTS)
NO_REFERENCE = Reference(bytes(32))


@dataclass(frozen=True)
class Attempt:
    """`answers` are all that its parts are given, in the order in which they are tried."""

    tries: str
    answers: tuple[str, ...]
    made: Callable[[Ground], list[str]]


class Attacker:
    """Signs with each of the operator's keys for what only others may sign."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.mallory = ground.mallory

    def each(self, contract: str, function: str, arguments: Callable[[str], tuple[Any, ...]]) -> list[str]:
        """The answers, one for both keys where they are the same."""
        ground = self.ground
        given = [ground.answer(ground.keys["operator"], contract, function, *arguments(role)) for role in OWN_KEYS]
        return list(dict.fromkeys(given))

    def owner_act(self, function: str, arguments: Callable[[str], tuple[Any, ...]], act: Callable[[str], Any]) -> list[str]:
        def signed(role: str) -> tuple[Any, ...]:
            return *arguments(role), (0, FOREVER, self.ground.owner_act(self.ground.keys[role], act(role)))

        return self.each("Brands", function, signed)

    def member_act(self, function: str, act: Callable[[str], MemberAct], *, delayed: bool = False) -> list[str]:
        def signed(role: str) -> tuple[Any, ...]:
            made = act(role)
            shown = delayed_act_arguments(made) if delayed else astuple(made)
            return shown, 1, member_act_signed(self.ground, self.ground.keys[role], made)

        return self.each("Members", function, signed)

    def as_brand_1(self, entry: Entry) -> list[str]:
        packed = len(encode_entry(entry)).to_bytes(2) + encode_entry(entry)
        digest = batch_digest(self.ground.known.domain("PointsLedger"), BRAND, 901, keccak(packed), FOREVER)
        return self.each(
            "PointsLedger", "submitBatch", lambda role: ((BRAND, 901, FOREVER), packed, self.ground.signed(self.ground.keys[role], digest))
        )

    def as_brand_2(self, number: int, *entries: Entry) -> list[str]:
        return answers_to(self.ground, self.ground.keys["operator"], MANAGED, number, list(entries))

    def redeem(self, spender: MemberId, kind: int) -> Redeem:
        """Of ann's points at brand 2: consented to by the operator's own key."""
        ground, deadline = self.ground, self.ground.now + 3_600
        domain, reference = ground.known.domain("PointsLedger"), Reference(keccak(text=f"spent by {kind}"))
        terms = ConsentTerms(ground.ann, spender, MANAGED, SOME_POINTS, SOME_POINTS, NO_ORDER, reference, 9, deadline)
        signature = ground.signed(ground.keys["operator"], consent_digest(domain, terms))
        proof = {1: signature, 4: spender + bytes([1]) + signature, 5: b""}[kind]
        amounts = 9, deadline, SOME_POINTS, SOME_POINTS
        return Redeem(ground.ann, reference, NO_ORDER, *amounts, ConsentProof(kind, proof), (LINE,))

    def transfer(self) -> Transfer:
        """Of ann's points to the operator's own member."""
        ground, deadline = self.ground, self.ground.now + 3_600
        terms = TransferTerms(ground.ann, self.mallory, lines_hash((LINE,)), 9, deadline)
        proof = ConsentProof(1, ground.signed(ground.keys["operator"], transfer_digest(ground.known.domain("PointsLedger"), terms)))
        return Transfer(ground.ann, self.mallory, 9, deadline, proof, proof, (LINE,))


def _issue(member: MemberId, points: Points) -> Issue:
    return Issue(member, 0, points, BASIS, Reference(keccak(text="a sale that never was")))


def clawback_of_ann(ground: Ground) -> Clawback:
    """Of what brand 1 issued to ann in its first batch."""
    shown = encode_entry(Issue(ground.ann, 0, EARNED, BASIS, Reference(keccak(text="payment"))))
    return Clawback(ground.ann, NO_REFERENCE, ShownIssue(1, 0, 2, (), (), shown), (LINE,))


def _own_key(ground: Ground) -> list[str]:
    attacker, key = Attacker(ground), ground.address("operator")
    act = SetBrandKey(BRAND, key, 0, FOREVER, False, 0, FOREVER)
    return attacker.owner_act("setBrandKey", lambda role: (BRAND, key, (0, FOREVER, False)), lambda role: act)


def _own_brand(ground: Ground) -> list[str]:
    """Proposed, ready by the sealer's clock, and approved by whoever the operator can be."""
    act, mine = ground.own_brand, [ground.keys[role] for role in OWN_KEYS]
    tried = [[], ground.approvals(act.id, *mine)]
    by_act = [ground.answer(mine[0], "Governance", "executeApproved", *act.arguments, approvals) for approvals in tried]
    offer = HandOver(BRAND, ground.address("operator"), False, 0, FOREVER)
    signed = (0, FOREVER, ground.owner_act(mine[0], offer))
    handed = ground.answer(mine[0], "Brands", "handOver", BRAND, ground.address("operator"), False, signed, signed[2])
    return [*by_act, handed]


def _own_terms(ground: Ground) -> list[str]:
    attacker, terms = Attacker(ground), (1, 100, 1, 100, 50, 0, 0)
    changed = attacker.owner_act(
        "setBrandTerms", lambda role: (BRAND, terms), lambda role: SetBrandTerms(BRAND, LedgerTerms(*terms), 0, FOREVER)
    )
    exposed = attacker.owner_act(
        "setExposure", lambda role: (BRAND, MANAGED, 10**9), lambda role: SetExposure(BRAND, MANAGED, 10**9, 0, FOREVER)
    )
    return [*changed, *exposed]


def _member_keys(ground: Ground) -> list[str]:
    attacker, acts, me = Attacker(ground), ground.standing.acts_of_ann, bytes(Address.parse(ground.keys["operator"].address))
    added = attacker.member_act("changeAuthorizers", lambda role: AuthorizerChange(ground.ann, 1, me, Hash(bytes(32)), acts, FOREVER))
    granted = attacker.member_act(
        "setGrant", lambda role: Grant(ground.ann, grant_to_brand(MANAGED), 10**6, 10**6, 10**6, FOREVER, acts, FOREVER)
    )
    guarded = attacker.member_act("requestAct", lambda role: SetGuardian(ground.ann, 1, me, acts, FOREVER), delayed=True)
    recovered = attacker.member_act("requestAct", lambda role: Recovery(ground.ann, 1, me, 99, FOREVER), delayed=True)
    early = ground.answer(ground.keys["operator"], "Members", "executeAct", delayed_act_arguments(Recovery(ground.ann, 1, me, 99, FOREVER)))
    return [*added, *granted, *guarded, *recovered, early]


def _spent(ground: Ground) -> list[str]:
    attacker = Attacker(ground)
    entries = attacker.redeem(ground.ann, 1), attacker.redeem(attacker.mallory, 4), attacker.redeem(ground.ann, 5), attacker.transfer()
    return attacker.as_brand_2(1, *entries)


def _taken(ground: Ground) -> list[str]:
    reservation = ground.standing.reservation
    restore = Restore(ground.ann, NO_REFERENCE, 1, 0, (LINE,))
    capture = Capture(reservation, NO_REFERENCE, SOME_POINTS, (LINE,))
    others = Attacker(ground).as_brand_2(2, clawback_of_ann(ground), restore, capture, Void(reservation, NO_REFERENCE, (LINE,)))
    return [*Attacker(ground).as_brand_1(clawback_of_ann(ground)), *others]


def _expired(ground: Ground) -> list[str]:
    """The last day that there is. What time the chain says counts neither for the key nor for the signer."""
    early = Expire(ground.ann, MAX_EXPIRY_DAY, SOME_POINTS)
    return [*Attacker(ground).as_brand_1(early), answer_of_its_signer(ground, 902, early, {"kind": "expire"})]


def _flooded(ground: Ground) -> list[str]:
    """Points of the managed brand for the operator's own member are good there; brand 1 takes none, even where it signs by mistake."""
    attacker = Attacker(ground)
    issued = attacker.as_brand_2(3, _issue(attacker.mallory, A_MILLION))
    domain, deadline, reference = ground.known.domain("PointsLedger"), ground.now + 3_600, Reference(keccak(text="flood"))
    terms = ConsentTerms(attacker.mallory, attacker.mallory, BRAND, A_MILLION, A_MILLION, NO_ORDER, reference, 0, deadline)
    proof = ConsentProof(1, ground.signed(ground.keys["operator"], consent_digest(domain, terms)))
    line = Line(MANAGED, 0, A_MILLION)
    spent = Redeem(attacker.mallory, reference, NO_ORDER, 0, deadline, A_MILLION, A_MILLION, proof, (line,))
    by_itself = attacker.as_brand_1(spent)
    return [*issued, *by_itself, *answers_to(ground, ground.keys["batch key"], BRAND, 700, [spent])]


ATTACK = {
    "own_key": Attempt("a batch key of its own for brand 1", ("NotSignedBy",), _own_key),
    "own_brand": Attempt(
        "brand 1 itself: by an act without approvals, by one approved with all its own keys, by handing it over to itself",
        ("TooFewApprovals", "NotAnApprover", "NotSignedBy"),
        _own_brand,
    ),
    "own_terms": Attempt("other terms for it; that it takes the managed brand's points", ("NotSignedBy", "NotSignedBy"), _own_terms),
    "issued": Attempt(
        "10^12 points issued in brand 1's name",
        ("BatchKeyNotValid",),
        lambda ground: Attacker(ground).as_brand_1(_issue(Attacker(ground).mallory, A_BILLION_TIMES_THOUSAND)),
    ),
    "taken": Attempt(
        "a member's points of brand 1 clawed back: in brand 1's name, in the managed brand's; restored; her reservation captured, voided",
        ("BatchKeyNotValid", "UnknownIssue", "UnknownIssue", "NotAcceptingBrand", "NotAcceptingBrand"),
        _taken,
    ),
    "expired": Attempt(
        "her points let expire before their day, whatever time its node says: in brand 1's name, by asking brand 1's own signer",
        ("BatchKeyNotValid", "lot_not_expired"),
        _expired,
    ),
    "spent": Attempt(
        "her points spent at the managed brand: by a consent of its own, as another member whom she granted nothing, under a grant to the "
        "brand that she never gave; transferred to itself",
        ("NotAnAuthorizer", "GrantMissing", "GrantMissing", "NotAnAuthorizer"),
        _spent,
    ),
    "member_keys": Attempt(
        "an authorizer of its own for her, a grant in her name, another guardian, recovery; recovery carried out unasked",
        ("AuthorizerAbsent", "AuthorizerAbsent", "AuthorizerAbsent", "NotGuardian", "ActNotPending"),
        _member_keys,
    ),
    "flooded": Attempt(
        "10^6 points of the managed brand for a member of its own, spent at brand 1: in brand 1's name, and where brand 1 signs by mistake",
        ("", "BatchKeyNotValid", "ExposureExceeded"),
        _flooded,
    ),
}


def lines_of_the_attack() -> list[str]:
    """The table of docs/trust.md."""
    head = ["| It tries | Is answered |", "|---|---|"]
    return [*head, *(f"| {each.tries} | {', '.join(_shown(answer) for answer in each.answers)} |" for each in ATTACK.values())]


def _shown(answer: str) -> str:
    return f"`{answer}`" if answer else "done: that brand's own limit"
