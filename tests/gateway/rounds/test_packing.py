"""Packing: lots chosen on what the round itself has done, brands kept independent of one another, and what must wait, waits."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from eth_account import Account

from gateway.ledger.awards import AwardId
from gateway.ledger.batches import batch_outcome, batch_record, entries_root, shown_issue
from gateway.ledger.consents import NO_ORDER, ConsentTerms, consent_digest
from gateway.ledger.decision import Decision
from gateway.ledger.entries import Authorize, Capture, Clawback, Expire, Issue, PointRefund, Redeem, Void, decode_entry, encode_entry
from gateway.ledger.issue_parts import AwardBasis
from gateway.ledger.lots import Line, lot_id
from gateway.ledger.members import authorizer_id
from gateway.ledger.model import LedgerModel
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import Domain
from gateway.ledger.state import BrandRecord, BrandState, MemberRecord
from gateway.ledger.terms import LedgerTerms
from gateway.rounds.entry_building import IssuedEntry, RoundView
from gateway.rounds.gas import BATCH_GAS_MAX, TRANSACTION_GAS_MAX, batch_gas
from gateway.rounds.operation import (
    KINDS,
    AuthorizeOperation,
    CaptureOperation,
    ClawbackOperation,
    ExpireOperation,
    IssueOperation,
    PointRefundOperation,
    RedeemOperation,
    RedemptionOperation,
    SaleFacts,
    VoidOperation,
    WaitingEntry,
)
from gateway.rounds.packing import ENTRIES_MAX, Round, pack_round
from gateway.values.calendar import SECONDS_PER_DAY, month_end
from gateway.values.ids import Address, Hash, LotId, MemberId, OperationId, Reference, ReservationId
from gateway.values.money import AmountMinor
from gateway.values.points import Points

NOW = 20_500 * SECONDS_PER_DAY
SOON, LATER = month_end(20_510), month_end(20_600)
PAST = month_end(20_400)
DOMAIN = Domain(7_951, Address(b"\x99" * 20), Hash(b"\xc0" * 32))
KEY = Account.from_key(b"\x07" * 32)
MEMBER, OTHER = MemberId(b"\x01" * 20), MemberId(b"\x02" * 20)
ISSUED = Reference(b"\x0a" * 32)
DECISION = Decision(b"\x05" * 32, "{}")
BASIS = AwardBasis(1, 0, 1, DECISION.hash)
ISSUE_ENTRY = encode_entry(Issue(MEMBER, LATER, Points(100), BASIS, ISSUED))
SHOWN = shown_issue(3, [ISSUE_ENTRY], 0, [])
SALE = SaleFacts(AmountMinor(2_500), AmountMinor(0), AmountMinor(0), "USD", datetime.fromtimestamp(NOW, UTC))
TERMS = LedgerTerms(1, 1, 1, 1, 0, 90, 30)
EXPOSURE = 10**9
_sequence = itertools.count(1)


def ledger(held: dict[tuple[MemberId, LotId], int], limit: int = 10**9) -> LedgerModel:
    model = LedgerModel(DOMAIN, 0, recover_address)
    for brand_id in (1, 2, 3):
        outstanding = sum(points for (_, lot), points in held.items() if lot >> 32 == brand_id)
        model.state.brands[brand_id] = BrandRecord(BrandState.ACTIVE, limit, outstanding)
        model.set_brand_terms(brand_id, TERMS, 0)
        for issuer_id in (1, 2, 3):
            model.set_exposure(brand_id, issuer_id, EXPOSURE)
    model.state.held.update(held)
    model.state.records[1, 3] = batch_record(entries_root([ISSUE_ENTRY]), batch_outcome(1, []))
    for member in (MEMBER, OTHER):
        model.state.members[member] = MemberRecord({authorizer_id(1, bytes.fromhex(KEY.address[2:])): 1})
    return model


def numbered(kind: str) -> tuple[int, OperationId, Reference]:
    """The next place in the order of acceptance, with an operation id and a reference of its own."""
    sequence = next(_sequence)
    return sequence, OperationId(f"{kind}-{sequence}"), Reference(sequence.to_bytes(32))


def issue(brand_id: int, member: MemberId, points: int, expiry_day: int = LATER) -> WaitingEntry:
    sequence, operation_id, reference = numbered("issue")
    award = AwardId(brand_id, f"payment-{sequence}", 1, brand_id)
    due = Points(points), expiry_day, 1
    return WaitingEntry(sequence, IssueOperation(operation_id, brand_id, member, reference, *due, award, DECISION, SALE))


def clawback(brand_id: int, member: MemberId, due: int) -> WaitingEntry:
    """Of the award that stands under ISSUED."""
    sequence, operation_id, reference = numbered("clawback")
    award = AwardId(brand_id, "payment", 1, brand_id)
    refunded = f"refund-{sequence}", AmountMinor(100)
    return WaitingEntry(sequence, ClawbackOperation(operation_id, brand_id, member, reference, Points(due), ISSUED, award, *refunded))


def redeem(brand_id: int, member: MemberId, points: int) -> WaitingEntry:
    return consented(RedeemOperation, brand_id, member, points)


def authorize(brand_id: int, member: MemberId, points: int) -> WaitingEntry:
    return consented(AuthorizeOperation, brand_id, member, points)


def consented(shape: type[RedemptionOperation], brand_id: int, member: MemberId, points: int) -> WaitingEntry:
    sequence, operation_id, reference = numbered(KINDS[shape])
    terms = ConsentTerms(member, member, brand_id, points, points, NO_ORDER, reference, 1, NOW + 3_600)
    digest = consent_digest(DOMAIN, terms)
    made = shape(
        operation_id=operation_id,
        brand_id=brand_id,
        member_id=member,
        reference=reference,
        reservation_id=digest,
        order_id=f"order-{sequence}",
        points=Points(points),
        discount_minor=AmountMinor(points),
        order_hash=NO_ORDER,
        nonce=1,
        deadline=NOW + 3_600,
        proof_kind=1,
        proof=bytes(Account.unsafe_sign_hash(digest, KEY.key).signature),
    )
    return WaitingEntry(sequence, made)


def reservation_of(reserved: WaitingEntry) -> tuple[int, MemberId, ReservationId]:
    """(accepting brand, member, reservation id)."""
    assert isinstance(reserved.operation, RedemptionOperation)
    return reserved.operation.brand_id, reserved.operation.member_id, reserved.operation.reservation_id


def capture(of: WaitingEntry, points: int) -> WaitingEntry:
    sequence, operation_id, reference = numbered("capture")
    captured = reference, f"capture-{sequence}", Points(points)
    return WaitingEntry(sequence, CaptureOperation(operation_id, *reservation_of(of), *captured))


def void(of: WaitingEntry) -> WaitingEntry:
    sequence, operation_id, reference = numbered("void")
    return WaitingEntry(sequence, VoidOperation(operation_id, *reservation_of(of), reference, f"void-{sequence}"))


def point_refund(of: WaitingEntry, points: int) -> WaitingEntry:
    sequence, operation_id, reference = numbered("point_refund")
    given_back = reference, f"point-refund-{sequence}", Points(points)
    return WaitingEntry(sequence, PointRefundOperation(operation_id, *reservation_of(of), *given_back))


def expire(brand_id: int, member: MemberId, points: int, expiry_day: int) -> WaitingEntry:
    sequence, operation_id, _ = numbered("expire")
    return WaitingEntry(sequence, ExpireOperation(operation_id, brand_id, member, expiry_day, Points(points), None))


def shape(packed: Round) -> list[tuple[int, str, list[str]]]:
    return [(batch.brand_id, batch.phase, [KINDS[type(each.waiting.operation)] for each in batch.packed]) for batch in packed.batches]


def entries(packed: Round) -> list[Any]:
    return [decode_entry(each.entry) for batch in packed.batches for each in batch.packed]


def refusals(packed: Round) -> list[tuple[str, str]]:
    return [(refused.waiting.operation.operation_id, refused.reason) for refused in packed.refused]


def test_a_round_takes_from_lots_first_then_issues() -> None:
    model = ledger({(MEMBER, lot_id(1, LATER)): 100})
    packed = pack_round([issue(1, MEMBER, 10, SOON), redeem(2, MEMBER, 30), issue(2, OTHER, 5)], model, RoundView(NOW))
    assert shape(packed) == [(2, "lots", ["redeem"]), (1, "issue", ["issue"]), (2, "issue", ["issue"])]
    assert entries(packed)[0].lines == (Line(1, LATER, 30),)


def test_later_entries_see_what_earlier_ones_have_taken() -> None:
    model = ledger({(MEMBER, lot_id(1, SOON)): 50, (MEMBER, lot_id(2, LATER)): 50})
    packed = pack_round([redeem(3, MEMBER, 30), redeem(3, MEMBER, 40), redeem(3, MEMBER, 31)], model, RoundView(NOW))
    assert [entry.lines for entry in entries(packed)] == [(Line(1, SOON, 30),), (Line(1, SOON, 20), Line(2, LATER, 20))]
    assert [reason for _, reason in refusals(packed)] == ["NotEnoughPoints"]


def test_lots_of_a_brand_that_nobody_accepts_are_passed_over() -> None:
    model = ledger({(MEMBER, lot_id(1, SOON)): 50, (MEMBER, lot_id(2, LATER)): 50})
    model.set_brand_status(1, BrandState.IN_DEFAULT)
    packed = pack_round([redeem(3, MEMBER, 30), redeem(3, MEMBER, 21), authorize(3, MEMBER, 20)], model, RoundView(NOW))
    assert [entry.lines for entry in entries(packed)] == [(Line(2, LATER, 30),), (Line(2, LATER, 20),)]
    assert [reason for _, reason in refusals(packed)] == ["NotEnoughPoints"]


def test_a_run_off_counts_until_its_last_day_has_ended() -> None:
    for last_day, lot in ((NOW // SECONDS_PER_DAY, Line(1, SOON, 10)), (NOW // SECONDS_PER_DAY - 1, Line(2, LATER, 10))):
        model = ledger({(MEMBER, lot_id(1, SOON)): 50, (MEMBER, lot_id(2, LATER)): 50})
        model.set_brand_status(1, BrandState.RUNNING_OFF, last_day)
        assert entries(pack_round([redeem(3, MEMBER, 10)], model, RoundView(NOW)))[0].lines == (lot,)


def test_a_brand_that_accepts_no_more_is_refused_by_that_name() -> None:
    model = ledger({(MEMBER, lot_id(3, SOON)): 50})
    model.set_brand_status(3, BrandState.IN_DEFAULT)
    assert [reason for _, reason in refusals(pack_round([redeem(3, MEMBER, 10)], model, RoundView(NOW)))] == ["BrandNotAccepting"]


def test_a_member_spends_at_one_brand_a_round() -> None:
    model = ledger({(MEMBER, lot_id(1, LATER)): 100, (OTHER, lot_id(1, LATER)): 100})
    operations = [redeem(2, MEMBER, 10), redeem(3, MEMBER, 10), redeem(2, MEMBER, 10), redeem(3, OTHER, 10)]
    packed = pack_round(operations, model, RoundView(NOW))
    assert shape(packed) == [(2, "lots", ["redeem"]), (3, "lots", ["redeem"])]
    assert packed.deferred == 2  # the other brand's, and what the member did after it
    assert [entry.member for entry in entries(packed)] == [MEMBER, OTHER]


def test_a_member_of_an_open_batch_waits_and_its_issues_do_not() -> None:
    model = ledger({(MEMBER, lot_id(1, LATER)): 100})
    view = RoundView(NOW, blocked_members=frozenset({MEMBER}))
    packed = pack_round([redeem(2, MEMBER, 10), issue(1, MEMBER, 7)], model, view)
    assert shape(packed) == [(1, "issue", ["issue"])]
    assert (packed.deferred, packed.refused) == (1, [])


def test_authorize_capture_and_point_refund_may_share_a_batch() -> None:
    model = ledger({(MEMBER, lot_id(1, SOON)): 20, (MEMBER, lot_id(2, LATER)): 50})
    reserved = authorize(3, MEMBER, 60)
    operations = [reserved, capture(reserved, 45), point_refund(reserved, 30)]
    packed = pack_round(operations, model, RoundView(NOW))
    captured, given_back = entries(packed)[1:]
    assert isinstance(captured, Capture)
    assert isinstance(given_back, PointRefund)
    assert captured.lines == (Line(1, SOON, 20), Line(2, LATER, 25))
    assert given_back.lines == (Line(2, LATER, 25), Line(1, SOON, 5))  # what was captured last comes back first


def test_a_void_names_every_lot_with_what_was_reserved() -> None:
    model = ledger({(MEMBER, lot_id(1, SOON)): 20, (MEMBER, lot_id(2, LATER)): 50})
    reserved = authorize(3, MEMBER, 60)
    packed = pack_round([reserved, void(reserved)], model, RoundView(NOW))
    assert isinstance(entries(packed)[1], Void)
    assert entries(packed)[1].lines == (Line(1, SOON, 20), Line(2, LATER, 40))


def test_a_capture_of_a_reservation_that_is_still_waiting_waits_too() -> None:
    reserved = authorize(3, MEMBER, 60)
    view = RoundView(NOW, waiting_reservations=frozenset({reservation_of(reserved)[2]}))
    early = capture(reserved, 10)
    assert pack_round([early], ledger({}), view).deferred == 1
    assert refusals(pack_round([early], ledger({}), RoundView(NOW))) == [(early.operation.operation_id, "UnknownReservation")]


def test_capturing_or_giving_back_too_much_is_refused() -> None:
    reserved = authorize(3, MEMBER, 60)
    model = ledger({(MEMBER, lot_id(2, LATER)): 70})
    packed = pack_round([reserved, capture(reserved, 61)], model, RoundView(NOW))
    assert [reason for _, reason in refusals(packed)] == ["TooManyPoints"]
    captured = capture(reserved, 20)
    packed = pack_round([captured, point_refund(reserved, 21)], model, RoundView(NOW))
    assert [reason for _, reason in refusals(packed)] == ["TooManyPoints"]


def test_a_clawback_takes_the_issues_own_lot_first_then_the_nearest_expiry() -> None:
    own, near, expired = lot_id(1, LATER), lot_id(1, SOON), lot_id(1, PAST)
    held = {(MEMBER, own): 30, (MEMBER, near): 20, (MEMBER, expired): 50, (MEMBER, lot_id(2, SOON)): 99}
    view = RoundView(NOW, issued={(1, ISSUED): IssuedEntry(MEMBER, own, SHOWN)})
    taken = clawback(1, MEMBER, 60)
    packed = pack_round([taken], ledger(held), view)
    entry = entries(packed)[0]
    assert isinstance(entry, Clawback)
    assert entry.lines == (Line(1, LATER, 30), Line(1, SOON, 20))  # expired and other brands' points are left alone
    assert packed.points_short == {taken.operation.operation_id: 10}


def test_a_clawback_that_needs_more_lots_than_an_entry_names_takes_the_largest() -> None:
    """Or whoever keeps many lots of a point each loses no more than so many points."""
    days = [month_end(20_510 + 31 * number) for number in range(18)]
    *dust, large = ((MEMBER, lot_id(1, day)) for day in days)
    view = RoundView(NOW, issued={(1, ISSUED): IssuedEntry(MEMBER, dust[0][1], SHOWN)})
    held = dict.fromkeys(dust, 1) | {large: 1_000}

    in_order, further = clawback(1, MEMBER, 16), clawback(1, MEMBER, 60)
    packed = pack_round([in_order], ledger(held), view)
    assert entries(packed)[0].lines == tuple(Line(1, day, 1) for day in days[:16]), "which are enough"
    packed = pack_round([further], ledger(held), view)
    assert entries(packed)[0].lines == (*(Line(1, day, 1) for day in days[:15]), Line(1, days[17], 45))
    assert packed.points_short == {further.operation.operation_id: 0}

    short = clawback(1, MEMBER, 90)
    packed = pack_round([short], ledger(held | {large: 50}), view)
    assert entries(packed)[0].lines == (*(Line(1, day, 1) for day in days[:15]), Line(1, days[17], 50))
    assert packed.points_short == {short.operation.operation_id: 25}, "for a later clawback"


def test_an_expired_lot_is_clawed_back_where_it_is_the_issues_own() -> None:
    own = lot_id(1, PAST)
    view = RoundView(NOW, issued={(1, ISSUED): IssuedEntry(MEMBER, own, SHOWN)})
    packed = pack_round([clawback(1, MEMBER, 10)], ledger({(MEMBER, own): 30}), view)
    assert entries(packed)[0].lines == (Line(1, PAST, 10),)


def test_a_clawback_with_nothing_left_is_refused_and_all_short() -> None:
    view = RoundView(NOW, issued={(1, ISSUED): IssuedEntry(MEMBER, lot_id(1, LATER), SHOWN)})
    late = clawback(1, MEMBER, 60)
    packed = pack_round([late], ledger({(MEMBER, lot_id(2, LATER)): 99}), view)
    assert refusals(packed) == [(late.operation.operation_id, "nothing_left_to_claw_back")]
    assert packed.points_short == {late.operation.operation_id: 60}


def test_a_clawback_shows_its_issue_and_takes_no_more_than_that_gave() -> None:
    view = RoundView(NOW, issued={(1, ISSUED): IssuedEntry(MEMBER, lot_id(1, LATER), SHOWN)})
    first, more = clawback(1, MEMBER, 100), clawback(1, MEMBER, 1)
    packed = pack_round([first, more], ledger({(MEMBER, lot_id(1, LATER)): 500}), view)
    assert entries(packed)[0].issue == SHOWN
    assert refusals(packed) == [(more.operation.operation_id, "TooManyPoints")]


def test_an_issue_among_too_many_refusals_cannot_be_shown_and_stops_nobody_else() -> None:
    refused = tuple((index, b"\x00" * 4) for index in range(1, 8_000))
    view = RoundView(NOW, issued={(1, ISSUED): IssuedEntry(MEMBER, lot_id(1, LATER), replace(SHOWN, refusals=refused))})
    wanted = clawback(1, MEMBER, 10)
    packed = pack_round([wanted, redeem(2, OTHER, 5)], ledger({(MEMBER, lot_id(1, LATER)): 50, (OTHER, lot_id(2, LATER)): 5}), view)
    assert refusals(packed) == [(wanted.operation.operation_id, "issue_cannot_be_shown")]
    assert packed.points_short == {wanted.operation.operation_id: 10}
    assert len(entries(packed)) == 1


def test_a_clawback_waits_for_its_issue() -> None:
    early = clawback(1, MEMBER, 60)
    view = RoundView(NOW, waiting_issues=frozenset({(1, ISSUED)}))
    packed = pack_round([early, redeem(2, MEMBER, 10)], ledger({(MEMBER, lot_id(1, LATER)): 99}), view)
    assert (packed.batches, packed.deferred) == ([], 2)
    assert refusals(pack_round([early], ledger({}), RoundView(NOW))) == [(early.operation.operation_id, "nothing_left_to_claw_back")]


def test_expired_points_are_not_spent_and_all_of_them_expire() -> None:
    model = ledger({(MEMBER, lot_id(1, PAST)): 40})
    too_late = redeem(2, MEMBER, 10)
    expiries = [expire(1, MEMBER, points, PAST) for points in (35, 40)]
    packed = pack_round([too_late, *expiries], model, RoundView(NOW))
    assert entries(packed) == [Expire(MEMBER, PAST, 40)]  # what is there now, not what was there when it was accepted
    assert [reason for _, reason in refusals(packed)] == ["NotEnoughPoints", "nothing_to_expire"]


def test_issues_above_the_limit_are_refused_one_by_one() -> None:
    packed = pack_round([issue(1, MEMBER, 60), issue(1, OTHER, 50), issue(1, OTHER, 40)], ledger({}, limit=100), RoundView(NOW))
    assert [entry.points for entry in entries(packed)] == [60, 40]
    assert [reason for _, reason in refusals(packed)] == ["LimitExceeded"]


def test_a_consent_by_a_stranger_is_refused() -> None:
    model = ledger({(MEMBER, lot_id(1, LATER)): 40})
    model.state.members[MEMBER].authorizers.clear()
    assert [reason for _, reason in refusals(pack_round([redeem(2, MEMBER, 10)], model, RoundView(NOW)))] == ["NotAnAuthorizer"]


def test_a_brand_that_is_being_registered_waits_and_an_unknown_one_is_refused() -> None:
    early = issue(9, MEMBER, 10)
    assert pack_round([early], ledger({}), RoundView(NOW, waiting_brands=frozenset({9}))).deferred == 1
    assert refusals(pack_round([early], ledger({}), RoundView(NOW))) == [(early.operation.operation_id, "brand_not_on_ledger")]


def test_a_full_batch_leaves_the_rest_for_the_next_round() -> None:
    packed = pack_round([issue(1, MEMBER, 1) for _ in range(ENTRIES_MAX + 5)], ledger({}), RoundView(NOW))
    assert len(packed.batches[0].packed) + packed.deferred == ENTRIES_MAX + 5
    assert packed.deferred >= 5
    assert packed.batches[0].gas <= BATCH_GAS_MAX
    assert batch_gas(packed.batches[0].gas) <= TRANSACTION_GAS_MAX


def test_more_lots_than_an_entry_holds_are_refused() -> None:
    held = {(MEMBER, lot_id(1, month_end(20_510 + 31 * month))): 1 for month in range(17)}
    assert [reason for _, reason in refusals(pack_round([redeem(2, MEMBER, 17)], ledger(held), RoundView(NOW)))] == ["too_many_lots"]
    packed = pack_round([redeem(2, MEMBER, 16)], ledger(held), RoundView(NOW))
    assert isinstance(entries(packed)[0], Redeem)


def test_an_issue_is_packed_as_it_was_accepted() -> None:
    earned = issue(1, MEMBER, 12)
    assert isinstance(earned.operation, IssueOperation)
    packed = pack_round([earned], ledger({}), RoundView(NOW))
    assert entries(packed) == [Issue(MEMBER, LATER, 12, BASIS, earned.operation.reference)]


def taken(packed: Round) -> list[list[tuple[int, int]]]:
    """By entry, (issuer, points) line by line."""
    return [[(line.brand_id, line.points) for line in entry.lines] for entry in entries(packed) if isinstance(entry, Redeem | Authorize)]


def test_points_of_an_issuer_that_the_brand_did_not_accept_are_passed_over() -> None:
    held = {(MEMBER, lot_id(1, SOON)): 1, (MEMBER, lot_id(2, LATER)): 1_000}
    for acceptor in (3, 2):
        model = ledger(held)
        model.set_exposure(acceptor, 1, 0)
        assert taken(pack_round([redeem(acceptor, MEMBER, 500)], model, RoundView(NOW))) == [[(2, 500)]]


def test_what_a_round_redeems_uses_up_what_the_brand_lets_itself_be_owed() -> None:
    model = ledger({(member, lot): 100 for member in (MEMBER, OTHER) for lot in (lot_id(1, SOON), lot_id(3, LATER))})
    model.set_exposure(3, 1, 150)
    model.state.exposure[1, 3] = 30
    asked = [redeem(3, MEMBER, 90), authorize(3, OTHER, 90), redeem(3, OTHER, 10)]
    assert taken(pack_round(asked, model, RoundView(NOW))) == [[(1, 90)], [(1, 30), (3, 60)], [(3, 10)]]


def test_where_only_what_the_brand_is_owed_stands_in_the_way_the_refusal_says_so() -> None:
    model = ledger({(MEMBER, lot_id(1, SOON)): 100, (MEMBER, lot_id(1, PAST)): 100})
    model.set_exposure(3, 1, 40)
    packed = pack_round([redeem(3, MEMBER, 41), redeem(3, MEMBER, 101), redeem(3, MEMBER, 40)], model, RoundView(NOW))
    assert [reason for _, reason in refusals(packed)] == ["ExposureExceeded", "NotEnoughPoints"]
    assert taken(packed) == [[(1, 40)]]


def test_dust_in_many_lots_stops_no_redemption_that_few_lots_can_pay() -> None:
    dust = {(MEMBER, lot_id(1, month_end(20_510 + 31 * month))): 1 for month in range(17)}
    packed = pack_round([redeem(3, MEMBER, 500)], ledger({**dust, (MEMBER, lot_id(2, 0)): 1_000}), RoundView(NOW))
    assert taken(packed) == [[*[(1, 1)] * 15, (2, 485)]]
