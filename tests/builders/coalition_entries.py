"""Entries of every kind and every wrong, as the coalition's machine puts them into batches."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis.stateful import initialize

from gateway.ledger.brand_states import BrandState
from gateway.ledger.consents import ConsentTerms, consent_digest
from gateway.ledger.entries import (
    MEMBER_GRANT,
    Authorize,
    Clawback,
    ConsentProof,
    Entry,
    Expire,
    Extend,
    Issue,
    Opening,
    PointRefund,
    Redeem,
    Restore,
    Void,
)
from gateway.ledger.lots import Line, expiry_day_for
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.ids import Hash, MemberId, Reference, ReservationId
from tests.builders.issues import BASIS, OPENING_BASIS
from tests.builders.ledger_chain import LedgerChain, key_of
from tests.builders.ledger_machine import LIMIT, LedgerMachine
from tests.builders.member_acts import Signer, acts_on, proof_of
from tests.builders.passkeys import SoftwareAuthenticator
from tests.builders.points_ledger import UTC_OFFSET_SECONDS
from tests.builders.recording_chain import RecordingChain

SIGNERS: tuple[Signer, ...] = (key_of("ann"), key_of("bob"), SoftwareAuthenticator("cyd"))
WRONGS = (
    "another length",
    "no such kind",
    "nobody",
    "no points",
    "no month end",
    "expired",
    "not expired",
    "not so many",
    "not of this brand",
    "an unknown issue",
    "another member's issue",
    "another brand's reservation",
    "no later lot",
    "restored too early",
    "an unknown reservation",
    "other lines",
    "too many points",
    "too low",
    "another share",
    "more than is captured",
    "another sum",
    "late",
    "too early",
    "a refused issue",
    "another's authorizer",
    "a bad proof",
    "no grant",
    "twice",
)


class CoalitionEntries(LedgerMachine):
    """What was reached is counted over all histories: entries by kind, refusals by reason, acts by function."""

    reached: ClassVar[Counter[str]] = Counter()

    def chain(self) -> LedgerChain:
        return RecordingChain(with_p256=True)

    @initialize()
    def deploy(self) -> None:
        super().deploy()
        self.members.append(acts_on(self.ledger).enroll(SIGNERS[2]))
        self.nonce = 0

    def fresh(self) -> int:
        self.nonce += 1
        return self.nonce

    def set_free(self, brand: int) -> None:
        """Active, with room under the limit, and everything that expired out of the way."""
        if self.ledger.model.state.brands[brand].status != BrandState.ACTIVE:
            self.ledger.set_status(brand, BrandState.ACTIVE)
        self.ledger.set_limit(brand, LIMIT)
        held = self.ledger.model.state.held
        lots = sorted({lot for (_, lot), has in held.items() if has and lot >> 32 == brand})
        expired = [lot for lot in lots if 0 < lot & 0xFFFFFFFF < self.today()]
        members = [MemberId(member) for member in self.members]
        free = self.ledger.model.state.unreserved
        takes = [Expire(member, lot & 0xFFFFFFFF, free(member, lot)) for lot in expired for member in members if free(member, lot)]
        if takes:
            self.batch(brand, *takes)
        if not any(free(member, lot) for member in members[:2] for lot in lots):
            self.batch(brand, *(self.issue(who, 30) for who in (0, 1)))

    def every_kind(self, brand: int, who: int) -> list[Entry]:
        """One entry of every kind that is about this member, as far as there is something for it."""
        member, day, nothing = MemberId(self.members[who]), self.issue(who, 1).expiry_day, Reference(bytes(32))
        later = expiry_day_for(self.ledger.now, UTC_OFFSET_SECONDS, 9)
        signers = [key_of(name) for name in ("ann", "bob")]
        line = Line(*self.first_lot(who, brand), 1)
        self.batch(brand, self.issue(who, 9), opening := Opening(member, day, 2, OPENING_BASIS, nothing))
        place = (brand, self.ledger.last_number, 0)
        redeemed, reserved, voided = (self.spend(kind, brand, who, 1, SIGNERS[who]) for kind in (Redeem, Authorize, Authorize))
        self.batch(brand, redeemed, reserved, voided)
        ids = [self.ledger.reservation_id(brand, each) for each in (redeemed, reserved, voided)]
        entries: list[Entry] = [self.issue(who, 1), opening, Extend(member, day, later, 1, nothing)]
        if place in self.issues:
            taken = (Line(brand, day, 1),)
            entries += [Clawback(member, nothing, self.ledger.shown(*place), taken), Restore(member, nothing, place[1], place[2], taken)]
        if all(key in self.consents for key in ids):
            entries += [
                self.ledger.refund(ids[0], redeemed.lines),
                self.ledger.capture(ids[1], reserved.lines),
                Void(ReservationId(ids[2]), nothing, voided.lines),
                self.ledger.capture(ids[2], voided.lines),
            ]
        transfer = self.ledger.transfer(member, self.members[1 - who], [line], signers[who], signers[1 - who], nonce=self.fresh())
        entries += [transfer, self.spend(Redeem, brand, who, 1, SIGNERS[who])]
        self.batch(brand, *entries)
        return entries

    def wrong(self, brand: int, who: int, wrong: str) -> list[Entry | bytes]:
        issue, spend = self.issue(who, 9), self.spend(Redeem, brand, who, 2, SIGNERS[who])
        reservations = self.ledger.model.state.reservations
        open_ones = [key for key in self.consents if reservations[ReservationId(key)].state == 1 and self.consents[key].brand == brand]
        held = [line for key in open_ones[-1:] for line in self.lines_of(key)]
        capture = self.ledger.capture(open_ones[-1], held) if held else None
        match wrong:
            case "another length":
                return [bytes([kind]) + bytes(40) for kind in (1, 3, 5, 9, 12)]
            case "no such kind":
                return [bytes([13]) + bytes(40), bytes(40)]
            case "nobody":
                return [replace(issue, member=MemberId(bytes(20)))]
            case "no points":
                return [replace(issue, points=0), replace(spend, points=0, lines=(replace(spend.lines[0], points=0),))]
            case "no month end":
                return [replace(issue, expiry_day=issue.expiry_day - 3)]
            case "expired":
                return [replace(issue, expiry_day=expiry_day_for(self.ledger.now - 400 * SECONDS_PER_DAY, UTC_OFFSET_SECONDS, 1))]
            case "not expired":
                return [Expire(MemberId(self.members[who]), issue.expiry_day, 5)]
            case "not so many":
                day = expiry_day_for(self.ledger.now - 400 * SECONDS_PER_DAY, UTC_OFFSET_SECONDS, 1)
                return [Expire(MemberId(self.members[who]), day, 2**70)]
            case "not of this brand" if self.issues:
                place = self.issues[-1]
                return [Clawback(self.issue_at(place).member, Reference(bytes(32)), self.ledger.shown(*place), (Line(99, 0, 1),))]
            case "an unknown issue" | "another member's issue":
                return self.clawback_of_another(brand, who, wrong)
            case "another brand's reservation":
                of_others = [key for key, each in self.consents.items() if each.brand != brand]
                return [self.ledger.capture(key, self.lines_of(key)) for key in of_others[-1:]]
            case "no later lot":
                return [Extend(MemberId(self.members[who]), issue.expiry_day, issue.expiry_day, 1, Reference(bytes(32)))]
            case "restored too early":
                return self.clawback_and_restore(brand, who)
            case "an unknown reservation":
                return [self.ledger.capture(b"\x05" * 32, spend.lines)]
            case "other lines" if capture:
                return [
                    replace(capture, lines=(Line(78, 0, 1), *capture.lines[:15])),
                    Void(capture.reservation_id, capture.reference, (Line(77, 0, 1),)),
                ]
            case "too many points" if capture:
                return [replace(capture, lines=tuple(replace(line, points=line.points + 1) for line in capture.lines))]
            case "too low":
                return [self.spend(Redeem, brand, who, 2, SIGNERS[who], discount=0)]
            case "more than is captured" if capture:
                return [PointRefund(capture.reservation_id, capture.reference, 0, capture.lines)]
            case "another share" if capture:
                return [replace(capture, discount=capture.discount + 1)]
            case "another sum":
                return [replace(spend, points=3)]
            case "late":
                return [self.spend(Redeem, brand, who, 2, SIGNERS[who], deadline=self.ledger.now - 1)]
            case "too early":
                return [self.spend(Redeem, brand, who, 2, SIGNERS[who], deadline=self.ledger.now + 9 * SECONDS_PER_DAY)]
            case "a refused issue":
                return self.clawback_of_a_refused_issue(brand, who)
            case "another's authorizer":
                return [self.spend(Redeem, brand, who, 2, SIGNERS[1 - who])]
            case "a bad proof":
                return [replace(spend, proof=ConsentProof(1, bytes(65))), replace(spend, proof=ConsentProof(2, spend.proof.proof))]
            case "no grant":
                return [self.spend(Redeem, brand, who, 2, SIGNERS[2], spender=2), self.by_brand_grant(brand, who, 2)]
            case "twice":
                return [spend, spend]
        return []

    def clawback_of_a_refused_issue(self, brand: int, who: int) -> list[Entry | bytes]:
        refused = replace(self.issue(who, 9), points=0)
        self.batch(brand, refused)
        line = Line(brand, refused.expiry_day, 1)
        return [Clawback(refused.member, Reference(bytes(32)), self.ledger.shown(brand, self.ledger.last_number, 0), (line,))]

    def clawback_of_another(self, brand: int, who: int, wrong: str) -> list[Entry | bytes]:
        self.batch(brand, issue := self.issue(who, 1))
        shown, member = self.ledger.shown(brand, self.ledger.last_number, 0), issue.member
        if wrong == "another member's issue":
            member = MemberId(self.members[1 - who])
        else:
            shown = replace(shown, number=2**40)
        return [Clawback(member, Reference(bytes(32)), shown, (Line(brand, issue.expiry_day, 1),))]

    def clawback_and_restore(self, brand: int, who: int) -> list[Entry | bytes]:
        """Into a lot that ends sooner than the one the points were taken from."""
        self.batch(brand, issue := self.issue(who, 1))
        number, nothing = self.ledger.last_number, Reference(bytes(32))
        earlier = expiry_day_for(self.ledger.now, UTC_OFFSET_SECONDS, 1)
        clawback = Clawback(issue.member, nothing, self.ledger.shown(brand, number, 0), (Line(brand, issue.expiry_day, 1),))
        return [clawback, Restore(issue.member, nothing, number, 0, (Line(brand, earlier, 1),))]

    # Entries

    def batch(self, brand: int, *entries: Entry | bytes) -> None:
        now = self.ledger.now
        refused = dict(self.ledger.submit(brand, entries))
        self.note(brand, [entry for index, entry in enumerate(entries) if index not in refused], now)
        number = self.ledger.last_number
        self.issues += [
            (brand, number, index) for index, each in enumerate(entries) if index not in refused and isinstance(each, Issue | Opening)
        ]

    def note(self, brand: int, accepted: list[Entry | bytes], now: int) -> None:
        super().note(brand, accepted, now)
        for entry in accepted:
            self.reached[type(entry).__name__] += 1
            if isinstance(entry, Authorize | Redeem):
                self.reached[f"proof kind {entry.proof.kind}"] += 1
        _, refusals = self.ledger.recorded[brand, self.ledger.last_number]
        self.reached.update(str(reason) for _, reason in refusals)

    def refused_batch(self, brand: int) -> str:
        number = self.ledger.next_number()
        return self.ledger.reverted(self.ledger.transact("submitBatch", *self.ledger.signed(brand, number, b"")))

    def issue(self, who: int, amount: int) -> Issue:
        day = expiry_day_for(self.ledger.now, UTC_OFFSET_SECONDS, 2)
        return Issue(MemberId(self.members[who]), day, amount, BASIS, Reference(bytes(32)))

    def lines_of(self, reservation_id: bytes) -> list[Line]:
        lots = self.ledger.model.state.reservations[ReservationId(reservation_id)].lots
        return [Line(lot >> 32, lot & 0xFFFFFFFF, part.authorized) for lot, part in lots.items()]

    def spend(
        self,
        kind: type[Authorize] | type[Redeem],
        brand: int,
        who: int,
        amount: int,
        signer: Signer,
        *,
        spender: int | None = None,
        **other: Any,
    ) -> Authorize | Redeem:
        """Of the lot that comes first, whether or not it has the points."""
        line = Line(*other.get("lot", self.first_lot(who, brand)), amount)
        discount, deadline = (
            other.get("discount", self.ledger.least_discount(brand, amount)),
            other.get("deadline", self.ledger.now + 3_600),
        )
        member = MemberId(self.members[who])
        terms = ConsentTerms(
            member, MemberId(self.members[who if spender is None else spender]), brand, amount, discount,
            Hash(bytes(32)), Reference(bytes(32)), self.fresh(), deadline,
        )  # fmt: skip
        proof = ConsentProof(*proof_of(signer, consent_digest(self.ledger.domain, terms)))
        if spender is not None and spender != who:
            proof = ConsentProof(MEMBER_GRANT, self.members[spender] + bytes([proof.kind]) + proof.proof)
        return kind(member, terms.reference, terms.order, terms.nonce, deadline, amount, discount, proof, (line,))

    def by_brand_grant(self, brand: int, who: int, amount: int) -> Authorize | Redeem:
        reference = self.fresh().to_bytes(32)
        return self.ledger.by_brand_grant(
            Redeem, brand, MemberId(self.members[who]), [Line(*self.first_lot(who, brand), amount)], reference
        )

    def first_lot(self, who: int, brand: int) -> tuple[int, int]:
        available = sorted(self.ledger.model.state.available(MemberId(self.members[who])))
        own = [lot for lot in available if lot >> 32 == brand]
        lot = (own or available or [brand << 32])[-1]
        return lot >> 32, lot & 0xFFFFFFFF
