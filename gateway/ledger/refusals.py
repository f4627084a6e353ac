"""Why an entry was refused: the contract's custom errors, as selectors in `EntryRefused` and by name."""

from __future__ import annotations

from enum import StrEnum

from eth_hash.auto import keccak


class RefusalReason(StrEnum):
    """The value is the name of the contract's custom error, which takes no arguments."""

    MALFORMED_ENTRY = "MalformedEntry"  # wrong length, no lines or more than 16, a lot twice, a fragment
    UNKNOWN_ENTRY_KIND = "UnknownEntryKind"  # no such kind, or one that is not open yet
    BRAND_NOT_ACTIVE = "BrandNotActive"  # only an active brand issues
    BRAND_NOT_ACCEPTING = "BrandNotAccepting"  # a brand that closed or is in default authorizes, redeems and transfers nothing
    BRAND_IN_DEFAULT = "BrandInDefault"  # it neither takes points from its holders nor gives any: no clawback, restore, expire, extend
    POINTS_NOT_ACCEPTED = "PointsNotAccepted"  # points of a brand that closed or is in default
    ZERO_POINTS = "ZeroPoints"
    ZERO_MEMBER = "ZeroMember"
    EXPIRY_NOT_MONTH_END = "ExpiryNotMonthEnd"
    LOT_EXPIRED = "LotExpired"
    LOT_NOT_EXPIRED = "LotNotExpired"
    LOT_NOT_LATER = "LotNotLater"  # points are extended to a later lot only, and restored to none that ends sooner than where they were
    LIMIT_EXCEEDED = "LimitExceeded"  # the issue would leave the brand's outstanding points above its limit
    NOT_OWN_LOT = "NotOwnLot"  # a brand claws back and restores its own points only
    UNKNOWN_ISSUE = "UnknownIssue"  # not shown to be an entry of this brand's batch; of a restore, nothing was clawed back of it
    ISSUE_REFUSED = "IssueRefused"  # the ledger refused that issue when it was made
    NOT_THIS_MEMBERS_ISSUE = "NotThisMembersIssue"  # no issue or opening, or another member's
    NOT_ENOUGH_POINTS = "NotEnoughPoints"  # fewer unreserved points in the lot
    POINTS_MISMATCH = "PointsMismatch"  # lines do not add up to the consent, or not to what is there
    CONSENT_USED = "ConsentUsed"  # the reservation id exists
    CONSENT_EXPIRED = "ConsentExpired"
    CONSENT_TOO_LONG = "ConsentTooLong"  # its deadline is more than 7 days ahead
    CONSENT_INVALID = "ConsentInvalid"  # the signature or the verifier's proof is not good
    NOT_AN_AUTHORIZER = "NotAnAuthorizer"  # good proof, but not by an authorizer of this member
    MEMBER_LOCKED = "MemberLocked"  # the member's spend lock holds
    GRANT_MISSING = "GrantMissing"  # none was given, or it was withdrawn or ran out
    GRANT_EXCEEDED = "GrantExceeded"  # more than the grant allows for a purchase, a day or in all
    UNKNOWN_RESERVATION = "UnknownReservation"
    NOT_ACCEPTING_BRAND = "NotAcceptingBrand"  # the reservation is another brand's
    RESERVATION_CLOSED = "ReservationClosed"  # captured or voided before
    DEADLINE_PASSED = "DeadlinePassed"  # a capture after the reservation's deadline
    LINES_MISMATCH = "LinesMismatch"  # not the lots of the reservation
    TOO_MANY_POINTS = "TooManyPoints"  # more than reserved, captured and not given back, or issued and not clawed back; a line of 2^56
    DISCOUNT_TOO_LOW = "DiscountTooLow"  # less than the accepting brand's terms give for the points
    DISCOUNT_MISMATCH = "DiscountMismatch"  # not the share of the discount that belongs to the points captured or given back
    EXPOSURE_EXCEEDED = "ExposureExceeded"  # the accepting brand would be owed more of the issuer's points than it said


def selector(refusal: RefusalReason) -> bytes:
    """The four bytes that stand in `EntryRefused`."""
    return keccak(f"{refusal.value}()".encode())[:4]


SELECTORS: dict[RefusalReason, bytes] = {refusal: selector(refusal) for refusal in RefusalReason}
REFUSALS: dict[bytes, RefusalReason] = {code: refusal for refusal, code in SELECTORS.items()}


def refusal_of(code: bytes) -> RefusalReason:
    """The refusal that a reason selector names; KeyError for one that this format does not know."""
    return REFUSALS[bytes(code)]
