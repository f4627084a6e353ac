"""What a brand's owner does by signature, whoever relays it: batch keys, terms, another owner. Nobody else does any of it."""

from __future__ import annotations

from dataclasses import astuple, replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_keys import keys
from eth_utils import keccak

from gateway.ledger.brand_states import BrandState
from gateway.ledger.entries import Issue
from gateway.ledger.owner_acts import (
    BrandOwnerAct,
    HandOver,
    SetBrandKey,
    SetBrandTerms,
    SetExposure,
    owner_act_digest,
    owner_act_typed_data,
)
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.signing import Domain
from gateway.values.ids import Address, MemberId, Reference
from tests.builders.governance_acts import GUARDIAN
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import CHAIN_ID, key_of
from tests.builders.points_ledger import COALITION_ID, FOREVER, TERMS, PointsLedger, address_of, brand_key, owner_key, signature

GROCER, FUEL, UNKNOWN = 1, 2, 9
ACTIVE, SUSPENDED, IN_DEFAULT = BrandState.ACTIVE, BrandState.SUSPENDED, BrandState.IN_DEFAULT
OWNER, SUCCESSOR, TILL_KEY = owner_key(GROCER), key_of("successor"), key_of("till")
SET_KEY = SetBrandKey(GROCER, Address(address_of(TILL_KEY)), 5, FOREVER, True, 0, FOREVER)
SET_TERMS = SetBrandTerms(GROCER, replace(TERMS, par_minor=2), 0, FOREVER)
SET_EXPOSURE = SetExposure(GROCER, FUEL, 7, 0, FOREVER)
HAND_OVER = HandOver(GROCER, Address(address_of(SUCCESSOR)), False, 0, FOREVER)
ACTS: list[BrandOwnerAct] = [SET_KEY, SET_TERMS, SET_EXPOSURE, HAND_OVER]
each_act = pytest.mark.parametrize("act", ACTS, ids=lambda act: type(act).__name__)


@pytest.fixture
def ledger() -> PointsLedger:
    """Whose owners have not acted yet."""
    return PointsLedger((GROCER, FUEL), exposed=False)


def signers(act: BrandOwnerAct, first: keys.PrivateKey = OWNER) -> list[keys.PrivateKey]:
    return [first, SUCCESSOR] if isinstance(act, HandOver) else [first]


def hex_of(address: bytes) -> str:
    return "0x" + address.hex()


@each_act
def test_an_act_of_the_owner_is_good_once_and_counts(ledger: PointsLedger, act: BrandOwnerAct) -> None:
    outcome = ledger.owner_act(act, *signers(act))
    assert outcome.succeeded, ledger.reverted(outcome)
    counted, done = ledger.events(outcome)
    assert (counted.name, counted.values) == ("OwnerActed", {"brandId": GROCER, "nonce": 0})
    assert done.name in ("BrandKeySet", "BrandTermsSet", "BrandOwnerSet", "ExposureSet")
    assert ledger.view("ownerActs", GROCER) == 1
    assert ledger.reverted(ledger.owner_act(act, *signers(act))) == "OwnerActOutOfTurn"


def test_each_act_does_what_it_says(ledger: PointsLedger) -> None:
    assert ledger.owner_act(SET_KEY).succeeded
    assert ledger.view("brandKey", GROCER, SET_KEY.key) == (5, FOREVER, True)
    assert ledger.owner_act(replace(SET_TERMS, nonce=1)).succeeded
    assert ledger.view("brandTerms", GROCER)[0] == astuple(SET_TERMS.terms)
    assert ledger.owner_act(replace(SET_EXPOSURE, nonce=2)).succeeded
    assert ledger.view("exposureLimit", GROCER, FUEL) == 7
    assert ledger.owner_act(replace(HAND_OVER, nonce=3), OWNER, SUCCESSOR).succeeded
    assert ledger.view("brandOwner", GROCER) == hex_of(address_of(SUCCESSOR))


@each_act
@pytest.mark.parametrize(
    "signer",
    [key_of("operator"), GUARDIAN, owner_key(FUEL), brand_key(GROCER), SUCCESSOR],
    ids=["operator", "guardian", "another brand's owner", "batch key", "successor"],
)
def test_nobody_else_acts_for_the_owner(ledger: PointsLedger, act: BrandOwnerAct, signer: keys.PrivateKey) -> None:
    assert ledger.reverted(ledger.owner_act(act, *signers(act, signer))) == "NotSignedBy"
    assert ledger.view("ownerActs", GROCER) == 0


