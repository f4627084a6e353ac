"""What the signer signs, and beside it everything that it refuses to sign."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from coincurve import PublicKey
from eth_hash.auto import keccak

from gateway.brand_signer import checks
from gateway.brand_signer.books import Books
from gateway.brand_signer.journal import Journal, SignedBatch
from gateway.brand_signer.sales_register import FileRegister
from gateway.brand_signer.sign_batch import EntriesRefused, InconsistentBatch
from gateway.ledger.awards import AwardId, award_reference, clawback_reference
from gateway.ledger.decision import Decision
from gateway.ledger.entries import Clawback, Issue, encode_entry
from gateway.ledger.framing import pack_entries
from gateway.ledger.signing import batch_digest, reference
from gateway.loyalty.evaluate import AwardDue
from gateway.loyalty.rule import EarningRule
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.points import Points
from tests.gateway.brand_signer.brand_books import (
    BRAND,
    DEADLINE,
    DOMAIN,
    EXPIRY_DAY,
    FEBRUARY,
    MEMBER,
    OTHER_BRAND,
    PROGRAMME,
    SECRET,
    STRANGER,
    Brand,
    Entered,
    award_clawback,
    award_issue,
    batch,
    clawback,
    decided,
    expire,
    issue,
    refusals,
    told,
    transfer,
)

FAR_DAY = 2**32 - 1


def test_a_batch_of_a_registered_sale_is_signed_with_the_brands_key(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    request = batch(1, issue("p-1", 9))
    signature = brand.signer().sign(request)
    digest = batch_digest(DOMAIN, BRAND, 1, keccak(request.entries), request.deadline)
    key = PublicKey.from_signature_and_message(signature[:64] + bytes([signature[64] - 27]), digest, hasher=None)
    assert keccak(key.format(compressed=False)[1:])[12:] == brand.key.address


def with_decision(payment_id: str, points: int, decision: object) -> Entered:
    """An issue told with another decision than it commits to."""
    entry, detail = issue(payment_id, points)
    return entry, {**detail, "decision": decision}


def with_basis(payment_id: str, points: int, **other: object) -> Entered:
    entry, detail = issue(payment_id, points)
    assert isinstance(entry, Issue)
    return replace(entry, basis=replace(entry.basis, **other)), detail  # type: ignore[arg-type]


def committed_to(payment_id: str, points: int, decision: Decision) -> Entered:
    """An issue that commits to a decision about something else."""
    entry, detail = with_basis(payment_id, points, decision=decision.hash)
    return entry, {**detail, "decision": told(decision)}


@pytest.mark.parametrize(
    ("entered", "reason"),
    [
        (issue("p-9", 9), "unknown_sale"),
        (issue("p-1", 10), "wrong_points"),
        (issue("p-1", 9, member=STRANGER), "wrong_member"),
        (issue("p-1", 9, rule_version=2), "wrong_rule_version"),
        (issue("p-1", 9, expiry_day=0), "wrong_expiry"),
        (issue("p-1", 9, expiry_day=EXPIRY_DAY - 1), "wrong_expiry"),
        (issue("p-1", 9, expiry_day=EXPIRY_DAY + 61), "reported_late"),
        (issue("p-guest", 9), "wrong_member"),
        (issue("p-tiny", 0), "wrong_points"),
        ((issue("p-1", 9)[0], {"kind": "issue", "payment_id": "p-2"}), "reference_mismatch"),
        ((issue("p-1", 9)[0], {"kind": "issue"}), "detail_mismatch"),
        ((issue("p-1", 9)[0], {"kind": "issue", "payment_id": 5}), "detail_mismatch"),
        ((issue("p-1", 9)[0], {"kind": "clawback", "payment_id": "p-1"}), "detail_mismatch"),
        (with_decision("p-1", 9, None), "detail_mismatch"),
        (with_decision("p-1", 9, {"salt": "0x00", "text": "{}"}), "detail_mismatch"),
        (with_decision("p-1", 9, {"salt": "0x" + "00" * 32, "text": "{"}), "detail_mismatch"),
        (with_decision("p-1", 9, told(decided("p-1", 1, 8))), "wrong_decision"),
        (committed_to("p-1", 9, decided("p-1", 1, 8)), "wrong_decision"),
        (committed_to("p-1", 9, decided("p-2", 1, 9)), "wrong_decision"),
        (committed_to("p-1", 9, decided("p-1", 2, 9)), "wrong_decision"),
        (committed_to("p-1", 9, decided("p-1", 1, 9, STRANGER)), "wrong_decision"),
        (with_basis("p-1", 9, rule=1), "wrong_award"),
        (with_basis("p-1", 9, award=2), "wrong_award"),
    ],
)
def test_an_issue_that_the_books_do_not_support_is_refused(brand: Brand, entered: Entered, reason: str) -> None:
    brand.sell("p-1", 1_000)
    brand.sell("p-2", 1_000)
    brand.sell("p-guest", 1_000, member=None)
    brand.sell("p-tiny", 50)
    signer = brand.signer()
    with pytest.raises(EntriesRefused) as refused:
        signer.sign(replace(batch(1, (entered[0], {**issue("p-1", 9)[1]})), details=(entered[1],)))
    assert [(one.index, one.reason) for one in refused.value.refused] == [(0, reason)]
    assert refusals(signer, 1, [issue("p-1", 9)]) == []


def test_what_was_paid_with_points_earns_nothing(brand: Brand) -> None:
    brand.sell("p-1", 1_000, points_minor=400)
    signer = brand.signer()
    assert refusals(signer, 1, [issue("p-1", 9)]) == [(0, "wrong_points")]
    assert refusals(signer, 1, [issue("p-1", 5)]) == []


def test_tax_earns_where_the_brand_says_so(brand: Brand) -> None:
    brand.programme = replace(PROGRAMME, earn_on_tax=True)
    brand.sell("p-1", 1_000)
    signer = brand.signer()
    assert refusals(signer, 1, [issue("p-1", 9)]) == [(0, "wrong_points")]
    assert refusals(signer, 1, [issue("p-1", 10)]) == []


def test_a_sale_earns_by_the_rule_in_force_when_it_happened(brand: Brand) -> None:
    march = datetime(2017, 3, 3, tzinfo=UTC)
    brand.sell("p-1", 1_000, at=march)
    expiry_day = (datetime(2017, 5, 31, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
    signer = brand.signer()
    assert refusals(signer, 1, [issue("p-1", 9, expiry_day=expiry_day)]) == [(0, "wrong_rule_version")]
    assert refusals(signer, 1, [issue("p-1", 18, expiry_day=expiry_day, rule_version=2)]) == []


def test_a_version_is_still_good_for_a_stated_time_after_the_next_one_came_into_force(brand: Brand) -> None:
    month_end = (datetime(2017, 4, 30, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
    brand.rule_overlap_seconds = 3_600
    for payment_id, seconds in (("soon", 3_599), ("late", 3_601)):
        brand.sell(payment_id, 1_000, at=datetime.fromtimestamp(FEBRUARY + seconds, UTC))
    signer = brand.signer()
    assert refusals(signer, 1, [issue("late", 9, expiry_day=month_end)]) == [(0, "wrong_rule_version")]
    assert refusals(signer, 1, [issue("soon", 18, expiry_day=month_end)]) == [(0, "wrong_points")]
    assert refusals(signer, 1, [issue("soon", 9, expiry_day=month_end)]) == []
    assert refusals(signer, 2, [issue("late", 18, expiry_day=month_end, rule_version=2)]) == []


def test_a_version_that_came_after_the_settings_is_signed_from_when_it_is_in_force(brand: Brand) -> None:
    brand.followed = [EarningRule(3, 3, 100, 0, FEBRUARY - 86_400), EarningRule(4, 4, 100, 0, None)]
    brand.sell("p-1", 1_000, at=datetime(2017, 1, 31, 1, tzinfo=UTC))
    brand.sell("p-2", 1_000, at=datetime(2017, 1, 30, 1, tzinfo=UTC))
    signer = brand.signer()
    assert refusals(signer, 1, [issue("p-1", 36, rule_version=4)]) == [(0, "wrong_rule_version")]
    assert refusals(signer, 1, [issue("p-2", 27, rule_version=3)]) == [(0, "wrong_rule_version")]
    assert refusals(signer, 1, [issue("p-1", 27, rule_version=3), issue("p-2", 9)]) == []


def test_a_sale_reported_in_the_next_month_may_expire_a_month_later(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    assert refusals(brand.signer(), 1, [issue("p-1", 9, expiry_day=EXPIRY_DAY + 30)]) == []


def test_points_that_never_expire_are_signed_only_where_the_programme_says_so(brand: Brand) -> None:
    brand.programme = replace(PROGRAMME, lot_validity_months=0)
    brand.sell("p-1", 1_000)
    signer = brand.signer()
    assert refusals(signer, 1, [issue("p-1", 9)]) == [(0, "wrong_expiry")]
    assert refusals(signer, 1, [issue("p-1", 9, expiry_day=0)]) == []


def test_a_payment_is_never_issued_for_twice(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    signer = brand.signer()
    assert refusals(signer, 1, [issue("p-1", 9), issue("p-1", 9)]) == [(1, "already_signed")]
    assert refusals(signer, 1, [issue("p-1", 9)]) == []
    assert refusals(signer, 2, [issue("p-1", 9)]) == [(0, "already_signed")]
    assert refusals(brand.signer(), 2, [issue("p-1", 9)]) == [(0, "already_signed")]


def test_one_bad_entry_keeps_the_batch_from_being_signed_and_is_the_only_one_named(brand: Brand) -> None:
    for number in range(5):
        brand.sell(f"p-{number}", 1_000)
    signer = brand.signer()
    good = [issue(f"p-{number}", 9) for number in range(5)]
    assert refusals(signer, 1, [*good[:3], issue("p-9", 9), *good[3:]]) == [(3, "unknown_sale")]
    assert refusals(signer, 1, good) == []


def test_a_clawback_of_a_known_refund_is_signed_in_pieces_that_never_exceed_its_share(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    signer = brand.signer()
    assert refusals(signer, 1, [issue("p-1", 9)]) == []
    brand.refund("r-1", "p-1", 500)
    assert refusals(signer, 2, [clawback("r-1", "p-1", 5)]) == [(0, "too_much_clawed_back")]
    assert refusals(signer, 2, [clawback("r-1", "p-1", 4)]) == []
    brand.refund("r-2", "p-1", 500)
    assert refusals(signer, 3, [clawback("r-2", "p-1", 6)]) == [(0, "too_much_clawed_back")]
    assert refusals(brand.signer(), 3, [clawback("r-2", "p-1", 5)]) == []


@pytest.mark.parametrize(
    ("entered", "reason"),
    [
        (clawback("r-9", "p-1", 4), "unknown_refund"),
        (clawback("r-1", "p-2", 4), "unknown_refund"),
        (clawback("r-1", "p-9", 4), "unknown_sale"),
        (clawback("r-2", "p-2", 4), "unknown_issue"),
        (clawback("r-1", "p-1", 4, member=STRANGER), "wrong_member"),
        (clawback("r-1", "p-1", 4, brand=OTHER_BRAND), "foreign_lot"),
        (clawback("r-1", "p-1", 0), "too_much_clawed_back"),
    ],
)
def test_a_clawback_that_the_books_do_not_support_is_refused(brand: Brand, entered: Entered, reason: str) -> None:
    brand.sell("p-1", 1_000)
    brand.sell("p-2", 1_000)
    brand.refund("r-1", "p-1", 500)
    brand.refund("r-2", "p-2", 500)
    signer = brand.signer()
    assert refusals(signer, 1, [issue("p-1", 9)]) == []
    assert refusals(signer, 2, [entered]) == [(0, reason)]
    assert refusals(signer, 2, [clawback("r-1", "p-1", 4)]) == []


def test_an_expiry_names_points_of_a_lot_that_can_expire(brand: Brand) -> None:
    signer = brand.signer()
    assert refusals(signer, 1, [expire(0), expire(5, expiry_day=0)]) == [(0, "wrong_expiry"), (1, "wrong_expiry")]
    assert refusals(signer, 1, [expire(5)]) == []


def test_points_expire_by_the_brands_own_clock_and_by_nobody_elses(brand: Brand) -> None:
    """Whoever seals the chain writes its time. The day counts to its last second."""
    brand.now = (EXPIRY_DAY + 1) * SECONDS_PER_DAY - 1
    assert refusals(brand.signer(), 1, [expire(5), expire(5, FAR_DAY)]) == [(0, "lot_not_expired"), (1, "lot_not_expired")]
    brand.now += 1
    signer = brand.signer()
    assert refusals(signer, 1, [expire(5), expire(5, FAR_DAY)]) == [(1, "lot_not_expired")]
    assert refusals(signer, 1, [expire(5)]) == []


@pytest.mark.parametrize("offset", [-18_000, 0, 3_600])
def test_a_lots_last_day_is_the_coalitions(tmp_path: Path, offset: int) -> None:
    over = (EXPIRY_DAY + 1) * SECONDS_PER_DAY - offset
    for moment, is_over in ((over - 1, False), (over, True)):
        books = Books(PROGRAMME, FileRegister(tmp_path / "sales.jsonl", SECRET), SECRET, offset, lambda moment=moment: moment)
        assert books.is_over(EXPIRY_DAY) is is_over


def test_in_a_sandbox_points_expire_by_the_chains_time(brand: Brand) -> None:
    brand.now = None
    assert refusals(brand.signer(), 1, [expire(5, FAR_DAY)]) == []


def test_a_transfer_between_two_members_is_carried_once(brand: Brand) -> None:
    signer = brand.signer()
    assert refusals(signer, 1, [transfer(0), transfer(5, taker=MEMBER)]) == [(0, "wrong_points"), (1, "wrong_points")]
    assert refusals(signer, 1, [transfer(5), transfer(5), transfer(5, nonce=2)]) == [(1, "already_signed")]
    assert refusals(signer, 1, [transfer(5), transfer(5, nonce=2)]) == []
    assert refusals(brand.signer(), 2, [transfer(5)]) == [(0, "already_signed")], "also after a restart"


def test_malformed_entries_and_openings_of_no_known_file_are_refused(brand: Brand) -> None:
    transfer, fragment = b"\x09" + bytes(60), encode_entry(issue("p-1", 9)[0])[:-1]
    opening = b"\x02" + encode_entry(issue("p-1", 9)[0])[1:]
    packed = [transfer, fragment, opening]
    details = ({"kind": "transfer"}, issue("p-1", 9)[1], {"kind": "opening"})
    request = replace(batch(1, issue("p-1", 9)), entries=pack_entries(packed), details=details)
    with pytest.raises(EntriesRefused) as refused:
        brand.signer().sign(request)
    assert [one.reason for one in refused.value.refused] == ["malformed_entry", "malformed_entry", "unknown_opening_file"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"details": ()}, "wrong_details"),
        ({"brand_id": OTHER_BRAND}, "wrong_brand"),
    ],
)
def test_a_batch_that_contradicts_itself_is_not_signed(brand: Brand, change: dict[str, object], code: str) -> None:
    brand.sell("p-1", 1_000)
    with pytest.raises(InconsistentBatch) as refused:
        brand.signer().sign(replace(batch(1, issue("p-1", 9)), **change))  # type: ignore[arg-type]
    assert refused.value.code == code


def test_an_empty_batch_is_not_signed(brand: Brand) -> None:
    with pytest.raises(InconsistentBatch):
        brand.signer().sign(batch(1))


def test_a_reference_under_another_secret_is_refused(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    entry, detail = issue("p-1", 9)
    foreign = replace(entry, reference=reference(b"x" * 32, "payment", "p-1"))  # type: ignore[call-arg]
    assert refusals(brand.signer(), 1, [(foreign, detail)]) == [(0, "reference_mismatch")]


# Awards

MALFORMED_AWARDS = [
    None,
    True,
    2,
    "1",
    [],
    [1, BRAND],
    {},
    {"number": 1},
    {"sold_by": BRAND},
    {"number": True, "sold_by": BRAND},
    {"number": "1", "sold_by": BRAND},
    {"number": 1.0, "sold_by": BRAND},
    {"number": None, "sold_by": BRAND},
    {"number": [1], "sold_by": BRAND},
    {"number": 1, "sold_by": True},
    {"number": 1, "sold_by": str(BRAND)},
    {"number": 1, "sold_by": None},
]


def test_a_numbered_award_stands_under_references_of_its_own() -> None:
    named = AwardId(BRAND, "p-1", 2, BRAND)
    assert award_reference(SECRET, named) == reference(SECRET, "award", f"{BRAND}:2:p-1")
    assert clawback_reference(SECRET, named, "r-1") == reference(SECRET, "award-refund", f"{BRAND}:2:r-1")


def test_the_first_award_may_be_named_and_is_the_plain_one(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    signer = brand.signer()
    assert award_issue("p-1", 1, 9)[0] == issue("p-1", 9)[0]
    assert refusals(signer, 1, [award_issue("p-1", 1, 9), issue("p-1", 9)]) == [(1, "already_signed")]
    assert refusals(signer, 1, [award_issue("p-1", 1, 9)]) == []
    assert refusals(signer, 2, [issue("p-1", 9)]) == [(0, "already_signed")]
    brand.refund("r-1", "p-1", 500)
    assert refusals(signer, 2, [award_clawback("r-1", "p-1", 1, 4)]) == []
    assert refusals(signer, 3, [clawback("r-1", "p-1", 4)]) == [(0, "already_signed")]


@pytest.mark.parametrize(
    ("entered", "reason"),
    [
        (award_issue("p-1", 2, 9), "unknown_award"),
        (award_issue("p-1", 2, 0), "unknown_award"),
        (award_issue("p-1", 10**40, 9), "unknown_award"),
        (award_issue("p-tiny", 2, 9), "unknown_award"),
        (award_issue("p-1", 1, 9, sold_by=OTHER_BRAND), "unknown_award"),  # a payment of this id was made here too
        (award_issue("p-9", 1, 9, sold_by=OTHER_BRAND), "unknown_award"),
        (award_issue("p-1", 2, 9, sold_by=OTHER_BRAND), "unknown_award"),
        (award_issue("p-1", 1, 9, sold_by=0), "unknown_award"),
        (award_issue("p-1", 1, 9, sold_by=-BRAND), "unknown_award"),
        (award_issue("p-9", 2, 9), "unknown_sale"),
        ((issue("p-1", 9)[0], award_issue("p-1", 2, 9)[1]), "reference_mismatch"),
        ((issue("p-1", 9)[0], award_issue("p-1", 1, 9, sold_by=OTHER_BRAND)[1]), "reference_mismatch"),
        ((award_issue("p-1", 2, 9)[0], issue("p-1", 9)[1]), "reference_mismatch"),
        ((award_issue("p-1", 1, 9, sold_by=OTHER_BRAND)[0], issue("p-1", 9)[1]), "reference_mismatch"),
    ],
)
def test_an_award_that_the_brands_programme_does_not_give_is_refused(brand: Brand, entered: Entered, reason: str) -> None:
    brand.sell("p-1", 1_000)
    brand.sell("p-2", 1_000)
    brand.sell("p-tiny", 50)
    signer = brand.signer()
    assert refusals(signer, 1, [issue("p-2", 9), entered]) == [(1, reason)]
    assert refusals(signer, 1, [issue("p-1", 9), issue("p-2", 9)]) == []
    assert refusals(signer, 2, [entered]) == [(0, reason)]


@pytest.mark.parametrize("award", MALFORMED_AWARDS, ids=repr)
def test_a_detail_with_a_malformed_award_is_refused(brand: Brand, award: object) -> None:
    brand.sell("p-1", 1_000)
    signer = brand.signer()
    entry, detail = issue("p-1", 9)
    assert refusals(signer, 1, [(entry, {**detail, "award": award})]) == [(0, "detail_mismatch")]
    assert refusals(signer, 1, [(entry, detail)]) == []
    brand.refund("r-1", "p-1", 500)
    entry, detail = clawback("r-1", "p-1", 4)
    assert refusals(signer, 2, [(entry, {**detail, "award": award})]) == [(0, "detail_mismatch")]
    assert refusals(signer, 2, [(entry, detail)]) == []


@pytest.mark.parametrize("without", ["payment_id", "refund_id"])
def test_a_clawback_whose_detail_does_not_say_of_what_is_refused(brand: Brand, without: str) -> None:
    brand.sell("p-1", 1_000)
    signer = brand.signer()
    assert refusals(signer, 1, [issue("p-1", 9)]) == []
    brand.refund("r-1", "p-1", 500)
    for entry, detail in (clawback("r-1", "p-1", 4), award_clawback("r-1", "p-1", 2, 4)):
        for value in ({}, {without: None}, {without: ""}, {without: 5}):
            told = {name: said for name, said in detail.items() if name != without} | value
            assert refusals(signer, 2, [(entry, told)]) == [(0, "detail_mismatch")]


@pytest.mark.parametrize("number", [0, -1, -2, -(10**40)])
def test_an_award_whose_number_is_not_positive_is_never_signed(brand: Brand, number: int) -> None:
    brand.sell("p-1", 1_000)
    brand.sell("p-tiny", 50)
    brand.refund("r-1", "p-1", 500)
    signer = brand.signer()
    never = [award_issue("p-1", number, 9), award_issue("p-1", number, 0), award_issue("p-tiny", number, 0)]
    never += [award_clawback("r-1", "p-1", number, 4)]
    assert [index for index, _ in refusals(signer, 1, never)] == [0, 1, 2, 3]
    assert refusals(signer, 1, [issue("p-1", 9)]) == []
    assert [index for index, _ in refusals(signer, 2, never)] == [0, 1, 2, 3]
    plain_issue, plain_clawback = issue("p-1", 9)[0], clawback("r-1", "p-1", 4)[0]
    mixed = [(plain_issue, never[0][1]), (plain_clawback, never[3][1])]
    assert refusals(signer, 2, mixed) == [(0, "reference_mismatch"), (1, "reference_mismatch")]
    assert refusals(signer, 2, [clawback("r-1", "p-1", 4)]) == []


def test_a_clawback_of_a_numbered_award_is_held_against_that_awards_own_issue(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    _signed_before(brand, issue("p-1", 9), award_issue("p-1", 2, 5))
    brand.refund("r-1", "p-1", 500)
    signer = brand.signer()
    assert refusals(signer, 2, [award_clawback("r-1", "p-1", 2, 3)]) == [(0, "too_much_clawed_back")]  # half of its 5, not of 9
    assert refusals(signer, 2, [award_clawback("r-1", "p-1", 2, 2), clawback("r-1", "p-1", 4)]) == []  # each award has its own share
    assert refusals(signer, 3, [award_clawback("r-1", "p-1", 2, 1)]) == [(0, "already_signed")]
    brand.refund("r-2", "p-1", 500)
    assert refusals(signer, 3, [award_clawback("r-2", "p-1", 2, 4)]) == [(0, "too_much_clawed_back")]
    assert refusals(brand.signer(), 3, [award_clawback("r-2", "p-1", 2, 3), clawback("r-2", "p-1", 5)]) == []


def test_a_clawback_of_a_numbered_award_under_other_references_is_refused(brand: Brand) -> None:
    brand.sell("p-1", 1_000)
    _signed_before(brand, issue("p-1", 9), award_issue("p-1", 2, 9))
    brand.refund("r-1", "p-1", 500)
    signer = brand.signer()
    plain, numbered, third = clawback("r-1", "p-1", 4), award_clawback("r-1", "p-1", 2, 4), award_clawback("r-1", "p-1", 3, 4)
    assert isinstance(plain[0], Clawback)
    assert isinstance(numbered[0], Clawback)
    crossed = [
        (plain[0], numbered[1]),
        (numbered[0], plain[1]),
        (numbered[0], third[1]),
        (replace(numbered[0], issue=plain[0].issue), numbered[1]),
        (replace(plain[0], issue=numbered[0].issue), plain[1]),
        (replace(numbered[0], reference=plain[0].reference), numbered[1]),
    ]
    for entered in crossed:
        assert refusals(signer, 2, [entered]) == [(0, "reference_mismatch")]
    assert refusals(signer, 2, [third]) == [(0, "unknown_issue")]
    assert refusals(signer, 2, [award_clawback("r-1", "p-1", 1, 4, sold_by=OTHER_BRAND)]) == [(0, "unknown_issue")]
    assert refusals(signer, 2, [award_clawback("r-9", "p-1", 2, 4)]) == [(0, "unknown_refund")]
    assert refusals(signer, 2, [award_clawback("r-1", "p-9", 2, 4)]) == [(0, "unknown_sale")]
    assert refusals(signer, 2, [numbered, plain]) == []


def _signed_before(brand: Brand, *entered: Entered) -> None:
    """The journal of a signer whose programme gave these awards when it signed them, as batch 1."""
    assert all(isinstance(entry, Issue) for entry, _ in entered)
    journal = Journal(brand.folder / "signed.jsonl", DOMAIN, BRAND)
    journal.append(SignedBatch(1, DEADLINE, batch(1, *entered).entries, bytes(65)))
    journal.close()


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (AwardDue(BRAND, Points(9), "campaign", 1, {}), None),
        (AwardDue(BRAND + 1, Points(9), "campaign", 1, {}), "unknown_award"),
        (AwardDue(BRAND, Points(9), "campaign", 77, {}), "wrong_rule_version"),
        (AwardDue(BRAND, Points(8), "campaign", 1, {}), "wrong_points"),
    ],
)
def test_an_award_is_held_to_its_own_issuer_version_and_points(
    brand: Brand, second: AwardDue, reason: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    brand.sell("p-1", 1_000)
    given = checks.awards_due
    monkeypatch.setattr(checks, "awards_due", lambda *asked: [*given(*asked), second])
    assert refusals(brand.signer(), 1, [award_issue("p-1", 2, 9)]) == ([] if reason is None else [(0, reason)])
