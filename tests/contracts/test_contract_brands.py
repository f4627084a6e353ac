"""The brand register on the real contract: keys with windows, status, limit, terms, and who may change them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ledger.entries import Issue, encode_entry, pack_entries
from tests.builders.ledger_chain import Outcome, key_of
from tests.builders.points_ledger import FOREVER, LIMIT, PointsLedger, address_of, member_named

GROCER, FUEL, UNKNOWN = 1, 2, 9
ISSUES = pack_entries([encode_entry(Issue(member_named("bob"), 0, 5, 1, bytes(32)))])
TILL_KEY = key_of("till")
ROLE, SOMEBODY = 7, key_of("stranger")
RESTRICTED: list[tuple[str, tuple[Any, ...]]] = [
    ("registerBrand", (UNKNOWN, 1)),
    ("setBrandStatus", (GROCER, 2)),
    ("setBrandLimit", (GROCER, 5)),
    ("setBrandKey", (GROCER, address_of(TILL_KEY), 0, FOREVER)),
    ("setBrandTerms", (GROCER, (1, 100, 1, 100))),
    ("setVerifier", (3, bytes(19) + b"\x01")),
    ("pause", ()),
    ("unpause", ()),
]


def submit(ledger: PointsLedger, number: int, *, key: Any = TILL_KEY) -> Outcome:
    return ledger.transact("submitBatch", *ledger.signed(GROCER, number, ISSUES, key=key))


def test_a_registered_brand_is_active_with_its_limit(ledger: PointsLedger) -> None:
    assert ledger.view("brand", GROCER) == (0, LIMIT, 1)
    assert ledger.view("brand", UNKNOWN) == (0, 0, 0)
    (event,) = ledger.events(ledger.admin("registerBrand", UNKNOWN, 77))
    assert (event.name, event.values) == ("BrandRegistered", {"brandId": UNKNOWN, "limit": 77})


@pytest.mark.parametrize(
    ("function", "arguments", "reason"),
    [
        ("registerBrand", (0, 1), "BrandIdZero"),
        ("registerBrand", (GROCER, 1), "BrandKnown"),
        ("setBrandStatus", (UNKNOWN, 1), "BrandUnknown"),
        ("setBrandStatus", (GROCER, 0), "StatusUnknown"),
        ("setBrandStatus", (GROCER, 4), "StatusUnknown"),
        ("setBrandLimit", (UNKNOWN, 1), "BrandUnknown"),
        ("setBrandKey", (UNKNOWN, address_of(TILL_KEY), 0, FOREVER), "BrandUnknown"),
        ("setBrandKey", (GROCER, bytes(20), 0, FOREVER), "KeyZero"),
        ("setBrandTerms", (UNKNOWN, (1, 1, 1, 1)), "BrandUnknown"),
        ("setBrandTerms", (GROCER, (1, 0, 1, 1)), "RatioZero"),
        ("setBrandTerms", (GROCER, (1, 1, 1, 0)), "RatioZero"),
    ],
)
def test_an_impossible_change_reverts_with_its_reason(ledger: PointsLedger, function: str, arguments: tuple[Any, ...], reason: str) -> None:
    assert ledger.reverted(ledger.transact(function, *arguments)) == reason


def test_every_change_of_a_brand_is_an_event(ledger: PointsLedger) -> None:
    key = address_of(TILL_KEY)
    seen = [
        ledger.events(ledger.admin(function, *arguments))[0]
        for function, arguments in (
            ("setBrandStatus", (GROCER, 3)),
            ("setBrandLimit", (GROCER, 12)),
            ("setBrandKey", (GROCER, key, 5, 6)),
            ("setBrandTerms", (GROCER, (1, 2, 3, 4))),
        )
    ]
    assert [(event.name, tuple(event.values.values())) for event in seen] == [
        ("BrandStatusSet", (GROCER, 3)),
        ("BrandLimitSet", (GROCER, 12)),
        ("BrandKeySet", (GROCER, "0x" + key.hex(), 5, 6)),
        ("BrandTermsSet", (GROCER, 1, 2, 3, 4)),
    ]
    assert ledger.view("brand", GROCER) == (0, 12, 3)
    assert ledger.view("brandKey", GROCER, key) == (5, 6)
    assert ledger.view("brandTerms", GROCER) == (1, 2, 3, 4)


def test_a_key_signs_inside_its_window_only(ledger: PointsLedger) -> None:
    opens = ledger.now + 100
    ledger.admin("setBrandKey", GROCER, address_of(TILL_KEY), opens, opens + 50)
    ledger.chain.set_time(opens - 1)
    assert ledger.reverted(submit(ledger, 1)) == "BatchKeyNotValid"
    assert ledger.now == opens
    assert submit(ledger, 1).succeeded
    ledger.chain.set_time(opens + 49)
    assert submit(ledger, 2).succeeded
    assert ledger.now == opens + 50
    assert ledger.reverted(submit(ledger, 3)) == "BatchKeyNotValid"


def test_a_brand_has_several_keys_and_a_withdrawn_one_signs_nothing(ledger: PointsLedger) -> None:
    ledger.admin("setBrandKey", GROCER, address_of(TILL_KEY), 0, FOREVER)
    assert submit(ledger, 1).succeeded
    assert submit(ledger, 2, key=None).succeeded, "the first key still signs"
    ledger.admin("setBrandKey", GROCER, address_of(TILL_KEY), 0, 0)
    assert ledger.reverted(submit(ledger, 3)) == "BatchKeyNotValid"
    assert submit(ledger, 3, key=None).succeeded


@pytest.mark.parametrize(("function", "arguments"), RESTRICTED, ids=[name for name, _ in RESTRICTED])
def test_a_powerful_action_needs_its_role(ledger: PointsLedger, function: str, arguments: tuple[Any, ...]) -> None:
    refused = ledger.transact(function, *arguments, sender=SOMEBODY)
    assert ledger.reverted(refused) == "AccessManagedUnauthorized"


def grant(ledger: PointsLedger, function: str, *, delay: int) -> None:
    """Gives SOMEBODY the one role that may call `function`, after a delay."""
    selector = ledger.abi.selector(ledger.abi.functions[function])
    for call in (
        ledger.access.call("setTargetFunctionRole", ledger.address, [selector], ROLE),
        ledger.access.call("grantRole", ROLE, address_of(SOMEBODY), delay),
    ):
        assert ledger.chain.send(ledger.authority, call).succeeded


def test_a_role_opens_its_own_functions_only(ledger: PointsLedger) -> None:
    grant(ledger, "setBrandLimit", delay=0)
    assert ledger.transact("setBrandLimit", GROCER, 5, sender=SOMEBODY).succeeded
    refused = ledger.transact("setBrandStatus", GROCER, 2, sender=SOMEBODY)
    assert ledger.reverted(refused) == "AccessManagedUnauthorized"
    assert ledger.reverted(ledger.transact("setBrandLimit", GROCER, 6)) == "AccessManagedUnauthorized"


def test_a_role_with_a_delay_announces_what_it_will_do(ledger: PointsLedger) -> None:
    grant(ledger, "setBrandLimit", delay=3_600)
    call = ledger.abi.call("setBrandLimit", GROCER, 5)
    schedule = ledger.access.call("schedule", ledger.address, call, 0)
    assert not ledger.chain.send(ledger.address, call, sender=SOMEBODY).succeeded
    assert ledger.chain.send(ledger.authority, schedule, sender=SOMEBODY).succeeded
    assert not ledger.chain.send(ledger.address, call, sender=SOMEBODY).succeeded
    ledger.chain.set_time(ledger.now + 3_600)
    assert ledger.chain.send(ledger.address, call, sender=SOMEBODY).succeeded
    assert ledger.view("brand", GROCER) == (0, 5, 1)
    assert not ledger.chain.send(ledger.address, call, sender=SOMEBODY).succeeded, "an announcement is good once"


def test_an_announced_change_can_be_cancelled_by_the_roles_guardian(ledger: PointsLedger) -> None:
    grant(ledger, "setBrandLimit", delay=3_600)
    call = ledger.abi.call("setBrandLimit", GROCER, 5)
    ledger.chain.send(ledger.authority, ledger.access.call("schedule", ledger.address, call, 0), sender=SOMEBODY)
    cancel = ledger.access.call("cancel", address_of(SOMEBODY), ledger.address, call)
    assert ledger.chain.send(ledger.authority, cancel).succeeded
    ledger.chain.set_time(ledger.now + 3_600)
    assert not ledger.chain.send(ledger.address, call, sender=SOMEBODY).succeeded
    assert ledger.view("brand", GROCER) == (0, LIMIT, 1)