@each_act
def test_an_act_holds_for_its_brand_turn_and_time(ledger: PointsLedger, act: BrandOwnerAct) -> None:
    for altered, reason in [
        (replace(act, brand=UNKNOWN), "BrandUnknown"),
        (replace(act, nonce=1), "OwnerActOutOfTurn"),
        (replace(act, deadline=ledger.now - 1), "OwnerActExpired"),
    ]:
        assert ledger.reverted(ledger.owner_act(altered, *signers(altered))) == reason
    assert ledger.owner_act(replace(act, deadline=ledger.now), *signers(act)).succeeded


@each_act
def test_an_act_signed_for_another_ledger_is_not_signed(ledger: PointsLedger, act: BrandOwnerAct) -> None:
    own = ledger.brands_domain
    for domain in (Domain(CHAIN_ID + 1, own.verifying_contract, COALITION_ID), replace(own, coalition_id=keccak(text="another"))):
        ledger.brands_domain = domain
        assert ledger.reverted(ledger.owner_act(act, *signers(act))) == "NotSignedBy"
    ledger.brands_domain = own
    assert ledger.owner_act(act, *signers(act)).succeeded


def test_a_signature_covers_every_field(ledger: PointsLedger) -> None:
    signed = signature(OWNER, owner_act_digest(ledger.brands_domain, SET_KEY))
    for window in ((6, FOREVER, True), (5, FOREVER - 1, True), (5, FOREVER, False)):
        outcome = ledger.relayed("setBrandKey", GROCER, SET_KEY.key, window, (0, FOREVER, signed))
        assert ledger.reverted(outcome) == "NotSignedBy"
    other = ledger.relayed("setBrandKey", GROCER, address_of(SUCCESSOR), (5, FOREVER, True), (0, FOREVER, signed))
    assert ledger.reverted(other) == "NotSignedBy"
    signed = signature(OWNER, owner_act_digest(ledger.brands_domain, SET_TERMS))
    for place in range(7):
        terms = tuple(value + (index == place) for index, value in enumerate(astuple(SET_TERMS.terms)))
        assert ledger.reverted(ledger.relayed("setBrandTerms", GROCER, terms, (0, FOREVER, signed))) == "NotSignedBy"
    signed = signature(OWNER, owner_act_digest(ledger.brands_domain, SET_EXPOSURE))
    for altered in ((FUEL, 8), (FUEL + 1, 7)):
        assert ledger.reverted(ledger.relayed("setExposure", GROCER, *altered, (0, FOREVER, signed))) == "NotSignedBy"
    first, second = (signature(key, owner_act_digest(ledger.brands_domain, HAND_OVER)) for key in (OWNER, SUCCESSOR))
    for to in ((HAND_OVER.owner, True), (Address(address_of(TILL_KEY)), False)):
        assert ledger.reverted(ledger.relayed("handOver", GROCER, *to, (0, FOREVER, first), second)) == "NotSignedBy"


def test_a_signature_of_no_good_form_is_nobodys(ledger: PointsLedger) -> None:
    for bad in (b"", bytes(65), signature(OWNER, owner_act_digest(ledger.brands_domain, SET_KEY))[:64]):
        outcome = ledger.relayed("setBrandKey", GROCER, SET_KEY.key, (5, FOREVER, True), (0, FOREVER, bad))
        assert ledger.reverted(outcome) == "NotSignedBy"


def test_a_brand_is_handed_over_by_both_or_not_at_all(ledger: PointsLedger) -> None:
    assert ledger.reverted(ledger.owner_act(HAND_OVER, OWNER, OWNER)) == "NotSignedBy"
    assert ledger.reverted(ledger.owner_act(HAND_OVER, SUCCESSOR, SUCCESSOR)) == "NotSignedBy"
    assert ledger.owner_act(HAND_OVER, OWNER, SUCCESSOR).succeeded
    assert ledger.reverted(ledger.owner_act(replace(SET_KEY, nonce=1))) == "NotSignedBy"
    assert ledger.owner_act(replace(SET_KEY, nonce=1), SUCCESSOR).succeeded


