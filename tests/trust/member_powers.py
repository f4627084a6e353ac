"""Who can do what alone to a member: every state-changing function of the members' register. A claim key acts for bob, who has no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

from eth_account.signers.local import LocalAccount

from gateway.ledger.member_acts import (
    AuthorizerChange,
    Grant,
    SetGuardian,
    SpendLock,
    Veto,
    delayed_act_arguments,
    grant_to_brand,
    member_act_digest,
)
from gateway.values.ids import Address, Hash, MemberId
from tests.builders.commanded_coalition import BRAND
from tests.trust.ground import FOREVER, Ground
from tests.trust.power import AT_ONCE, EVERYBODY, Power
from tests.trust.standing import member_act_signed, own_key

_CLAIM = {"claim key": "ClaimKeyOnlyChanges"}
_AFTER_DELAY = "the member's delay, then anybody carries it out"
_VETO = "any authorizer of the member, or its guardian"


def _whose(ground: Ground, role: str) -> tuple[MemberId, int, int]:
    """Whom the role acts for, by which kind of proof, and how often that member acted before."""
    return (ground.bob, 2, 0) if role == "claim key" else (ground.ann, 1, ground.standing.acts_of_ann)


def _me(account: LocalAccount) -> Address:
    return Address.parse(account.address)


def _change(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    """Adds a key of its own to a member."""
    member, kind, acts = _whose(ground, role)
    act = AuthorizerChange(member, 1, bytes(_me(own_key("a new wallet"))), Hash(bytes(32)), acts, FOREVER)
    return astuple(act), kind, member_act_signed(ground, account, act)


def _grant(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    member, kind, acts = _whose(ground, role)
    act = Grant(member, grant_to_brand(BRAND), 10, 100, 1_000, FOREVER, acts, FOREVER)
    return astuple(act), kind, member_act_signed(ground, account, act)


def _lock(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    member, kind, _ = _whose(ground, role)
    act = SpendLock(member, ground.standing.turn_of_ann, FOREVER)
    return *astuple(act), kind, member_act_signed(ground, account, act)


def _request(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    """Another guardian in the place of ann's friend."""
    member, kind, acts = _whose(ground, role)
    act = SetGuardian(member, 1, bytes(_me(own_key("another friend"))), acts, FOREVER)
    return delayed_act_arguments(act), kind, member_act_signed(ground, account, act)


def _veto(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    kind, waiting = 2 if role == "claim key" else 1, member_act_digest(ground.known.domain("Members"), ground.standing.removal)
    return waiting, kind, member_act_signed(ground, account, Veto(ground.ann, waiting))


def _by_member(does: str, arguments: Callable[[Ground, LocalAccount, str], tuple[Any, ...]], seen: str, **other: Any) -> Power:
    said = {"may": ("member",), "answers": _CLAIM, "after": AT_ONCE, **other}
    return Power(does, arguments, "AuthorizerAbsent", seen=seen, **said)


MEMBERS = {
    "enroll": Power(
        "a member of its own", lambda g, account, role: ([(1, _me(account), bytes(32))],), "", EVERYBODY, seen="MemberEnrolled"
    ),
    "changeAuthorizers": _by_member(
        "one more authorizer of the member's, or its own removed; a claim key gives way to the one it adds",
        _change,
        "AuthorizerAdded",
        may=("member", "claim key"),
        answers={},
    ),
    "setGrant": _by_member(
        "leave to a brand or another member to spend the member's points, within limits; or none any more", _grant, "GrantSet"
    ),
    "lockSpending": _by_member("no points of the member's are spent any more", _lock, "MemberLocked"),
    "requestAct": _by_member(
        "a request: unlock, another authorizer removed, another guardian (the first one at once), recovery by the member's guardian",
        _request,
        "ActRequested",
        after=_AFTER_DELAY,
        stopped_by=_VETO,
    ),
    "executeAct": Power(
        "what was requested, once its delay is over",
        lambda ground, account, role: (delayed_act_arguments(ground.standing.removal),),
        "",
        EVERYBODY,
        after="the member's delay",
        stopped_by=_VETO,
        seen="ActExecuted",
    ),
    "vetoAct": _by_member("what was requested ends for good; the member's guardian can, too", _veto, "ActVetoed"),
    "spend": Power(
        "what a grant allows, counted; for the points ledger alone",
        lambda ground, account, role: (ground.ann, grant_to_brand(BRAND), 1, 20_000),
        "NotPointsLedger",
    ),
}
