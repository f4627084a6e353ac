"""Digests and ids: as eth-account computes them, and different wherever anything that counts is different."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from eth_hash.auto import keccak

from gateway.ledger.batches import batch_outcome
from gateway.ledger.consents import (
    ConsentTerms,
    TransferTerms,
    consent_digest,
    consent_typed_data,
    order_hash,
    transfer_digest,
    transfer_typed_data,
)
from gateway.ledger.member_acts import (
    AuthorizerChange,
    DelayedAct,
    Grant,
    MemberAct,
    Recovery,
    RemoveAuthorizer,
    SetGuardian,
    SpendLock,
    Unlock,
    Veto,
    delayed_act,
    delayed_act_arguments,
    grant_to_brand,
    grant_to_member,
    member_act_digest,
    member_act_typed_data,
)
from gateway.ledger.members import authorizer_id, member_id
from gateway.ledger.refusals import REFUSALS, SELECTORS, RefusalReason, refusal_of
from gateway.ledger.signing import (
    Domain,
    batch_digest,
    batch_typed_data,
    reference,
)

DOMAIN = Domain(31_337, b"\x0a" * 20, b"\x0b" * 32)
CONSENT = ConsentTerms(b"\x01" * 20, b"\x08" * 20, 7, 500, 300, b"\x09" * 32, b"\x02" * 32, 9, 1_800_000_000)
TRANSFER = TransferTerms(b"\x01" * 20, b"\x08" * 20, b"\x09" * 32, 9, 1_800_000_000)
BATCH = (7, 12, b"\x03" * 32, 1_800_000_000)
MEMBER = b"\x01" * 20
ACTS = [
    AuthorizerChange(MEMBER, 1, b"\x05" * 20, b"\x06" * 32, 3, 1_800_000_000),
    Grant(MEMBER, grant_to_brand(7), 1_000, 2_000, 3_000, 1_900_000_000, 4, 1_800_000_000),
    Grant(MEMBER, grant_to_member(b"\x02" * 20), 0, 0, 0, 0, 5, 1_800_000_000),
    SpendLock(MEMBER, 1, 1_800_000_000),
    Unlock(MEMBER, 1, 1_800_000_000),
    RemoveAuthorizer(MEMBER, 1, b"\x05" * 20, 1, 1_800_000_000),
    SetGuardian(MEMBER, 3, b"\x05" * 120, 1, 1_800_000_000),
    Recovery(MEMBER, 3, b"\x05" * 120, 1, 1_800_000_000),
    Veto(MEMBER, b"\x06" * 32),
]


def by_eth_account(typed: dict[str, Any]) -> bytes:
    return bytes(_hash_eip191_message(encode_typed_data(full_message=typed)))


def test_wallets_sign_what_the_contract_checks() -> None:
    assert by_eth_account(consent_typed_data(DOMAIN, CONSENT)) == consent_digest(DOMAIN, CONSENT)
    assert by_eth_account(transfer_typed_data(DOMAIN, TRANSFER)) == transfer_digest(DOMAIN, TRANSFER)
    assert by_eth_account(batch_typed_data(DOMAIN, *BATCH)) == batch_digest(DOMAIN, *BATCH)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: type(act).__name__)
def test_wallets_sign_members_acts_as_the_contract_checks_them(act: MemberAct) -> None:
    assert by_eth_account(member_act_typed_data(DOMAIN, act)) == member_act_digest(DOMAIN, act)


def test_no_two_acts_have_the_same_digest() -> None:
    assert len({member_act_digest(DOMAIN, act) for act in ACTS}) == len(ACTS)


@pytest.mark.parametrize("act", [each for each in ACTS if isinstance(each, DelayedAct)], ids=lambda act: type(act).__name__)
def test_a_delayed_act_is_read_back_from_the_contracts_arguments(act: DelayedAct) -> None:
    assert delayed_act(*delayed_act_arguments(act)) == act


@pytest.mark.parametrize(
    "other", [Domain(1, b"\x0a" * 20, b"\x0b" * 32), Domain(31_337, b"\x0c" * 20, b"\x0b" * 32), Domain(31_337, b"\x0a" * 20, bytes(32))]
)
def test_a_digest_is_for_one_ledger_only(other: Domain) -> None:
    assert consent_digest(other, CONSENT) != consent_digest(DOMAIN, CONSENT)
    assert transfer_digest(other, TRANSFER) != transfer_digest(DOMAIN, TRANSFER)
    assert batch_digest(other, *BATCH) != batch_digest(DOMAIN, *BATCH)


def test_a_member_id_commits_to_coalition_kind_authorizer_and_salt() -> None:
    ids = {
        member_id(b"\x01" * 32, 1, b"\x02" * 20, bytes(32)),
        member_id(b"\x03" * 32, 1, b"\x02" * 20, bytes(32)),
        member_id(b"\x01" * 32, 2, b"\x02" * 20, bytes(32)),
        member_id(b"\x01" * 32, 1, b"\x04" * 20, bytes(32)),
        member_id(b"\x01" * 32, 1, b"\x02" * 20, b"\x01" * 32),
    }
    assert len(ids) == 5
    assert authorizer_id(1, b"\x02" * 20) == keccak(b"\x01" + b"\x02" * 20)
    with pytest.raises(ValueError, match="20-byte"):
        member_id(b"\x01" * 32, 1, b"\x02" * 19, bytes(32))


def test_a_reference_depends_on_secret_prefix_and_id() -> None:
    made = {reference(b"secret", "payment", "a"), reference(b"other", "payment", "a"), reference(b"secret", "order", "a")}
    assert len(made | {reference(b"secret", "payment", "b")}) == 4
    assert reference(b"secret", "payment", "a") in made


def test_an_outcome_counts_and_hashes_the_refusals() -> None:
    selector = SELECTORS[RefusalReason.ZERO_POINTS]
    outcome = batch_outcome(5, [(3, selector)])
    assert outcome == (5).to_bytes(4) + (1).to_bytes(4) + keccak((3).to_bytes(4) + selector)[:24]
    assert batch_outcome(0, []) == bytes(8) + keccak(b"")[:24]


def test_every_reason_has_its_own_selector_and_name() -> None:
    assert len(REFUSALS) == len(RefusalReason)
    assert refusal_of(keccak(b"ZeroPoints()")[:4]) is RefusalReason.ZERO_POINTS
    with pytest.raises(KeyError):
        refusal_of(b"\0\0\0\0")


def test_an_orders_hash_is_that_of_its_canonical_json() -> None:
    order = {"b": [1, "Ō\n", None], "a": {"z": True, "y": -2}}
    assert order_hash(order) == keccak('{"a":{"y":-2,"z":true},"b":[1,"Ō\\n",null]}'.encode())
    assert order_hash({"a": order["a"], "b": order["b"]}) == order_hash(order)


@pytest.mark.parametrize("order", [{"a": 1.5}, {"a": 2**53}, {"é": 1}, {1: 1}, {"a": b"x"}, {"a": [{"b": 0.0}]}])
def test_what_has_no_canonical_json_is_no_order(order: dict[Any, Any]) -> None:
    with pytest.raises(ValueError, match="order"):
        order_hash(order)