def test_after_a_succession_the_brand_issues_no_more(ledger: PointsLedger) -> None:
    """By whichever key, for good: an act of governance makes it not active again, but names the last day of its run-off."""
    ann = MemberId(ledger.enroll("ann"))
    issue = Issue(ann, 0, 10, BASIS, Reference(bytes(32)))
    assert ledger.submit(GROCER, [issue]) == []
    outcome = ledger.owner_act(replace(HAND_OVER, issues_no_more=True), OWNER, SUCCESSOR)
    assert [(event.name, event.values.get("status")) for event in ledger.events(outcome)] == [
        ("OwnerActed", None),
        ("BrandOwnerSet", None),
        ("IssuingEnded", None),
        ("BrandStatusSet", SUSPENDED),
    ]
    assert ledger.view("issuesNoMore", GROCER)
    assert not ledger.view("issuesNoMore", FUEL)
    ledger.model.set_brand_status(GROCER, BrandState.SUSPENDED)
    assert ledger.submit(GROCER, [issue]) == [(0, RefusalReason.BRAND_NOT_ACTIVE)]
    assert ledger.reverted(ledger.attempt("setBrandStatus", GROCER, ACTIVE)) == "BrandIssuesNoMore"
    for status in (SUSPENDED, IN_DEFAULT):
        assert ledger.attempt("setBrandStatus", GROCER, status).succeeded
    assert ledger.attempt("setBrandStatus", FUEL, ACTIVE).succeeded


@pytest.mark.parametrize("status", [SUSPENDED, IN_DEFAULT])
def test_a_succession_of_a_brand_that_is_not_active_leaves_its_state(ledger: PointsLedger, status: int) -> None:
    assert ledger.attempt("setBrandStatus", GROCER, status).succeeded
    assert ledger.owner_act(replace(HAND_OVER, issues_no_more=True), OWNER, SUCCESSOR).succeeded
    assert ledger.view("brand", GROCER)[1] == status
    assert ledger.reverted(ledger.attempt("setBrandStatus", GROCER, ACTIVE)) == "BrandIssuesNoMore"


def test_a_change_of_the_owners_key_leaves_the_brand_active(ledger: PointsLedger) -> None:
    assert ledger.owner_act(HAND_OVER, OWNER, SUCCESSOR).succeeded
    assert (ledger.view("brand", GROCER)[1], ledger.view("issuesNoMore", GROCER)) == (ACTIVE, False)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (replace(SET_KEY, key=Address(bytes(20))), "KeyZero"),
        (replace(SET_KEY, key=Address(address_of(OWNER))), "OwnerIsBatchKey"),
        (replace(SET_TERMS, terms=replace(TERMS, par_points=0)), "RatioZero"),
        (replace(SET_TERMS, terms=replace(TERMS, fee_basis_points=10_001)), "TermsOutOfRange"),
        (replace(HAND_OVER, owner=Address(bytes(20))), "OwnerZero"),
        (replace(HAND_OVER, owner=Address(address_of(brand_key(GROCER)))), "OwnerIsBatchKey"),
    ],
)
def test_an_owner_does_nothing_impossible(ledger: PointsLedger, act: BrandOwnerAct, reason: str) -> None:
    assert ledger.reverted(ledger.owner_act(act, *signers(act))) == reason


@pytest.mark.parametrize("status", [2, 5])
def test_an_owner_acts_in_every_state_and_during_a_pause(ledger: PointsLedger, status: int) -> None:
    ledger.set_status(GROCER, status)
    assert ledger.chain.send(address_of(GUARDIAN), b"", value=10**18).succeeded
    ledger.sent("pause", sender=GUARDIAN)
    assert ledger.owner_act(SET_KEY).succeeded


def test_an_owner_whom_governance_replaced_does_nothing_more(ledger: PointsLedger) -> None:
    ledger.by_governance("setBrandOwner", GROCER, address_of(SUCCESSOR))
    assert ledger.reverted(ledger.owner_act(SET_KEY)) == "NotSignedBy"
    assert ledger.owner_act(SET_KEY, SUCCESSOR).succeeded


@each_act
def test_a_wallet_signs_the_same_act(ledger: PointsLedger, act: BrandOwnerAct) -> None:
    asked = encode_typed_data(full_message=owner_act_typed_data(ledger.brands_domain, act))
    signed = Account.sign_message(asked, OWNER.to_bytes())
    assert bytes(signed.signature) == signature(OWNER, owner_act_digest(ledger.brands_domain, act))
