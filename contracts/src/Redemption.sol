// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RUNNING_OFF} from "./BrandState.sol";
import {CoalitionDomain} from "./CoalitionDomain.sol";
import {Discounts} from "./Discounts.sol";
import {IMembers} from "./IMembers.sol";
import {Lots} from "./Lots.sol";
import {Packed} from "./Packed.sol";
import {ACCEPTED} from "./Refusals.sol";
import {Reservations} from "./Reservations.sol";

/// Entries by which a member's points are spent at an accepting brand with somebody's consent: authorize and redeem.
abstract contract Redemption is Reservations, CoalitionDomain {
    uint256 private constant MAX_CONSENT_SECONDS = 7 days;
    uint256 private constant ORDER = 53; // where it stands, after kind, member and reference; then nonce, deadline, points, discount
    uint256 private constant PROOF_KIND = 114;
    uint256 private constant PROOF = 117;
    uint256 private constant MEMBER_GRANT = 4; // proof kinds of grants; below are authorizers of the member itself
    uint256 private constant BRAND_GRANT = 5;
    uint256 private constant GRANTED_PROOF = 21; // spender and kind, before the spender's own proof
    bytes32 private constant CONSENT_TYPE = keccak256(
        "Consent(address member,address spender,uint32 brand,uint64 points,uint64 discountMinor,bytes32 order,bytes32 reference,uint64 nonce,uint40 deadline)"
    );
    bytes32 private constant BRAND_SPEND_TYPE = keccak256("BrandSpend(address member,uint32 brand,bytes32 reference)");

    struct Consent {
        address member;
        address spender; // zero where the brand spends
        uint256 points;
        uint256 discount;
        uint256 deadline;
        uint256 lines; // where the first stands
        uint256[] terms; // of each line's issuer
    }

    IMembers public immutable members;

    error MembersOfAnotherLedger(address pointsLedger);

    constructor(IMembers members_) {
        if (members_.pointsLedger() != address(this)) revert MembersOfAnotherLedger(members_.pointsLedger());
        members = members_;
    }

    /// kind ‖ member (20) ‖ reference (32) ‖ order (32) ‖ nonce (8) ‖ deadline (5) ‖ points (8) ‖ discount (8) ‖ proofKind (1) ‖
    /// proofLength (2) ‖ proof ‖ lines
    function _authorize(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        (Consent memory consent, bytes32 id, bytes4 reason) = _consented(batch, start, end);
        if (reason != ACCEPTED) return reason;
        _open(batch, id, consent, Stage.OPEN, end);
        return ACCEPTED;
    }

    /// Authorize and capture in one step; same body as authorize.
    function _redeem(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        (Consent memory consent, bytes32 id, bytes4 reason) = _consented(batch, start, end);
        if (reason != ACCEPTED) return reason;
        _open(batch, id, consent, Stage.CAPTURED, end);
        return ACCEPTED;
    }

    /// What a consent's or a transfer's deadline must be.
    function _checkDeadline(uint256 deadline) internal view returns (bytes4) {
        unchecked {
            if (deadline < block.timestamp) return ConsentExpired.selector;
            return deadline > block.timestamp + MAX_CONSENT_SECONDS ? ConsentTooLong.selector : ACCEPTED;
        }
    }

    /// Everything that must hold before points are reserved or redeemed. A grant is used up last of all.
    function _consented(Batch memory batch, uint256 start, uint256 end)
        private
        returns (Consent memory consent, bytes32 id, bytes4 reason)
    {
        uint256 kind;
        uint256 proofLength;
        (consent, kind, proofLength, reason) = _read(start, end);
        if (reason != ACCEPTED) return (consent, 0, reason);
        if (batch.state > RUNNING_OFF) return (consent, 0, BrandNotAccepting.selector);
        reason = _checkDeadline(consent.deadline);
        if (reason != ACCEPTED) return (consent, 0, reason);
        id = kind == BRAND_GRANT
            ? _brandSpendDigest(batch.brand, consent.member, Packed.word(start + 21))
            : _consentDigest(batch, consent, start);
        if (reservation[id].stage != Stage.NONE) return (consent, id, ConsentUsed.selector);
        reason = _checkLots(batch, consent, end);
        if (reason != ACCEPTED) return (consent, id, reason);
        reason = _prove(batch, consent, id, kind, Packed.slice(start + PROOF, proofLength));
    }

    function _read(uint256 start, uint256 end)
        private
        pure
        returns (Consent memory consent, uint256 kind, uint256 proofLength, bytes4 reason)
    {
        unchecked {
            if (end - start < PROOF) return (consent, 0, 0, MalformedEntry.selector);
            kind = Packed.read(start + PROOF_KIND, 1);
            proofLength = Packed.read(start + PROOF_KIND + 1, 2);
            consent.lines = start + PROOF + proofLength + 1;
            consent.member = address(uint160(Packed.read(start + 1, 20)));
            consent.deadline = Packed.read(start + ORDER + 40, 5);
            consent.points = Packed.read(start + ORDER + 45, 8);
            consent.discount = Packed.read(start + ORDER + 53, 8);
            if (kind == MEMBER_GRANT) consent.spender = address(uint160(Packed.read(start + PROOF, 20)));
            else if (kind != BRAND_GRANT) consent.spender = consent.member;
            bool isWhole = Packed.areLines(consent.lines - 1, end) && consent.discount <= type(uint56).max
                && (kind != MEMBER_GRANT || proofLength >= GRANTED_PROOF) && (kind != BRAND_GRANT || proofLength == 0);
            reason = isWhole ? ACCEPTED : MalformedEntry.selector;
        }
    }

    function _checkLots(Batch memory batch, Consent memory consent, uint256 end) private view returns (bytes4) {
        unchecked {
            consent.terms = new uint256[]((end - consent.lines) / Packed.LINE_LENGTH);
            uint256 total;
            uint256 place;
            for (uint256 line = consent.lines; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                if (points == 0) return ZeroPoints.selector;
                if (points > type(uint56).max) return TooManyPoints.selector;
                if (Lots.isExpired(Lots.expiryDayOf(lotId), batch.localDay)) return LotExpired.selector;
                if (_unreserved(consent.member, lotId) < points) return NotEnoughPoints.selector;
                if (lotId >> 32 != batch.brand) {
                    (uint256 terms, bytes4 reason) = _checkForeign(batch.brand, consent.lines, line);
                    if (reason != ACCEPTED) return reason;
                    consent.terms[place] = terms;
                }
                total += points;
                ++place;
            }
            if (total != consent.points) return PointsMismatch.selector;
            if (batch.redemptionPoints == 0) {
                (batch.redemptionMinor, batch.redemptionPoints) = brands.redemptionRate(uint32(batch.brand));
            }
            uint256 least = Discounts.least(total, batch.redemptionMinor, batch.redemptionPoints);
            return consent.discount < least ? DiscountTooLow.selector : ACCEPTED;
        }
    }

    /// Of a brand that closed or is in default nobody accepts points: who would, might never be paid. Of the others a brand accepts
    /// what it said it would let itself be owed; earlier lines of this entry count.
    function _checkForeign(uint256 acceptor, uint256 first, uint256 line)
        private
        view
        returns (uint256 terms, bytes4)
    {
        unchecked {
            (uint256 lotId, uint256 points) = Packed.line(line);
            uint32 issuer = Lots.brandOf(lotId);
            (uint8 state, uint32 number, uint96 most) = brands.issuer(issuer, uint32(acceptor));
            if (state > RUNNING_OFF) return (0, PointsNotAccepted.selector);
            for (uint256 earlier = first; earlier < line; earlier += Packed.LINE_LENGTH) {
                (uint256 earlierId, uint256 more) = Packed.line(earlier);
                if (Lots.brandOf(earlierId) == issuer) points += more;
            }
            bool isTooMuch = exposure[issuer][uint32(acceptor)] + int256(points) > int256(uint256(most));
            return (number, isTooMuch ? ExposureExceeded.selector : ACCEPTED);
        }
    }

    /// A call that runs out of gas in the members' register takes the whole batch with it.
    function _prove(Batch memory batch, Consent memory consent, bytes32 id, uint256 kind, bytes calldata proof)
        private
        returns (bytes4 reason)
    {
        bytes32 to = bytes32(batch.brand);
        if (kind == MEMBER_GRANT) {
            reason = members.consents(consent.spender, id, uint8(proof[20]), proof[GRANTED_PROOF:]);
            if (reason != ACCEPTED) return reason;
            to = bytes32(uint256(uint160(consent.spender)));
        } else if (kind != BRAND_GRANT) {
            return members.consents(consent.member, id, kind, proof);
        }
        return members.spend(consent.member, to, consent.points, batch.localDay);
    }

    function _open(Batch memory batch, bytes32 id, Consent memory consent, Stage stage, uint256 end) private {
        reservation[id] = Reservation({
            member: consent.member,
            brand: uint32(batch.brand),
            deadline: uint40(consent.deadline),
            stage: stage,
            lots: uint8(consent.terms.length)
        });
        bool isFinal = stage == Stage.CAPTURED;
        uint256 soFar;
        uint256 discounted;
        unchecked {
            for (uint256 line = consent.lines; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                ReservedLot memory lot;
                lot.authorized = uint56(points);
                if (isFinal) lot.captured = uint56(points);
                lot.terms = uint32(consent.terms[(line - consent.lines) / Packed.LINE_LENGTH]);
                soFar += points;
                uint256 upTo = Discounts.share(consent.discount, soFar, consent.points);
                _storeReservedLot(id, lotId, lot, upTo, discounted);
                discounted = upTo;
                _expose(lotId, batch.brand, int256(points));
                if (isFinal) {
                    _take(batch, consent.member, lotId, points, 0);
                    _owe(lotId, batch.brand, lot.terms, int256(points));
                } else {
                    _reserve(consent.member, lotId, points);
                }
            }
        }
    }

    /// The member's consent, or that of another member who spends under a grant.
    function _consentDigest(Batch memory batch, Consent memory consent, uint256 start) private view returns (bytes32) {
        return _digest(
            keccak256(
                abi.encode(
                    CONSENT_TYPE,
                    consent.member,
                    consent.spender,
                    batch.brand,
                    consent.points,
                    consent.discount,
                    Packed.word(start + ORDER),
                    Packed.word(start + 21),
                    Packed.read(start + ORDER + 32, 8),
                    consent.deadline
                )
            )
        );
    }

    /// A brand that spends under a grant uses each of its references once.
    function _brandSpendDigest(uint256 brand, address member, bytes32 ref) private view returns (bytes32) {
        return _digest(keccak256(abi.encode(BRAND_SPEND_TYPE, member, brand, ref)));
    }
}
