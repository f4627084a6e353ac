"""The brand register on the real contract: registered whole, batch keys with windows, limit, states, owners, by acts of governance."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import pytest

from gateway.ledger.entries import Issue, encode_entry
from gateway.ledger.framing import pack_entries
from gateway.values.calendar import local_day
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import Outcome, key_of
from tests.builders.points_ledger import (
    FOREVER,
    LIMIT,
    TERMS,
    UTC_OFFSET_SECONDS,
    PointsLedger,
    address_of,
    brand_key,
    member_named,
    owner_key,
    registration,
)

GROCER, FUEL, NEW = 1, 2, 9
ACTIVE, SUSPENDED, RUNNING_OFF, CLOSED, IN_DEFAULT = 1, 2, 3, 4, 5
ISSUES = pack_entries([encode_entry(Issue(member_named("bob"), 0, 5, BASIS, bytes(32)))])
TILL_KEY = key_of("till")
A_DAY = 86_400


def submit(ledger: PointsLedger, number: int, *, key: Any = TILL_KEY) -> Outcome:
    return ledger.transact("submitBatch", *ledger.signed(GROCER, number, ISSUES, key=key))


def hex_of(address: bytes) -> str:
    return "0x" + address.hex()


def today(ledger: PointsLedger) -> int:
    """The local day in which an act that is proposed now is executed, unless midnight is seconds away."""
    return local_day(ledger.now, UTC_OFFSET_SECONDS)


def test_a_brand_is_registered_whole(ledger: PointsLedger) -> None:
    window = (5, FOREVER, True)
    outcome = ledger.by_governance("registerBrand", registration(NEW, limit=77, window=window))
    assert ledger.view("brand", NEW) == (77, ACTIVE, 0)
    assert ledger.view("brandOwner", NEW) == hex_of(address_of(owner_key(NEW)))
    assert ledger.view("brandKey", NEW, address_of(brand_key(NEW))) == window
    assert ledger.view("brandTerms", NEW) == (astuple(TERMS), 1, ledger.chain.timestamp)
    assert (ledger.view("ownerActs", NEW), ledger.view("brandState", NEW)) == (0, ACTIVE)
    owner, key = hex_of(address_of(owner_key(NEW))), hex_of(address_of(brand_key(NEW)))
    assert [(event.name, tuple(event.values.values())) for event in ledger.events(outcome)] == [
        ("BrandRegistered", (NEW, owner, 77)),
        ("BrandOwnerSet", (NEW, hex_of(bytes(20)), owner)),
        ("BrandKeySet", (NEW, key, *window)),
        ("BrandTermsSet", (NEW, 1, astuple(TERMS), ledger.chain.timestamp)),
    ]


def test_an_unknown_brand_is_nobodys(ledger: PointsLedger) -> None:
    assert ledger.view("brand", NEW) == (0, 0, 0)
    assert ledger.view("brandOwner", NEW) == hex_of(bytes(20))
    assert ledger.view("brandState", NEW) == 0
    assert ledger.view("brandTerms", NEW) == ledger.view("announcedTerms", NEW) == ((0,) * 7, 0, 0)


GROCERS_KEY = address_of(brand_key(GROCER))
IMPOSSIBLE: list[tuple[str, tuple[Any, ...], str]] = [
    ("registerBrand", (registration(0),), "BrandIdZero"),
    ("registerBrand", (registration(GROCER),), "BrandKnown"),
    ("registerBrand", (registration(NEW, owner=bytes(20)),), "OwnerZero"),
    ("registerBrand", (registration(NEW, key=bytes(20)),), "KeyZero"),
    ("registerBrand", (registration(NEW, key=address_of(owner_key(NEW))),), "OwnerIsBatchKey"),
    ("registerBrand", (registration(NEW, terms=replace(TERMS, par_points=0)),), "RatioZero"),
    ("registerBrand", (registration(NEW, terms=replace(TERMS, redemption_points=0)),), "RatioZero"),
    ("registerBrand", (registration(NEW, terms=replace(TERMS, fee_basis_points=10_001)),), "TermsOutOfRange"),
    ("registerBrand", (registration(NEW, terms=replace(TERMS, run_off_days=3_651)),), "TermsOutOfRange"),
    ("registerBrand", (registration(NEW, terms=replace(TERMS, notice_days=3_651)),), "TermsOutOfRange"),
    ("setBrandStatus", (NEW, ACTIVE), "BrandUnknown"),
    ("setBrandStatus", (GROCER, 0), "StatusNotSettable"),
    ("setBrandStatus", (GROCER, RUNNING_OFF), "StatusNotSettable"),
    ("setBrandStatus", (GROCER, CLOSED), "StatusNotSettable"),
    ("setBrandStatus", (GROCER, 6), "StatusNotSettable"),
    ("startRunOff", (NEW, 30_000), "BrandUnknown"),
    ("startRunOff", (GROCER, 20_000), "RunOffTooShort"),
    ("setBrandLimit", (NEW, 1), "BrandUnknown"),
    ("setBrandOwner", (NEW, GROCERS_KEY), "BrandUnknown"),
    ("setBrandOwner", (GROCER, bytes(20)), "OwnerZero"),
    ("setBrandOwner", (GROCER, GROCERS_KEY), "OwnerIsBatchKey"),
]


@pytest.mark.parametrize(("function", "arguments", "reason"), IMPOSSIBLE)
def test_an_impossible_change_reverts_with_its_reason(ledger: PointsLedger, function: str, arguments: tuple[Any, ...], reason: str) -> None:
    assert ledger.reverted(ledger.attempt(function, *arguments)) == reason


def test_terms_at_the_edge_of_their_range_are_good(ledger: PointsLedger) -> None:
    terms = replace(TERMS, fee_basis_points=10_000, run_off_days=3_650, notice_days=3_650)
    assert ledger.attempt("registerBrand", registration(NEW, terms=terms)).succeeded


def test_every_change_of_a_brand_is_an_event(ledger: PointsLedger) -> None:
    last_day, successor = today(ledger) + 90, address_of(key_of("successor"))
    acts: list[tuple[str, tuple[Any, ...]]] = [
        ("setBrandStatus", (GROCER, SUSPENDED)),
        ("startRunOff", (GROCER, last_day)),
        ("setBrandLimit", (GROCER, 12)),
        ("setBrandOwner", (GROCER, successor)),
    ]
    seen = [ledger.events(ledger.by_governance(function, *arguments)) for function, arguments in acts]
    assert [(event.name, tuple(event.values.values())) for (event,) in seen] == [
        ("BrandStatusSet", (GROCER, SUSPENDED, 0)),
        ("BrandStatusSet", (GROCER, RUNNING_OFF, last_day)),
        ("BrandLimitSet", (GROCER, 12)),
        ("BrandOwnerSet", (GROCER, hex_of(address_of(owner_key(GROCER))), hex_of(successor))),
    ]
    assert ledger.view("brand", GROCER) == (12, RUNNING_OFF, last_day)
    assert ledger.view("brandOwner", GROCER) == hex_of(successor)
    assert ledger.view("brand", FUEL) == (LIMIT, ACTIVE, 0)


# Batch keys


def test_a_key_signs_inside_its_window_only(ledger: PointsLedger) -> None:
    opens = ledger.now + 100
    ledger.set_key(GROCER, address_of(TILL_KEY), opens, opens + 50)
    ledger.chain.set_time(opens - 1)
    assert ledger.reverted(submit(ledger, 1)) == "BatchKeyNotValid"
    assert ledger.now == opens
    assert submit(ledger, 1).succeeded
    ledger.chain.set_time(opens + 49)
    assert submit(ledger, 2).succeeded
    assert ledger.now == opens + 50
    assert ledger.reverted(submit(ledger, 3)) == "BatchKeyNotValid"


def test_a_brand_has_several_keys_and_a_withdrawn_one_signs_nothing(ledger: PointsLedger) -> None:
    ledger.set_key(GROCER, address_of(TILL_KEY))
    assert submit(ledger, 1).succeeded
    assert submit(ledger, 2, key=None).succeeded, "the first key still signs"
    ledger.set_key(GROCER, address_of(TILL_KEY), 0, 0)
    assert ledger.reverted(submit(ledger, 3)) == "BatchKeyNotValid"
    assert submit(ledger, 3, key=None).succeeded


def test_an_owner_signs_no_batch(ledger: PointsLedger) -> None:
    assert ledger.reverted(submit(ledger, 1, key=owner_key(GROCER))) == "BatchKeyNotValid"


def test_a_key_that_will_be_valid_cannot_own_the_brand_and_one_that_lapsed_can(ledger: PointsLedger) -> None:
    till = address_of(TILL_KEY)
    ledger.set_key(GROCER, till, ledger.now + A_DAY, ledger.now + 2 * A_DAY)
    assert ledger.reverted(ledger.attempt("setBrandOwner", GROCER, till)) == "OwnerIsBatchKey"
    assert ledger.attempt("setBrandOwner", FUEL, till).succeeded, "it is no key of that brand"
    ledger.chain.set_time(ledger.now + 2 * A_DAY)
    assert ledger.attempt("setBrandOwner", GROCER, till).succeeded


# Run-off


def test_a_run_off_is_no_shorter_than_the_terms_that_hold(ledger: PointsLedger) -> None:
    earliest = today(ledger) + TERMS.run_off_days
    assert ledger.reverted(ledger.attempt("startRunOff", GROCER, earliest - 1)) == "RunOffTooShort"
    assert ledger.attempt("startRunOff", GROCER, earliest).succeeded


def test_an_announced_shorter_run_off_shortens_nothing_before_its_time(ledger: PointsLedger) -> None:
    assert ledger.set_brand_terms(GROCER, replace(TERMS, run_off_days=0)).succeeded
    assert ledger.reverted(ledger.attempt("startRunOff", GROCER, today(ledger))) == "RunOffTooShort"
    ledger.chain.set_time(ledger.now + TERMS.notice_days * A_DAY)
    assert ledger.reverted(ledger.attempt("startRunOff", GROCER, today(ledger) - 1)) == "RunOffTooShort"
    assert ledger.attempt("startRunOff", GROCER, today(ledger)).succeeded


def test_a_run_off_is_put_off_but_not_brought_forward(ledger: PointsLedger) -> None:
    last_day = today(ledger) + TERMS.run_off_days
    assert ledger.attempt("startRunOff", GROCER, last_day).succeeded
    ledger.chain.set_time(ledger.now + A_DAY)
    assert ledger.reverted(ledger.attempt("startRunOff", GROCER, last_day - 1)) == "RunOffTooShort"
    assert ledger.attempt("startRunOff", GROCER, last_day + 1).succeeded


def test_a_run_off_closes_the_brand_when_its_last_day_has_ended_and_not_before(ledger: PointsLedger) -> None:
    last_day = today(ledger) + TERMS.run_off_days
    ledger.start_run_off(GROCER, last_day)
    ledger.chain.set_time((last_day + 1) * A_DAY - UTC_OFFSET_SECONDS - 1)
    assert ledger.view("brandState", GROCER) == RUNNING_OFF
    ledger.chain.set_time(ledger.now + 1)
    assert ledger.view("brandState", GROCER) == CLOSED
    assert ledger.reverted(ledger.attempt("startRunOff", GROCER, last_day + 1)) == "RunOffTooShort", "a closed brand puts nothing off"


@pytest.mark.parametrize("status", [ACTIVE, SUSPENDED, IN_DEFAULT])
def test_governance_takes_a_closed_brand_to_another_state(ledger: PointsLedger, status: int) -> None:
    last_day = today(ledger) + TERMS.run_off_days
    ledger.start_run_off(GROCER, last_day)
    ledger.chain.set_time((last_day + 1) * A_DAY)
    ledger.set_status(GROCER, status)
    assert ledger.view("brand", GROCER) == (LIMIT, status, 0)
    assert ledger.view("brandState", GROCER) == status


def test_an_owner_vetoes_its_own_replacement_and_nothing_else(ledger: PointsLedger) -> None:
    governance = ledger.governance
    replaced, limited = (ledger.act(("setBrandOwner", (GROCER, address_of(key_of("x"))))), ledger.act(("setBrandLimit", (GROCER, 5))))
    for act in (replaced, limited):
        assert governance.propose(act).succeeded
    assert governance.reverted(governance.veto(replaced, owner_key(FUEL))) == "NotBrandOwner"
    assert governance.reverted(governance.veto(limited, owner_key(GROCER))) == "NotAnOwnerReplacement"
    assert governance.veto(replaced, owner_key(GROCER)).succeeded
    assert governance.reverted(governance.execute(replaced, [])) == "TimelockUnexpectedOperationState"
    assert ledger.view("brandOwner", GROCER) == hex_of(address_of(owner_key(GROCER)))
