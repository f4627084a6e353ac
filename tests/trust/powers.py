"""Who can do what alone: every state-changing function of every deployed contract, with the answer that each role is given.

A new function is a new line here; until it stands here, tests/trust/test_powers.py fails. docs/trust.md is written from it.
"""

from __future__ import annotations

from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from gateway.ledger.governance import NO_PREDECESSOR
from gateway.ledger.owner_acts import HandOver, SetBrandKey, SetBrandTerms, SetExposure
from gateway.ledger.signing import batch_digest, struct_digest
from gateway.ledger.terms import LedgerTerms
from gateway.values.ids import Address
from tests.builders.commanded_coalition import BRAND
from tests.trust.ground import FOREVER, Ground
from tests.trust.member_powers import MEMBERS
from tests.trust.power import AFTER_APPROVALS, EVERYBODY, NOBODY, Arguments, Power
from tests.trust.settlement_powers import SETTLEMENT
from tests.trust.standing import lots_of_the_reservation, own_key


def by_act(does: str, *fixed: Any, refusal: str = "NotGovernance", arguments: Arguments | None = None, **other: Any) -> Power:
    """What nobody does alone."""
    said = {"after": AFTER_APPROVALS, "stopped_by": "the guardian", **other}
    return Power(does, arguments or (lambda ground, account, role: fixed), refusal, **said)


def by_own_act(does: str, *fixed: Any, **other: Any) -> Power:
    return by_act(does, *fixed, refusal="TimelockUnauthorizedCaller", **other)


def _me(account: LocalAccount) -> Address:
    return Address.parse(account.address)


def _approvals(ground: Ground, account: LocalAccount, act: Any) -> Any:
    return ground.approvals(act, account, own_key("a second person of one's own making"))


