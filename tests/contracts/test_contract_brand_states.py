"""What a brand may do in each of its states, cell by cell from one table, on the real contract and the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.ledger.brand_states import BrandState
from gateway.ledger.entries import Authorize, Capture, Entry, Expire, Extend, Issue, Opening, PointRefund, Redeem, Restore, Void
from gateway.ledger.lots import Line, expiry_day_for
from gateway.ledger.refusals import RefusalReason
from gateway.values.calendar import SECONDS_PER_DAY, local_day
from tests.builders.brand_states import ACTS, ALLOWED, state_table
from tests.builders.issues import BASIS, OPENING_BASIS
from tests.builders.ledger_chain import key_of
from tests.builders.points_ledger import TERMS, UTC_OFFSET_SECONDS, PointsLedger, address_of

FORMAT = Path(__file__).resolve().parents[2] / "docs" / "ledger-format.md"
GROCER, FUEL = 1, 2
ANN = key_of("ann")
OWN, OTHER = Line(GROCER, 0, 10), Line(FUEL, 0, 10)
NONE = bytes(32)
CELLS = [(state, act) for state, acts in ALLOWED.items() for act in acts]


class Stage:
    """The grocer in a state, with everything there that any act needs: points of an expired and a lasting lot, an open and a
    captured reservation at it."""

    def __init__(self, state: BrandState) -> None:
        self.ledger = ledger = PointsLedger((GROCER, FUEL), terms=replace(TERMS, run_off_days=0))
        self.ann = ledger.enroll("ann")
        self.day = expiry_day_for(ledger.now, UTC_OFFSET_SECONDS, 1)
        issues = [Issue(self.ann, day, 100, BASIS, NONE) for day in (0, self.day)]
        assert ledger.submit(GROCER, issues, number=1) == ledger.submit(FUEL, issues) == []
        ledger.chain.set_time((self.day + 1) * SECONDS_PER_DAY)
        deadline = ledger.now + 5 * SECONDS_PER_DAY
        self.open = ledger.consented(Authorize, GROCER, self.ann, [OTHER], key=ANN, nonce=1, deadline=deadline)
        self.redeemed = ledger.consented(Redeem, GROCER, self.ann, [OTHER], key=ANN, nonce=2, deadline=deadline)
        clawback = ledger.clawback(GROCER, self.ann, OWN, number=1)
        assert ledger.submit(GROCER, [self.open, self.redeemed, clawback]) == []
        self.enter(state)

    def enter(self, state: BrandState) -> None:
        if state in (BrandState.RUNNING_OFF, BrandState.CLOSED):
            last_day = local_day(self.ledger.now, UTC_OFFSET_SECONDS)
            self.ledger.start_run_off(GROCER, last_day)
            if state is BrandState.CLOSED:
                self.ledger.chain.set_time((last_day + 1) * SECONDS_PER_DAY)
        elif state is not BrandState.ACTIVE:
            self.ledger.set_status(GROCER, state)
        assert self.ledger.view("brandState", GROCER) == state

    def entry(self, act: str) -> tuple[int, Entry]:
        """(whose batch, the entry)"""
        ledger = self.ledger
        match act:
            case "issue":
                return GROCER, Issue(self.ann, 0, 1, BASIS, NONE)
            case "clawback":
                return GROCER, ledger.clawback(GROCER, self.ann, OWN, number=1)
            case "restore":
                return GROCER, Restore(self.ann, NONE, 1, 0, (OWN,))
            case "extend":
                return GROCER, Extend(self.ann, self.day, 0, 1, NONE)
            case "opening":
                return GROCER, Opening(self.ann, 0, 1, OPENING_BASIS, NONE)
            case "authorize":
                return GROCER, ledger.consented(Authorize, GROCER, self.ann, [OTHER, OWN], key=ANN)
            case "redeem":
                return GROCER, ledger.consented(Redeem, GROCER, self.ann, [OTHER, OWN], key=ANN)
            case "capture":
                return GROCER, ledger.capture(ledger.reservation_id(GROCER, self.open), [OTHER])
            case "void":
                return GROCER, Void(ledger.reservation_id(GROCER, self.open), NONE, (OTHER,))
            case "point refund":
                return GROCER, ledger.refund(ledger.reservation_id(GROCER, self.redeemed), [OTHER])
            case "transfer":
                return GROCER, ledger.transfer(self.ann, ledger.enroll("bob"), [OTHER, OWN], ANN, key_of("bob"))
            case "expire":
                return GROCER, Expire(self.ann, self.day, 100)
        raise AssertionError(f"no entry does {act}")


@pytest.mark.parametrize(("state", "act"), CELLS, ids=lambda value: value.name.lower() if isinstance(value, BrandState) else value)
def test_a_state_allows_what_the_table_says(state: BrandState, act: str) -> None:
    stage, reason = Stage(state), ALLOWED[state][act]
    ledger = stage.ledger
    if act == "owner":
        assert ledger.set_brand_key(GROCER, address_of(key_of("till")), 0, 1).succeeded
        return
    if act == "accepted":
        entries = [
            ledger.consented(kind, FUEL, stage.ann, [OTHER, OWN], key=ANN, nonce=nonce) for nonce, kind in enumerate((Authorize, Redeem))
        ]
        refused = [ledger.submit(FUEL, [entry]) for entry in entries]
        assert refused == [[] if reason is None else [(0, reason)]] * 2
        return
    brand, entry = stage.entry(act)
    assert ledger.submit(brand, [entry]) == ([] if reason is None else [(0, reason)])


def test_the_table_tells_four_reasons_apart() -> None:
    reasons = {reason for acts in ALLOWED.values() for reason in acts.values() if reason is not None}
    assert reasons == {
        RefusalReason.BRAND_NOT_ACTIVE,
        RefusalReason.BRAND_NOT_ACCEPTING,
        RefusalReason.BRAND_IN_DEFAULT,
        RefusalReason.POINTS_NOT_ACCEPTED,
    }


def test_the_format_has_the_table_that_is_tested() -> None:
    assert state_table() in FORMAT.read_text()
    assert set(ALLOWED) == set(BrandState)
    assert all(set(acts) == set(ACTS) for acts in ALLOWED.values())


def test_what_was_authorized_before_the_issuer_defaulted_is_captured_voided_and_given_back(ledger: PointsLedger, ann: bytes) -> None:
    lines = [Line(FUEL, 0, 10)]
    deadline = ledger.now + SECONDS_PER_DAY
    entries = [ledger.consented(Authorize, GROCER, ann, lines, key=ANN, nonce=nonce, deadline=deadline) for nonce in (1, 2)]
    assert ledger.submit(GROCER, entries) == []
    ledger.set_status(FUEL, BrandState.IN_DEFAULT)
    first, second = (ledger.reservation_id(GROCER, entry) for entry in entries)
    acts = [Capture(first, NONE, 0, tuple(lines)), Void(second, NONE, tuple(lines)), PointRefund(first, NONE, 0, tuple(lines))]
    assert ledger.submit(GROCER, acts) == []
    assert ledger.held(ann, FUEL) == (500, 0)


def test_in_default_nobody_lets_the_holders_points_expire_and_they_stand_as_their_claim(
    ledger: PointsLedger, ann: bytes, expiry_day: int
) -> None:
    ledger.set_status(GROCER, BrandState.IN_DEFAULT)
    ledger.chain.set_time((expiry_day + 1) * SECONDS_PER_DAY)
    assert ledger.submit(GROCER, [Expire(ann, expiry_day, 1_000)]) == [(0, RefusalReason.BRAND_IN_DEFAULT)]
    assert ledger.submit(FUEL, [Expire(ann, expiry_day, 1_000)]) != [], "another brand's expire speaks of its own lot"
    assert ledger.held(ann, GROCER, expiry_day) == (1_000, 0)
    ledger.set_status(GROCER, BrandState.SUSPENDED)
    assert ledger.submit(GROCER, [Expire(ann, expiry_day, 1_000)]) == []
