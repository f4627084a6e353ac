"""A freshly deployed points ledger with two brands for each test, and the members and lots that most tests use."""

from __future__ import annotations

import pytest
from eth_keys import keys

from gateway.ledger.entries import Issue
from gateway.ledger.lots import expiry_day_for
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import key_of
from tests.builders.points_ledger import UTC_OFFSET_SECONDS, PointsLedger

GROCER, FUEL = 1, 2


@pytest.fixture
def ledger() -> PointsLedger:
    return PointsLedger((GROCER, FUEL))


@pytest.fixture
def ann_key() -> keys.PrivateKey:
    return key_of("ann")


@pytest.fixture
def expiry_day(ledger: PointsLedger) -> int:
    """The month end a year ahead."""
    return expiry_day_for(ledger.now, UTC_OFFSET_SECONDS, 12)


@pytest.fixture
def ann(ledger: PointsLedger, expiry_day: int) -> bytes:
    """A member with 1,000 of the grocer's points that expire and 500 of the fuel station's that never do."""
    member = ledger.enroll("ann")
    assert ledger.submit(GROCER, [Issue(member, expiry_day, 1_000, BASIS, bytes(32))]) == []
    assert ledger.submit(FUEL, [Issue(member, 0, 500, BASIS, bytes(32))]) == []
    return member
