"""Packing what touches two members: neither spends at another brand in the same round, and whoever consents must not be in doubt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account

from gateway.ledger.consents import NO_ORDER, ConsentTerms, TransferTerms, consent_digest, lines_hash, transfer_digest
from gateway.ledger.entries import MEMBER_GRANT, ConsentProof, Redeem, Transfer
from gateway.ledger.lots import Line, lot_id
from gateway.ledger.member_acts import grant_to_member
from gateway.ledger.model import LedgerModel
from gateway.ledger.state import GrantRecord
from gateway.rounds.entry_building import RoundView
from gateway.rounds.lot_operation import TransferOperation
from gateway.rounds.operation import RedeemOperation, WaitingEntry
from gateway.rounds.packing import pack_round
from gateway.values.points import Points
from tests.gateway.rounds.test_packing import DOMAIN, KEY, LATER, MEMBER, NOW, OTHER, entries, ledger, numbered, redeem, refusals


def transfer(brand_id: int, points: int) -> WaitingEntry:
    """MEMBER's points of brand 1 to OTHER."""
    sequence, operation_id, _ = numbered("transfer")
    lines = (Line(1, LATER, Points(points)),)
    digest = transfer_digest(DOMAIN, TransferTerms(MEMBER, OTHER, lines_hash(lines), sequence, NOW + 600))
    proof = ConsentProof(1, bytes(Account.unsafe_sign_hash(digest, KEY.key).signature))
    terms = digest, lines, sequence, NOW + 600
    return WaitingEntry(sequence, TransferOperation(operation_id, brand_id, MEMBER, OTHER, *terms, proof, proof))


def pooled(brand_id: int, points: int) -> WaitingEntry:
    """OTHER spends MEMBER's points under her grant."""
    waiting = redeem(brand_id, MEMBER, points)
    asked = waiting.operation
    assert isinstance(asked, RedeemOperation)
    terms = ConsentTerms(MEMBER, OTHER, brand_id, points, points, NO_ORDER, asked.reference, 1, NOW + 3_600)
    digest = consent_digest(DOMAIN, terms)
    proof = OTHER + b"\1" + bytes(Account.unsafe_sign_hash(digest, KEY.key).signature)
    return WaitingEntry(waiting.sequence, replace(asked, reservation_id=digest, proof_kind=MEMBER_GRANT, proof=proof))


@pytest.fixture
def model() -> LedgerModel:
    made = ledger({(MEMBER, lot_id(1, LATER)): 100, (OTHER, lot_id(2, LATER)): 100})
    made.state.members[MEMBER].grants[grant_to_member(OTHER)] = GrantRecord(50, 50, 90, NOW + 600)
    return made


def test_a_transfer_is_packed_as_both_have_signed_it(model: LedgerModel) -> None:
    asked = transfer(2, 30)
    (entry,) = entries(pack_round([asked], model, RoundView(NOW)))
    assert isinstance(entry, Transfer)
    assert (entry.giver, entry.taker, entry.lines) == (MEMBER, OTHER, (Line(1, LATER, Points(30)),))
    assert model.state.held[OTHER, lot_id(1, LATER)] == 30


@pytest.mark.parametrize("member", [MEMBER, OTHER], ids=["giver", "taker"])
def test_neither_side_of_a_transfer_spends_at_another_brand_in_its_round(model: LedgerModel, member: object) -> None:
    packed = pack_round([transfer(2, 30), redeem(3, member, 10)], model, RoundView(NOW))  # type: ignore[arg-type]
    assert ([batch.brand_id for batch in packed.batches], packed.deferred) == ([2], 1)
    backwards = pack_round([redeem(3, member, 10), transfer(2, 30)], model, RoundView(NOW))  # type: ignore[arg-type]
    assert ([batch.brand_id for batch in backwards.batches], backwards.deferred) == ([3], 1)


def test_the_taker_spends_what_came_at_the_brand_that_carried_it(model: LedgerModel) -> None:
    packed = pack_round([transfer(2, 30), redeem(2, OTHER, 130)], model, RoundView(NOW))
    assert ([len(batch.packed) for batch in packed.batches], packed.deferred) == ([2], 0)


def test_points_of_another_member_are_spent_under_her_grant(model: LedgerModel) -> None:
    packed = pack_round([pooled(2, 50), pooled(2, 41)], model, RoundView(NOW))
    (entry,) = entries(packed)
    assert isinstance(entry, Redeem)
    assert (entry.member, entry.proof.kind, entry.proof.proof[:20]) == (MEMBER, MEMBER_GRANT, OTHER)
    assert [reason for _, reason in refusals(packed)] == ["GrantExceeded"]


@pytest.mark.parametrize("operation", [pooled, transfer])
def test_what_needs_the_consent_of_a_member_in_doubt_waits(model: LedgerModel, operation: object) -> None:
    packed = pack_round([operation(2, 10)], model, RoundView(NOW, blocked_members=frozenset({OTHER})))  # type: ignore[operator]
    assert (packed.batches, packed.deferred) == ([], 1)


def test_a_spender_who_spends_her_own_elsewhere_needs_no_other_round(model: LedgerModel) -> None:
    packed = pack_round([pooled(2, 10), redeem(3, OTHER, 10)], model, RoundView(NOW))
    assert ([batch.brand_id for batch in packed.batches], packed.deferred) == ([2, 3], 0)


def test_a_transfer_of_what_is_gone_by_then_is_refused(model: LedgerModel) -> None:
    packed = pack_round([redeem(2, MEMBER, 80), transfer(2, 30)], model, RoundView(NOW))
    assert [reason for _, reason in refusals(packed)] == ["NotEnoughPoints"]
