"""What a batch can do to whom, kind by kind of entry: what it needs beside the brand's batch key, and what is answered without.

Tried by the managed brand 2 on ann, who is a member of brand 1's and has points of that brand alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from eth_utils import keccak

from gateway.ledger.entries import Authorize, Capture, Entry, EntryKind, Expire, Extend, Issue, Opening, PointRefund, Restore, Void
from gateway.ledger.lots import Line
from gateway.values.ids import Reference
from gateway.values.points import Points
from tests.builders.commanded_coalition import BRAND
from tests.builders.issues import BASIS, OPENING_BASIS
from tests.trust.attack import Attacker, clawback_of_ann
from tests.trust.ground import Ground
from tests.trust.standing import SOME_POINTS

LINE = Line(BRAND, 0, SOME_POINTS)
NOTHING = Reference(bytes(32))
ABOVE_THE_LIMIT = Points(10**12 + 1)


@dataclass(frozen=True)
class EntryLine:
    does: str
    signed_by: str
    needs: str
    answer: str
    tried: Callable[[Ground], Entry]


def _authorize(ground: Ground) -> Authorize:
    asked = replace(Attacker(ground).redeem(ground.ann, 1), nonce=10)
    terms = asked.nonce, asked.deadline, asked.points, asked.discount
    return Authorize(asked.member, asked.reference, asked.order, *terms, asked.proof, asked.lines)


_OWN, _ACCEPTING, _RESERVED = "the issuing brand", "the accepting brand", "the brand that authorized"
_LEAVE = "the member's consent over brand, points, discount and order, or a grant that allows it; exposure"
ENTRIES: dict[EntryKind, EntryLine] = {
    EntryKind.ISSUE: EntryLine(
        "new points",
        _OWN,
        "room under its limit",
        "LimitExceeded",
        lambda ground: Issue(ground.ann, 0, ABOVE_THE_LIMIT, BASIS, Reference(keccak(text="too many"))),
    ),
    EntryKind.OPENING: EntryLine(
        "points for a balance of an earlier programme",
        _OWN,
        "room under its limit",
        "LimitExceeded",
        lambda ground: Opening(ground.ann, 0, ABOVE_THE_LIMIT, OPENING_BASIS, Reference(keccak(text="too many stamps"))),
    ),
    EntryKind.CLAWBACK: EntryLine(
        "points taken back",
        _OWN,
        "an issue or opening of its own to this member, no more than that gave",
        "UnknownIssue",
        clawback_of_ann,
    ),
    EntryKind.RESTORE: EntryLine(
        "what was taken back is the member's again",
        _OWN,
        "a clawback of its own",
        "UnknownIssue",
        lambda ground: Restore(ground.ann, NOTHING, 1, 0, (LINE,)),
    ),
    EntryKind.EXPIRE: EntryLine(
        "the end of a lot's points",
        _OWN,
        "the lot's last day over, by the chain's clock",
        "LotNotExpired",
        lambda ground: Expire(ground.ann, 0, SOME_POINTS),
    ),
    EntryKind.EXTEND: EntryLine(
        "a later expiry",
        _OWN,
        "a lot of its own, and a later one",
        "LotNotLater",
        lambda ground: Extend(ground.ann, 0, 0, SOME_POINTS, NOTHING),
    ),
    EntryKind.AUTHORIZE: EntryLine("points reserved", _ACCEPTING, _LEAVE, "NotAnAuthorizer", _authorize),
    EntryKind.REDEEM: EntryLine(
        "points spent", _ACCEPTING, _LEAVE, "NotAnAuthorizer", lambda ground: Attacker(ground).redeem(ground.ann, 1)
    ),
    EntryKind.CAPTURE: EntryLine(
        "reserved points spent",
        _RESERVED,
        "its reservation, before the deadline",
        "NotAcceptingBrand",
        lambda ground: Capture(ground.standing.reservation, NOTHING, SOME_POINTS, (LINE,)),
    ),
    EntryKind.VOID: EntryLine(
        "reserved points the member's again",
        _RESERVED,
        "its reservation",
        "NotAcceptingBrand",
        lambda ground: Void(ground.standing.reservation, NOTHING, (LINE,)),
    ),
    EntryKind.POINT_REFUND: EntryLine(
        "spent points the member's again",
        _RESERVED,
        "its capture",
        "NotAcceptingBrand",
        lambda ground: PointRefund(ground.standing.reservation, NOTHING, SOME_POINTS, (LINE,)),
    ),
    EntryKind.TRANSFER: EntryLine(
        "points of one member another's",
        "any brand that accepts",
        "the signatures of both members",
        "NotAnAuthorizer",
        lambda ground: Attacker(ground).transfer(),
    ),
}


def lines_of_entries() -> list[str]:
    """The table of docs/trust.md."""
    head = ["| Entry | Gives | Batch of | Needs beside its key | Without is answered |", "|---|---|---|---|---|"]
    rows = ((kind.name.lower().replace("_", " "), line) for kind, line in ENTRIES.items())
    return [*head, *(f"| {name} | {line.does} | {line.signed_by} | {line.needs} | `{line.answer}` |" for name, line in rows)]
