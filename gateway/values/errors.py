"""Refusals: what a caller may have done wrong or what cannot be done now, as types.

One table in gateway/api turns them into status codes.
"""

from __future__ import annotations


class Foreseen(Exception):
    """A trouble that is nobody's fault in the program: a command tells it in one line."""


class Refusal(Foreseen):
    """A typed no. `code` is stable and machine-readable; the message says what is wrong and what to do."""

    code = "refused"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class Invalid(Refusal):
    """The request itself is wrong and will be wrong again."""

    code = "invalid"


class NotFound(Refusal):
    """No such thing, or none that this caller may see."""

    code = "not_found"


class NotPermitted(Refusal):
    """The caller is known but may not do this."""

    code = "not_permitted"


class NotAuthenticated(Refusal):
    """The caller's key is missing or unknown."""

    code = "not_authenticated"


class ReferenceReused(Refusal):
    """A reference (idempotency key, payment id, refund id …) was used before with other content."""

    code = "reference_reused"


class NotEnoughPoints(Refusal):
    """The member has fewer points available, pending redemptions counted."""

    code = "not_enough_points"


class LimitExceeded(Refusal):
    """The brand's limit on outstanding points, pending issues counted, leaves no room."""

    code = "limit_exceeded"


class WrongState(Refusal):
    """The thing exists but is not in a state in which this can be done."""

    code = "wrong_state"


class ConsentRefused(Refusal):
    """The member's consent is missing, expired, or not signed by one of the member's authorizers."""

    code = "consent_refused"


class MemberLocked(Refusal):
    """The member has locked all spending: nothing of hers is spent until the lock has ended."""

    code = "member_locked"


class GrantMissing(Refusal):
    """The member has granted nothing to who wants to spend, or not any more."""

    code = "grant_missing"


class GrantExceeded(Refusal):
    """Above what the member's grant allows per purchase, on this day or in all; what is on its way counts."""

    code = "grant_exceeded"


class LotExpired(Refusal):
    """Points of a lot that is over are named."""

    code = "lot_expired"


class ChecklistIncomplete(Refusal):
    """A brand's registration is approved without an answer to each of the coalition's admission criteria."""

    code = "checklist_incomplete"


class TooLarge(Refusal):
    """The request or file exceeds a stated bound."""

    code = "too_large"


class Unavailable(Refusal):
    """Try again later: a part the gateway needs (the node, a brand's signer) does not answer."""

    code = "unavailable"


class Overloaded(Unavailable):
    """Try again later: more is waiting than the gateway takes."""

    code = "overloaded"


class TooManyRequests(Refusal):
    """The caller asks for more than its share of what the gateway can do. Who stays below it never sees this."""

    code = "too_many_requests"


class TooSlow(Refusal):
    """The request did not arrive within the stated time."""

    code = "too_slow"


class WrongHost(Refusal):
    """The request was meant for a host that is not this gateway's."""

    code = "wrong_host"


class NoSeal(Refusal):
    """The engine's blocks carry no seal, so there is nothing that a receipt could be checked against."""

    code = "no_seal"


class OperationRefused(Refusal):
    """The operation was acknowledged and has ended refused: by the ledger, by the brand's signer, or because its time ran out."""

    code = "operation_refused"
