"""Whatever the facts: records are claimed at most once, payouts are rebuilt whole, and the order of the rows decides nothing."""

import random
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.payments.record import RecordKind
from gateway.reconciliation.breaks import BreakKind
from gateway.reconciliation.facts import Facts, KeptRecord
from gateway.reconciliation.matching import Reconciled, reconcile
from tests.gateway.reconciliation.payment_facts import Records, day, purchase, refund

PAYMENTS = st.sampled_from(["A", "B", "C"])
AMOUNTS = st.sampled_from([0, 100, 200, 300, 500])
DAYS = st.integers(0, 12)
ONE_CHANGE = st.sampled_from(
    [{}, {"payout_id": "po3"}, {"payout_id": None}, {"refund_id": "R2"}, {"fee_minor": 8}, {"payment_id": "B"}, {"gross_minor": 101}]
)
"""What a repeat may have different from the record it repeats."""


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """A few payments, with everything drawn from small pools so that it collides."""
    purchases = [
        purchase(payment_id, draw(AMOUNTS), draw(DAYS), due=draw(st.sampled_from([0, 5])), issued=draw(st.sampled_from([None, 5])))
        for payment_id in draw(st.sets(PAYMENTS))
    ]
    refunds = [
        refund(f"R{number}", draw(AMOUNTS) or 50, draw(PAYMENTS), draw(DAYS), done=draw(st.booleans()))
        for number in range(draw(st.integers(0, 4)))
    ]
    records = Records()
    for _ in range(draw(st.integers(0, 10))):
        kind = draw(st.sampled_from(list(RecordKind)))
        amount = draw(AMOUNTS)
        records.add(
            kind,
            -amount if kind in (RecordKind.REFUND, RecordKind.PAYOUT, RecordKind.FEE) else amount,
            draw(st.one_of(st.none(), PAYMENTS, st.just("unknown"))),
            draw(DAYS),
            key=draw(st.sampled_from(["t1", "t2", "t3", None, None])),
            fee=draw(st.sampled_from([0, 7])),
            currency=draw(st.sampled_from(["USD", "USD", "CAD"])),
            payout_id=draw(st.sampled_from([None, "po1", "po2"])),
            refund_id=draw(st.sampled_from([None, "R0", "R1"])) if kind is RecordKind.REFUND else None,
        )
    for _ in range(draw(st.integers(0, 2)) if records.kept else 0):
        almost = replace(draw(st.sampled_from(records.kept)).record, **draw(ONE_CHANGE))
        records.kept.append(KeptRecord(len(records.kept) + 1, almost))
    return Facts(day(draw(DAYS)), tuple(purchases), tuple(refunds), tuple(records.kept))


@settings(max_examples=300)
@given(facts())
def test_every_record_is_claimed_at_most_once_and_no_charge_or_refund_is_left_unspoken(given_facts):
    result = reconcile(given_facts)
    claims = Counter(record_id for match in result.matches for record_id in match.payment_record_ids)
    assert all(count == 1 for count in claims.values())
    seen = {kept.payment_record_id: kept.record for kept in given_facts.records if kept.record.business_date <= given_facts.cut_off}
    assert set(claims) <= set(seen)
    assert sum(match.amount_minor for match in result.matches) == sum(seen[record_id].gross_minor for record_id in claims)
    broken_payments = {found.payment_id for found in result.breaks}
    broken_records = {found.payment_record_id for found in result.breaks}
    for record_id, record in seen.items():
        if record.kind in (RecordKind.CHARGE, RecordKind.REFUND):
            assert record_id in claims or record_id in broken_records or record.payment_id in broken_payments


@settings(max_examples=300)
@given(facts())
def test_a_repeat_is_named_once_and_never_claimed(given_facts):
    result = reconcile(given_facts)
    seen = [kept for kept in given_facts.records if kept.record.business_date <= given_facts.cut_off]
    repeats = [found.payment_record_id for found in result.breaks if found.kind is BreakKind.DUPLICATED]
    assert len(repeats) == len(set(repeats)) == len(seen) - len({kept.record.business_key for kept in seen})
    assert not {record_id for match in result.matches for record_id in match.payment_record_ids} & set(repeats)


@settings(max_examples=300)
@given(facts())
def test_every_payout_is_its_parts_and_one_remainder(given_facts):
    result = reconcile(given_facts)
    for payout in result.payouts:
        parts = payout.charges_minor + payout.refunds_minor + payout.fees_minor + payout.other_minor
        assert payout.payout_minor == parts + payout.remainder_minor
        assert (payout.remainder_minor != 0) <= (payout.remainder_label != "none")
    assert len(result.payouts) == len({(payout.payout_id, payout.currency) for payout in result.payouts})


@settings(max_examples=300)
@given(facts(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_facts_decides_nothing(given_facts, shuffler):
    records = list(given_facts.records)
    shuffler.shuffle(records)
    renumbered = tuple(KeptRecord(number, kept.record) for number, kept in enumerate(records, start=1))
    other = replace(
        given_facts,
        payments=tuple(reversed(given_facts.payments)),
        refunds=tuple(shuffled(given_facts.refunds, shuffler)),
        records=renumbered,
    )
    assert told(reconcile(other)) == told(reconcile(given_facts))


@settings(max_examples=100)
@given(facts())
def test_running_again_gives_the_very_same_result(given_facts):
    assert reconcile(given_facts) == reconcile(given_facts)


def shuffled(items: tuple, shuffler: random.Random) -> list:
    copy = list(items)
    shuffler.shuffle(copy)
    return copy


def told(result: Reconciled) -> tuple:
    """Everything but the stored ids, which follow the order of the rows."""
    breaks = Counter(replace(found, payment_record_id=None) for found in result.breaks)
    matches = Counter((match.payment_id, match.kind, match.amount_minor, len(match.payment_record_ids)) for match in result.matches)
    return breaks, matches, result.payouts, result.record_count, result.not_due_count, Counter(result.refunds_without_record)