def _submit(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    entries = b""
    digest = batch_digest(ground.known.domain("PointsLedger"), BRAND, 900, keccak(entries), FOREVER)
    return (BRAND, 900, FOREVER), entries, ground.signed(account, digest)


def _key(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    key = _me(own_key("a batch key"))
    act = SetBrandKey(BRAND, key, 0, FOREVER, False, 0, FOREVER)
    return BRAND, key, (0, FOREVER, False), (0, FOREVER, ground.owner_act(account, act))


def _terms(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    terms = (1, 100, 1, 100, 50, 90, 30)
    return BRAND, terms, (0, FOREVER, ground.owner_act(account, SetBrandTerms(BRAND, LedgerTerms(*terms), 0, FOREVER)))


def _exposure(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    signed = ground.owner_act(account, SetExposure(BRAND, 2, 1_000, 0, FOREVER))
    return BRAND, 2, 1_000, (0, FOREVER, signed)


def _hand_over(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    signed = ground.owner_act(account, HandOver(BRAND, _me(account), False, 0, FOREVER))
    return BRAND, _me(account), False, (0, FOREVER, signed), signed


def _anchor(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    """Into the sequence of the brand's owner."""
    kind, subject, root = 1, bytes(32), keccak(text="root")
    fields = "Anchor(uint16 kind,bytes32 subject,uint64 number,bytes32 previous,bytes32 root,uint64 count)"
    words = kind.to_bytes(32) + subject + bytes(32) + bytes(32) + root + (1).to_bytes(32)
    digest = struct_digest(ground.known.domain("Anchors"), keccak(keccak(text=fields) + words))
    return ([(ground.address("brand owner"), kind, subject, 0, bytes(32), root, 1, ground.signed(account, digest))],)


def _registration(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    terms = (1, 1, 1, 1, 0, 90, 30)
    return ((9, _me(own_key("an owner")), 10**12, terms, _me(account), (0, FOREVER, False)),)


_NOTHING: Arguments = lambda ground, account, role: ()  # noqa: E731
_NEW_OWNER: Arguments = lambda ground, account, role: (BRAND, _me(account))  # noqa: E731
BRANDS = {
    "registerBrand": by_act("a brand with owner, first batch key, limit and terms", seen="BrandRegistered", arguments=_registration),
    "setBrandLimit": by_act("the most of its points that may be outstanding", BRAND, 2**96 - 1, seen="BrandLimitSet"),
    "setBrandStatus": by_act("suspended, active again, or in default", BRAND, 2, seen="BrandStatusSet"),
    "startRunOff": by_act("no more issues, and a last day no sooner than the terms promise", BRAND, 2**24 - 1, seen="BrandStatusSet"),
    "setBrandOwner": by_act(
        "another owner without the present one",
        seen="BrandOwnerSet",
        stopped_by="the guardian; the brand's present owner",
        arguments=_NEW_OWNER,
    ),
    "setBrandKey": Power("a batch key: added, limited in time, withdrawn", _key, "NotSignedBy", ("brand owner",), seen="BrandKeySet"),
    "setBrandTerms": Power(
        "terms", _terms, "NotSignedBy", ("brand owner",), "at once; what is worse after the notice days", seen="BrandTermsSet"
    ),
    "setExposure": Power(
        "how many of another brand's points it lets itself be owed", _exposure, "NotSignedBy", ("brand owner",), seen="ExposureSet"
    ),
    "handOver": Power(
        "the brand to another owner, who signs too; in a succession it issues no more",
        _hand_over,
        "NotSignedBy",
        ("brand owner",),
        seen="BrandOwnerSet",
    ),
}
LEDGER = {
    "submitBatch": Power(
        "the brand's entries; a redemption needs the member's consent too",
        _submit,
        "BatchKeyNotValid",
        ("batch key",),
        stopped_by="the owner, who withdraws the key; the guardian's pause",
        seen="BatchRecorded",
    ),
    "release": Power(
        "what was reserved and not captured in time is the member's again",
        lambda ground, account, role: (ground.standing.reservation, lots_of_the_reservation()),
        "",
        EVERYBODY,
        after="the reservation's deadline",
        seen="ReservationReleased",
    ),
    "lowerExposure": Power(
        "what one brand owes another is settled; for the settlement alone", lambda g, account, role: (BRAND, 2, 1), "NotSettlement"
    ),
    "pause": Power("no batches for 72 hours, once", _NOTHING, "NotGuardian", ("guardian",), seen="Paused"),
    "unpause": Power("batches go on", _NOTHING, "NotGuardian", ("guardian",), seen="Unpaused", answers={"guardian": "NotPaused"}),
    "rearmPause": by_act("the guardian may pause once more", seen="PauseRearmed"),
}
GOVERNANCE = {
    "schedule": Power(
        "a proposal, in the open",
        lambda ground, account, role: (*ground.own_brand.again(role).arguments, 10**6),
        "AccessControlUnauthorizedAccount",
        ("operator",),
        stopped_by="the guardian, until it is executed",
        seen="CallScheduled",
    ),
    "scheduleBatch": Power(
        "a proposal of several calls",
        lambda ground, account, role: (*ground.batch_arguments(role), 10**6),
        "AccessControlUnauthorizedAccount",
        ("operator",),
        stopped_by="the guardian, until it is executed",
        seen="CallScheduled",
    ),
    "execute": Power("nothing: closed", lambda ground, account, role: ground.higher_limit.arguments, "ApprovalsMissing"),
    "executeBatch": Power("nothing: closed", lambda ground, account, role: ground.batch_arguments(), "ApprovalsMissing"),
    "executeApproved": by_act(
        "what was proposed, is ready and approved by k; anybody relays it",
        refusal="NotAnApprover",
        seen="ActApproved",
        arguments=lambda ground, account, role: (*ground.own_brand.arguments, _approvals(ground, account, ground.own_brand.id)),
    ),
    "executeBatchApproved": by_act(
        "the same of several calls",
        refusal="NotAnApprover",
        seen="ActApproved",
        arguments=lambda ground, account, role: (*ground.batch_arguments(), _approvals(ground, account, ground.batch_id)),
    ),
    "cancel": Power(
        "an act that waits ends for good; not the guardian's own replacement",
        lambda ground, account, role: (ground.higher_limit.id,),
        "AccessControlUnauthorizedAccount",
        ("guardian",),
        seen="Cancelled",
    ),
    "veto": Power(
        "the act that replaces a brand's owner ends for good",
        lambda ground, account, role: (*ground.own_brand.arguments, ground.veto(account, ground.own_brand)),
        "NotBrandOwner",
        ("brand owner",),
        seen="OwnerVetoed",
    ),
    "proposeOperator": Power(
        "a proposal of another operator, which waits three delays",
        lambda ground, account, role: (_me(own_key("an operator")), NO_PREDECESSOR),
        "NotGuardian",
        ("guardian",),
        seen="CallScheduled",
    ),
    "replaceOperator": by_own_act("another operator", Address(b"\x01" * 20), seen="OperatorReplaced"),
    "replaceGuardian": by_own_act(
        "another guardian", Address(b"\x01" * 20), stopped_by=NOBODY, after="three delays, then k approvals", seen="GuardianReplaced"
    ),
    "setApprovers": by_own_act("other approvers, another k", [Address(b"\x01" * 20)], 1, seen="ApproversSet"),
    "updateDelay": by_own_act("another delay, from 1 to 30 days", 0, seen="MinDelayChange"),
    "onERC721Received": Power(
        "nothing: says that it takes tokens", lambda g, account, r: (_me(account), _me(account), 0, b""), "", EVERYBODY
    ),
    "onERC1155Received": Power("the same", lambda g, account, r: (_me(account), _me(account), 0, 0, b""), "", EVERYBODY),
    "onERC1155BatchReceived": Power("the same", lambda g, account, r: (_me(account), _me(account), [], [], b""), "", EVERYBODY),
}
ANCHORS = {
    "anchor": Power(
        "the next root of the signer's own sequence, here a brand owner's",
        _anchor,
        "AnchorSignatureInvalid",
        ("brand owner",),
        seen="RootAnchored",
    )
}

POWERS: dict[str, dict[str, Power]] = {
    "Governance": GOVERNANCE,
    "PasskeyVerifier": {},
    "Brands": BRANDS,
    "Members": MEMBERS,
    "Settlement": SETTLEMENT,
    "Anchors": ANCHORS,
    "PointsLedger": LEDGER,
}


def lines() -> list[str]:
    """The table of docs/trust.md."""
    head = ["| Function | Does | Alone | Everybody else is answered | After | Stopped by | Seen as |", "|---|---|---|---|---|---|---|"]
    return [*head, *(_line(contract, name, power) for contract, powers in POWERS.items() for name, power in powers.items())]


def _line(contract: str, name: str, power: Power) -> str:
    function = f"`{contract}.{name}`"
    may = "everybody" if power.may == EVERYBODY else ", ".join(power.may) or NOBODY
    refusal, seen = (f"`{name}`" if name else "–" for name in (power.refusal, power.seen))
    return f"| {function} | {power.does} | {may} | {refusal} | {power.after} | {power.stopped_by} | {seen} |"
