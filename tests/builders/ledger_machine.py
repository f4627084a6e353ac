"""A state machine that sends random batches of every kind to the real contract and to the model, and checks the numbered invariants.

Members, orders and amounts come from small pools, so that batches collide: consents used twice, captures after voids, lots that run dry.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import permutations
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.ledger.brand_states import BrandState
from gateway.ledger.entries import (
    Authorize,
    Capture,
    Clawback,
    Entry,
    Expire,
    Extend,
    Issue,
    Opening,
    PointRefund,
    Redeem,
    Restore,
    Transfer,
    Void,
    decode_entry,
    encode_entry,
)
from gateway.ledger.framing import pack_entries
from gateway.ledger.issue_parts import ShownIssue
from gateway.ledger.lot_choice import LotsFallShort, choose_lots
from gateway.ledger.lots import Line, expiry_day_for, lot_id, split_lot_id
from gateway.ledger.model import LedgerModel
from gateway.ledger.state import ReservationState
from gateway.values.calendar import SECONDS_PER_DAY, local_day
from tests.builders.issues import BASIS, OPENING_BASIS
from tests.builders.ledger_chain import LedgerChain, key_of
from tests.builders.member_acts import acts_on
from tests.builders.points_ledger import MEMBER_DELAY, TERMS, UTC_OFFSET_SECONDS, PointsLedger

BRANDS = (1, 2, 3)
MEMBERS = ("ann", "bob")
LIMIT = 150
NOTHING = bytes(32)
TERMS_OF_THE_MACHINE = replace(TERMS, redemption_minor=7, redemption_points=3, run_off_days=0, notice_days=20)

points = st.integers(0, 60)
member = st.integers(0, len(MEMBERS) - 1)
pick = st.integers(0, 7)
order = st.integers(0, 2)

issue = st.tuples(st.just("issue"), member, st.integers(0, 2), st.integers(0, 120))
spending = st.one_of(
    st.tuples(st.sampled_from(["authorize", "redeem"]), member, points, order),
    st.tuples(st.just("again"), pick),
    st.tuples(st.just("capture"), pick, st.integers(1, 5)),
)
specs = st.one_of(
    issue,
    issue,
    st.tuples(st.just("opening"), member, st.integers(0, 2), st.integers(0, 120)),
    st.tuples(st.just("clawback"), pick, pick, points),
    st.tuples(st.just("clawback"), pick, pick, points),
    st.tuples(st.just("another clawback"), member, pick, points),
    st.tuples(st.just("forged clawback"), pick, st.integers(0, 5)),
    st.tuples(st.just("restore"), pick, pick, points),
    st.tuples(st.just("extend"), member, pick, st.integers(0, 3), points),
    st.tuples(st.sampled_from(["authorize", "redeem"]), member, points, order),
    st.tuples(st.just("pick a lot"), member, pick, points, order),
    st.tuples(st.just("forge"), member, points, order),
    st.tuples(st.just("capture"), pick, st.integers(0, 5)),
    st.tuples(st.just("void"), pick),
    st.tuples(st.just("refund"), pick, st.integers(0, 5)),
    st.tuples(st.just("refund"), pick, st.just(4)),
    st.tuples(st.just("again"), pick),
    st.tuples(st.just("expire"), member, pick),
    st.tuples(st.just("transfer"), member, member, pick, points),
    st.tuples(st.just("garbage"), st.binary(min_size=30, max_size=70)),  # shorter is a fragment: test_batch_roots.py
)


@dataclass(frozen=True)
class Consented:
    """What the machine itself knows of a consent it had signed."""

    brand: int
    points: int
    discount: int
    lots: tuple[int, ...]


class LedgerMachine(RuleBasedStateMachine):
    model_class: ClassVar[type[LedgerModel]] = LedgerModel

    def chain(self) -> LedgerChain:
        return LedgerChain()

    @initialize()
    def deploy(self) -> None:
        self.ledger = PointsLedger(BRANDS, LIMIT, self.model_class, TERMS_OF_THE_MACHINE, self.chain(), exposed=False)
        for brand, issuer in permutations(BRANDS, 2):
            self.ledger.expose(brand, issuer, 50)
        self.members = [self.ledger.enroll(name) for name in MEMBERS]
        self.lots: set[int] = set()
        self.consents: dict[bytes, Consented] = {}
        self.signed_issues: Counter[int] = Counter()  # by lot, what brands signed to issue and the ledger accepted
        self.given_back: Counter[int] = Counter()  # by issuer, point refunds and restores
        self.issues: list[tuple[int, int, int]] = []  # (brand, number, index) of every accepted issue and opening
        self.taken: Counter[tuple[int, int, int]] = Counter()  # of each of them, clawed back less restored
        self.signed_consents: list[tuple[int, Authorize | Redeem]] = []
        self.checked_at = (-1, -1)
        self.released = 0
        self.touched: set[bytes] = set()  # reservations used in the last step

    @rule(days=st.integers(0, 40), brand=st.sampled_from(BRANDS), status=st.sampled_from([1, 1, 1, 1, 2, 3, 5]), run_off=st.integers(0, 40))
    def time_passes_and_a_brand_changes(self, days: int, brand: int, status: int, run_off: int) -> None:
        self.ledger.chain.set_time(self.ledger.now + days * SECONDS_PER_DAY)
        if status == BrandState.RUNNING_OFF:
            self.ledger.start_run_off(brand, self.today() + run_off + 1)
        elif self.ledger.model.state.brands[brand].status != status:
            self.ledger.set_status(brand, status)
        self.ledger.chain.set_time(self.ledger.now + run_off // 2 * SECONDS_PER_DAY)
        states = {each: record.state_on(self.today()) for each, record in self.ledger.model.state.brands.items()}
        assert {each: self.ledger.view("brandState", each) for each in states} == states

    @rule(brand=st.sampled_from(BRANDS), issuer=st.sampled_from(BRANDS), most=st.integers(0, 120), minor=st.integers(1, 9))
    def an_owner_says_what_the_brand_accepts_and_gives(self, brand: int, issuer: int, most: int, minor: int) -> None:
        self.ledger.expose(brand, issuer, most)
        assert self.ledger.set_brand_terms(brand, replace(TERMS_OF_THE_MACHINE, redemption_minor=minor)).succeeded
        held = self.ledger.model.state.brands[brand].terms.held(self.ledger.now)
        assert self.ledger.view("brandTerms", brand)[1] == held.number

    @rule(index=pick, late=st.booleans())
    def somebody_releases_a_reservation(self, index: int, late: bool) -> None:
        if not self.consents:
            return
        reservation_id = sorted(self.consents)[index % len(self.consents)]
        reservation = self.ledger.model.state.reservations[reservation_id]
        if late:
            self.ledger.chain.set_time(max(self.ledger.now, reservation.deadline + 1))
        before = self.ledger.now
        is_due = reservation.state is ReservationState.OPEN and before > reservation.deadline
        outcome = self.ledger.release(reservation_id, sorted(reservation.lots))
        assert outcome.succeeded is is_due, "a release came through that was not due, or did not come through"
        self.lots |= set(self.ledger.model.state.lots)
        self.released += is_due

    @rule(brand=st.sampled_from(BRANDS), wanted=st.lists(specs, min_size=1, max_size=10))
    def a_batch_is_submitted(self, brand: int, wanted: list[tuple[Any, ...]]) -> None:
        entries = [entry for spec in wanted if (entry := self.entry(brand, *spec)) is not None]
        now, outstanding_before = self.ledger.now, self.ledger.outstanding(brand)
        refused = dict(self.ledger.submit(brand, entries))
        accepted = [entry for index, entry in enumerate(entries) if index not in refused]
        self.note(brand, accepted, now)
        places = [(brand, self.ledger.last_number, index) for index in range(len(entries)) if index not in refused]
        self.issues += [place for place in places if isinstance(entries[place[2]], Issue | Opening)]
        if any(isinstance(entry, Issue | Opening) for entry in accepted):
            given_back = sum(
                line.points
                for entry in accepted
                if isinstance(entry, PointRefund | Restore)
                for line in entry.lines
                if line.brand_id == brand
            )
            highest = max(outstanding_before, LIMIT) + given_back
            assert self.ledger.outstanding(brand) <= highest, "invariant 4: an issue went beyond the limit"

    @rule(brand=st.sampled_from(BRANDS), wanted=st.lists(spending, min_size=2, max_size=6))
    def points_are_spent(self, brand: int, wanted: list[tuple[Any, ...]]) -> None:
        self.a_batch_is_submitted(brand, wanted)

    @rule(brand=st.sampled_from(BRANDS), who=member, amount=st.integers(1, 20), order_index=order)
    def a_locked_member_spends(self, brand: int, who: int, amount: int, order_index: int) -> None:
        """And is unlocked after the delay."""
        acts, signer = acts_on(self.ledger), key_of(MEMBERS[who])
        self.a_batch_is_submitted(brand, [("issue", who, 1, 20)])
        assert acts.relay(acts.spend_lock(self.members[who]), signer) is None
        self.a_batch_is_submitted(brand, [("redeem", who, amount, order_index), ("authorize", who, amount, order_index)])
        unlock = acts.unlock(self.members[who])
        assert acts.relay(unlock, signer) is None
        acts.after(MEMBER_DELAY)
        assert acts.execute(unlock) is None

    @rule(index=pick)
    def points_come_back_after_their_lots_expired(self, index: int) -> None:
        reservations = self.ledger.model.state.reservations
        captured = sorted(each for each in self.consents if any(lot.captured for lot in reservations[each].lots.values()))
        if not captured:
            return
        reservation_id = captured[index % len(captured)]
        parts = reservations[reservation_id].lots
        lines = tuple(Line(*split_lot_id(lot), part.captured) for lot, part in parts.items() if part.captured)
        refund = self.ledger.refund(reservation_id, lines)
        last_day = max(line.expiry_day for line in refund.lines)
        self.ledger.chain.set_time(max(self.ledger.now, (last_day + 1) * SECONDS_PER_DAY))
        brand = self.consents[refund.reservation_id].brand
        refused = self.ledger.submit(brand, [refund])
        self.note(brand, [] if refused else [refund], self.ledger.now)

    @rule(index=pick, thirds=st.integers(1, 3))
    def an_issue_is_taken_back_and_given_back_more_than_once(self, index: int, thirds: int) -> None:
        if not self.issues:
            return
        brand, number, entry_index = place = self.issues[-1 - index % min(len(self.issues), 8)]
        issue = self.issue_at(place)
        line = Line(brand, issue.expiry_day, max(1, issue.points * thirds // 3))
        clawback = Clawback(issue.member, NOTHING, self.ledger.shown(*place), (line,))
        restore = Restore(issue.member, NOTHING, number, entry_index, (line,))
        entries: list[Entry] = [clawback, clawback, restore, clawback, restore, restore]
        refused = dict(self.ledger.submit(brand, entries))
        self.note(brand, [entry for place, entry in enumerate(entries) if place not in refused], self.ledger.now)

    @rule(brand=st.sampled_from(BRANDS), signer=st.sampled_from(BRANDS), who=member)
    def a_batch_is_signed_by_another(self, brand: int, signer: int, who: int) -> None:
        """Invariant 2: only the brand's own key lets its batch in."""
        if signer == brand:
            return
        data = pack_entries([encode_entry(Issue(self.members[who], 0, 1, BASIS, NOTHING))])
        number = self.ledger.next_number()
        arguments = self.ledger.signed(brand, number, data, key=key_of(f"brand {signer}"))
        assert self.ledger.reverted(self.ledger.transact("submitBatch", *arguments)) == "BatchKeyNotValid"

    @invariant()
    def the_ledger_adds_up(self) -> None:
        now_at = (self.ledger.last_number, self.released)
        if self.checked_at == now_at:
            return  # nothing happened since
        self.checked_at = now_at
        state = self.ledger.model.state
        for lot in self.lots:
            brand, expiry_day = split_lot_id(lot)
            total = 0
            for holder in self.members:
                held, reserved = self.ledger.held(holder, brand, expiry_day)
                assert reserved <= held, "invariant 7: more is reserved than held"
                assert (held, reserved) == (state.held[holder, lot], state.reserved[holder, lot])
                total += held
            assert total == self.ledger.view("outstandingOfLot", lot) == state.lots[lot].outstanding, "invariant 1"
            came = state.lots[lot].issued + state.lots[lot].opened
            assert came == self.signed_issues[lot], "invariant 2: points nobody signed for"
        for place, taken in self.taken.items():
            brand, number, index = place
            entry = self.issue_at(place)
            holder, points_taken, latest_day = self.ledger.view("clawed", brand << 96 | number << 32 | index)
            assert bytes.fromhex(holder[2:]) == entry.member, "a clawback took another member's points"
            kept = state.clawed[place].points, state.clawed[place].latest_day
            assert (points_taken, latest_day) == kept, "what is clawed back of an issue is kept with it"
            assert points_taken == taken, "points came or went besides clawbacks and restores"
            assert 0 <= taken <= entry.points, "more was clawed back of an issue than it gave, or given back than was taken"
        for brand in state.brands:
            outstanding = self.ledger.outstanding(brand)
            assert outstanding == sum(state.lots[lot].outstanding for lot in self.lots if lot >> 32 == brand)
            assert outstanding <= LIMIT + self.given_back[brand], "invariant 4: above the limit by more than was given back"
            for acceptor in state.brands:
                self.what_is_owed_is_what_reservations_say(brand, acceptor)

    def what_is_owed_is_what_reservations_say(self, issuer: int, acceptor: int) -> None:
        """Invariant 5, from the reservations alone: exposure counts what is open or captured, what is owed only what is captured."""
        open_or_captured, captured = 0, Counter[int]()
        for reservation in self.ledger.model.state.reservations.values():
            for lot, part in reservation.lots.items():
                if lot >> 32 != issuer or reservation.brand_id != acceptor or issuer == acceptor:
                    continue
                left = part.captured - part.refunded
                open_or_captured += part.authorized if reservation.state is ReservationState.OPEN else left
                captured[part.terms] += left
        exposed = open_or_captured - self.discharged_of(issuer, acceptor)
        assert self.ledger.view("exposure", issuer, acceptor) == exposed, "invariant 5: exposure"
        for number in range(self.ledger.model.state.brands[issuer].terms.versions[-1].number + 1):
            assert self.ledger.view("owed", issuer, acceptor, number) == captured[number], "invariant 5: owed"

    def discharged_of(self, issuer: int, acceptor: int) -> int:
        """What was settled of the exposure."""
        return 0

    @invariant()
    def no_more_is_captured_than_was_consented_to(self) -> None:
        for reservation_id in self.touched:
            consented = self.consents[reservation_id]
            lots = [self.ledger.view("reservationLot", reservation_id, lot) for lot in consented.lots]
            assert sum(lot[0] for lot in lots) == consented.points, "invariant 2"
            assert all(refunded <= captured <= authorized for authorized, captured, refunded, _, _ in lots)
            was_captured = self.ledger.model.state.reservations[reservation_id].state is ReservationState.CAPTURED
            share = sum(lot[1] for lot in lots) if was_captured else consented.points
            exact = Fraction(consented.discount * share, consented.points)
            assert exact <= sum(lot[3] for lot in lots) < exact + 1, "invariant 6: the discount's share, rounded up"
        self.touched.clear()

    def today(self) -> int:
        return local_day(self.ledger.now, UTC_OFFSET_SECONDS)

    def entry(self, brand: int, kind: str, *spec: Any) -> Entry | bytes | None:
        """The entry that a spec means in the present state, or None where it means nothing yet."""
        match kind:
            case "issue" | "opening":
                who, months, amount = spec
                day = expiry_day_for(self.ledger.now, UTC_OFFSET_SECONDS, months)
                self.lots.add(lot_id(brand, day))
                if kind == "opening":
                    return Opening(self.members[who], day, amount, OPENING_BASIS, NOTHING)
                return Issue(self.members[who], day, amount, BASIS, NOTHING)
            case "garbage":
                return bytes(spec[0])
            case "again":
                before = [entry for signed_for, entry in self.signed_consents if signed_for == brand]
                return before[-1 - spec[0] % min(len(before), 3)] if before else None
            case "authorize" | "redeem" | "forge":
                return self.consent(brand, kind, *spec)
        if not self.lots:
            return None
        lots = sorted(self.lots)
        match kind:
            case "pick a lot":
                who, index, amount, order_index = spec
                line = Line(*split_lot_id(lots[index % len(lots)]), amount)
                return self.signed(Redeem, brand, who, [line], order_index)
            case "clawback" | "another clawback" | "forged clawback" | "restore":
                return self.about_an_issue(brand, kind, *spec)
            case "extend":
                who, index, months, amount = spec
                _, day = split_lot_id(lots[index % len(lots)])
                later = expiry_day_for(self.ledger.now, UTC_OFFSET_SECONDS, months)
                return Extend(self.members[who], day, later, min(amount, self.left(brand, who, day) + 1), NOTHING)
            case "transfer":
                who, other, index, amount = spec
                line = Line(*split_lot_id(lots[index % len(lots)]), amount)
                signers = key_of(MEMBERS[who]), key_of(MEMBERS[other])
                return self.ledger.transfer(self.members[who], self.members[other], [line], *signers)
            case "expire":
                who, index = spec
                lot = lots[index % len(lots)]
                _, day = split_lot_id(lot)
                return Expire(self.members[who], day, self.left(brand, who, day))
        return self.of_a_reservation(kind, *spec)

    def left(self, brand: int, who: int, day: int) -> int:
        return self.ledger.model.state.unreserved(self.members[who], lot_id(brand, day))

    def issue_at(self, place: tuple[int, int, int]) -> Issue | Opening:
        brand, number, index = place
        entry = decode_entry(self.ledger.recorded[brand, number][0][index])
        assert isinstance(entry, Issue | Opening), "a clawback of what is no issue was accepted"
        return entry

    def about_an_issue(self, brand: int, kind: str, first: int, second: int, amount: int = 0) -> Entry | None:
        """A clawback of one of the brand's latest issues, plain or with something wrong; or a restore."""
        issues = [place for place in self.issues if place[0] == brand or kind == "another clawback"]
        if not issues:
            return None
        place = issues[-1 - (second if kind == "another clawback" else first) % min(len(issues), 8)]
        issue = self.issue_at(place)
        if kind == "restore":
            taken = [each for each in self.taken if each[0] == brand]
            place = taken[first % len(taken)] if taken else place
            line = Line(*split_lot_id(sorted(self.lots)[second % len(self.lots)]), min(amount, self.taken[place] + 1))
            return Restore(issue.member, NOTHING, place[1], place[2], (replace(line, brand_id=brand),))
        shown = self.ledger.shown(*place)
        if kind == "forged clawback":
            wrong: list[ShownIssue] = [
                replace(shown, index=(shown.index + 1) % shown.entry_count),
                replace(shown, number=shown.number - 1),
                replace(shown, entry_count=shown.entry_count + 1),
                replace(shown, branch=(*shown.branch, NOTHING)),
                replace(shown, refusals=(*shown.refusals, (shown.index, bytes(4)))),
                replace(shown, entry=shown.entry[:25] + b"\xff" * 8 + shown.entry[33:]),
            ]
            line = Line(brand, issue.expiry_day, 1)
            return Clawback(issue.member, NOTHING, wrong[second], (line,))
        holder = self.members[first] if kind == "another clawback" else issue.member
        lots = [lot for lot in sorted(self.lots) if lot >> 32 == brand and self.ledger.model.state.held[holder, lot]]
        lot = lots[second % len(lots)] if lots else lot_id(brand, issue.expiry_day)
        return Clawback(holder, NOTHING, shown, (Line(*split_lot_id(lot), amount),))

    def consent(self, brand: int, kind: str, who: int, amount: int, order_index: int) -> Authorize | Redeem | None:
        available = self.ledger.model.state.available(self.members[who])
        try:
            lines = choose_lots(available, amount, brand, self.ledger.now, UTC_OFFSET_SECONDS)
        except (LotsFallShort, ValueError):
            return None
        self.check_order_of_spending(available, lines, brand)
        entry = self.signed(Redeem if kind == "redeem" else Authorize, brand, who, lines, order_index)
        if kind != "forge":
            return entry
        return replace(entry, reference=b"\x0f" * 32)

    def signed(self, kind: type[Authorize] | type[Redeem], brand: int, who: int, lines: list[Line], order_index: int) -> Authorize | Redeem:
        entry = self.ledger.consented(
            kind,
            brand,
            self.members[who],
            lines,
            key=key_of(MEMBERS[who]),
            reference=bytes([order_index]) * 32,
            discount=self.ledger.least_discount(brand, sum(line.points for line in lines)) + order_index,
            deadline=(self.ledger.now // SECONDS_PER_DAY + 3) * SECONDS_PER_DAY,
        )
        self.signed_consents.append((brand, entry))
        return entry

    def of_a_reservation(self, kind: str, index: int, amount: int = 0) -> Entry | None:
        if not self.consents:
            return None
        reservation_id = sorted(self.consents)[index % len(self.consents)]
        lots = self.ledger.model.state.reservations[reservation_id].lots
        if kind == "refund":
            parts = {lot: max(part.captured, 1) * amount // 4 for lot, part in lots.items()}
            lines = tuple(Line(*split_lot_id(lot), given_back) for lot, given_back in parts.items())
            return self.ledger.refund(reservation_id, lines)
        if kind == "void":
            lines = tuple(Line(*split_lot_id(lot), part.authorized) for lot, part in lots.items())
            return Void(reservation_id, NOTHING, lines)
        lines = tuple(Line(*split_lot_id(lot), part.authorized * amount // 4) for lot, part in lots.items())
        return self.ledger.capture(reservation_id, lines)

    def note(self, brand: int, accepted: list[Entry | bytes], now: int) -> None:
        """Keeps the machine's own books of what the ledger accepted."""
        for entry in accepted:
            match entry:
                case Issue() | Opening():
                    self.signed_issues[lot_id(brand, entry.expiry_day)] += entry.points
                case Authorize() | Redeem():
                    for line in entry.lines:
                        ends = (line.expiry_day + 1) * SECONDS_PER_DAY - UTC_OFFSET_SECONDS
                        assert line.expiry_day == 0 or now < ends, "invariant 9: an expired lot was spent"
                    assert not self.ledger.view("isLocked", entry.member), "invariant 2: a locked member's points were spent"
                    assert entry.reference != b"\x0f" * 32, "invariant 2: a forged consent was accepted"
                    reservation_id = self.ledger.reservation_id(brand, entry)
                    assert reservation_id not in self.consents, "invariant 2: a consent counted twice"
                    lots = tuple(line.lot_id for line in entry.lines)
                    self.touched.add(reservation_id)
                    self.consents[reservation_id] = Consented(brand, entry.points, entry.discount, lots)
                case Transfer():
                    ends = [(line.expiry_day + 1) * SECONDS_PER_DAY - UTC_OFFSET_SECONDS for line in entry.lines if line.expiry_day]
                    assert all(now < end for end in ends), "invariant 9: an expired lot was transferred"
                case Capture() | Void() | PointRefund():
                    self.touched.add(entry.reservation_id)
                    assert self.consents[entry.reservation_id].brand == brand, "invariant 2: another brand used the reservation"
                    if isinstance(entry, PointRefund):
                        for line in entry.lines:
                            self.given_back[line.brand_id] += line.points
                case Clawback():
                    self.taken[brand, entry.issue.number, entry.issue.index] += sum(line.points for line in entry.lines)
                case Restore():
                    back = sum(line.points for line in entry.lines)
                    self.taken[brand, entry.number, entry.index] -= back
                    self.given_back[brand] += back
                case Extend():
                    assert entry.from_day, "points were taken out of a lot that never ends"
                    assert not entry.to_day or entry.to_day > entry.from_day, "points got an earlier end"
        self.lots |= set(self.ledger.model.state.lots)

    def check_order_of_spending(self, available: dict[int, int], lines: list[Line], brand: int) -> None:
        """Invariant 9, put another way than `choose_lots` does: no usable lot that comes before a chosen one has points left."""
        taken = {line.lot_id: line.points for line in lines}
        today = (self.ledger.now + UTC_OFFSET_SECONDS) // SECONDS_PER_DAY
        for lot, have in available.items():
            issuer, day = split_lot_id(lot)
            if day != 0 and day < today:
                assert lot not in taken, "invariant 9: an expired lot was chosen"
            elif taken.get(lot, 0) < have:
                before = (day or 2**40, issuer != brand, lot)
                later = [each for each in lines if (each.expiry_day or 2**40, each.brand_id != brand, each.lot_id) > before]
                assert not later, "invariant 9: a later lot was spent before a nearer one"
