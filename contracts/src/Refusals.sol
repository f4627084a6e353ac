// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Why an entry is skipped. The selector stands in `EntryRefused`; none of these is ever reverted with.
interface Refusals {
    error MalformedEntry(); // wrong length, no lines or more than 16, a lot twice, kind 0 (a fragment)
    error UnknownEntryKind(); // no such kind, or one that is not open yet
    error BrandNotActive(); // only an active brand issues
    error BrandNotAccepting(); // a brand that closed or is in default authorizes, redeems and transfers nothing
    error BrandInDefault(); // it neither takes points from its holders nor gives any: no clawback, restore, expire, extend
    error PointsNotAccepted(); // points of a brand that closed or is in default
    error ZeroPoints();
    error ZeroMember();
    error ExpiryNotMonthEnd();
    error LotExpired();
    error LotNotExpired();
    error LotNotLater(); // points are extended to a later lot only, and restored to none that ends sooner than where they were
    error LimitExceeded(); // the issue would leave the brand's outstanding points above its limit
    error NotOwnLot(); // a brand claws back and restores its own points only
    error UnknownIssue(); // not shown to be an entry of this brand's batch; or, for a restore, nothing was clawed back of it
    error IssueRefused(); // the ledger refused that issue when it was made
    error NotThisMembersIssue(); // no issue or opening, or another member's
    error NotEnoughPoints(); // fewer unreserved points in the lot
    error PointsMismatch(); // lines do not add up to the consent, or not to what is there
    error ConsentUsed(); // the reservation id exists
    error ConsentExpired();
    error ConsentTooLong(); // its deadline is more than 7 days ahead
    error ConsentInvalid(); // the signature or the verifier's proof is not good
    error NotAnAuthorizer(); // good proof, but not by an authorizer of this member
    error MemberLocked(); // the member's spend lock holds
    error GrantMissing(); // none was given, or it was withdrawn or ran out
    error GrantExceeded(); // more than the grant allows for a purchase, a day or in all
    error UnknownReservation();
    error NotAcceptingBrand(); // the reservation is another brand's
    error ReservationClosed(); // captured or voided before
    error DeadlinePassed(); // a capture after the reservation's deadline
    error LinesMismatch(); // not the lots of the reservation
    error TooManyPoints(); // more than reserved, captured and not given back, or issued and not clawed back; or a line of 2^56 or more
    error DiscountTooLow(); // less than the accepting brand's terms give for the points
    error DiscountMismatch(); // not the share of the discount that belongs to the points captured or given back
    error ExposureExceeded(); // the accepting brand would be owed more of the issuer's points than it said
}

// An entry that is not refused.
bytes4 constant ACCEPTED = 0;
