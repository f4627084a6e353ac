"""Operator and brand collude, or their software errs: the ledger takes it, the audit names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from eth_hash.auto import keccak
from sqlalchemy import delete

from gateway.access.tables import ApiKeyRow
from gateway.audit.case import open_case
from gateway.audit.evidence import ChainEvidence, Evidence, HeldPoints
from gateway.audit.gather_chain import gather_chain
from gateway.audit.gather_store import gather_store
from gateway.audit.invariants import check
from gateway.audit.ledger_events import ActApproved, ActExecuted, BatchRecorded, ExposureSet, OwnerActed
from gateway.audit.run import audit
from gateway.audit.settlement_events import PairPaid
from gateway.brands.tables import BrandDocumentRow
from gateway.ledger.brand_documents import BrandDocument
from gateway.ledger.brand_states import BrandState
from gateway.ledger.entries import Authorize, Capture, Redeem
from gateway.ledger.lots import Line
from gateway.ledger.signing import Domain
from gateway.store.session import Database
from gateway.values.ids import Address, Hash, LotId, MemberId
from tests.builders.databases import url_of
from tests.gateway.audit.live_ledger import DAY, FUEL, GROCER, JANUARY, JUNE, MARCH, START, LiveLedger, address_of, key_of, sign


def audited(ledger: LiveLedger) -> dict[int, tuple[str, ...]]:
    report = audit(ledger.database, ledger.chain, lambda: START)
    return {verdict.number: verdict.findings for verdict in report.verdicts if not verdict.holds}


def test_a_payment_that_earns_in_two_batches_breaks_invariants_3_and_5(fresh: LiveLedger) -> None:
    fresh.submit(GROCER, fresh.issue(GROCER, "ben", "payment 2", 100, MARCH), stored=False)
    failed = audited(fresh)
    assert set(failed) == {3, 5}
    assert "earned 2 times by the ledger (batch 1 entry 1, batch 2 entry 0)" in failed[3][0]
    assert "written past this gateway" in failed[5][0]


def test_one_refund_clawed_back_twice_breaks_invariant_5(fresh: LiveLedger) -> None:
    clawback = fresh.clawback(GROCER, "anna", "1", (1, 0), Line(GROCER, JANUARY, 10))
    fresh.submit(GROCER, clawback)
    fresh.submit(GROCER, clawback, stored=False)
    failed = audited(fresh)
    assert set(failed) == {5}
    assert any("doubles batch 2, entry 0: the same reference" in each for each in failed[5])


def test_spending_the_later_lot_first_breaks_invariant_9(fresh: LiveLedger) -> None:
    fresh.submit(FUEL, fresh.consented(Redeem, FUEL, "anna", "order 1", [Line(GROCER, MARCH, 10)], START + 7 * DAY))
    failed = audited(fresh)
    assert set(failed) == {9}
    assert f"it had to take 10 of lot {GROCER << 32 | JANUARY}" in failed[9][0]


def test_points_that_the_accepting_brand_lets_itself_be_owed_no_more_of_are_passed_over_and_others_are_not(fresh: LiveLedger) -> None:
    def spend(order: str, *lines: Line) -> None:
        fresh.submit(FUEL, fresh.consented(Redeem, FUEL, "anna", order, lines, START + 7 * DAY))

    fresh.submit(FUEL, fresh.issue(FUEL, "anna", "payment 1", 100, JUNE))
    fresh.expose(FUEL, GROCER, 30, 1)
    spend("order 1", Line(GROCER, JANUARY, 30), Line(FUEL, JUNE, 10))
    spend("order 2", Line(FUEL, JUNE, 10))
    assert audited(fresh) == {}
    fresh.expose(FUEL, GROCER, 45, 2)
    spend("order 3", Line(FUEL, JUNE, 10))  # packed before the owner's act was there
    fresh.expose(FUEL, GROCER, 20, 3)
    spend("order 4", Line(FUEL, JUNE, 10))
    assert audited(fresh) == {}
    fresh.expose(FUEL, GROCER, 45, 4)
    spend("order 5", Line(GROCER, JANUARY, 10))
    assert audited(fresh) == {}
    spend("order 6", Line(FUEL, JUNE, 10))
    failed = audited(fresh)
    assert set(failed) == {9}
    assert f"it had to take 5 of lot {GROCER << 32 | JANUARY}, 5 of lot {FUEL << 32 | JUNE}" in failed[9][0]


def test_lots_of_a_brand_in_default_are_passed_over_and_before_and_after_they_are_not(fresh: LiveLedger) -> None:
    """Anna has the grocer's points in January and March, and the fuel station's in June."""
    fresh.submit(FUEL, fresh.issue(FUEL, "anna", "payment 1", 100, JUNE))
    later = [Line(FUEL, JUNE, 10)]
    fresh.by_governance("setBrandStatus", GROCER, BrandState.IN_DEFAULT)
    fresh.submit(FUEL, fresh.consented(Redeem, FUEL, "anna", "order 1", later, START + 7 * DAY))
    assert audited(fresh) == {}
    fresh.by_governance("setBrandStatus", GROCER, BrandState.ACTIVE)
    fresh.submit(FUEL, fresh.consented(Redeem, FUEL, "anna", "order 2", later, START + 7 * DAY))
    failed = audited(fresh)
    assert set(failed) == {9}
    assert len(failed[9]) == 2, "once by each book"
    assert all("batch 3" in each for each in failed[9])


def test_capturing_the_later_lot_first_breaks_invariant_9(fresh: LiveLedger) -> None:
    lots = [Line(GROCER, JANUARY, 100), Line(GROCER, MARCH, 10)]
    held = fresh.consented(Authorize, FUEL, "anna", "order 1", lots, START + 7 * DAY)
    fresh.submit(FUEL, held)
    parts = (Line(GROCER, JANUARY, 0), Line(GROCER, MARCH, 10))
    fresh.submit(FUEL, Capture(fresh.reservation_of(FUEL, held), fresh.reference(FUEL, "capture", "1"), 10, parts))
    failed = audited(fresh)
    assert set(failed) == {9}
    assert "captures 0 points" in failed[9][0]


def test_a_batch_past_the_gateway_breaks_invariant_5(fresh: LiveLedger) -> None:
    fresh.submit(GROCER, fresh.issue(GROCER, "ben", "payment 7", 5, JANUARY), stored=False)
    failed = audited(fresh)
    assert set(failed) == {5}
    assert "issue at brand 1, batch 2, entry 0 is on the ledger, written past this gateway" in failed[5]


# A node that lies: what it answers is altered on the way in


def lied_to(honest: LiveLedger, database: Database, **changes: object) -> set[int]:
    store = gather_store(database)
    block = max(store.projection["ledger_blocks"])[0]
    chain = replace(gather_chain(honest.chain, store.coalition, block), **changes)  # type: ignore[arg-type]
    return {verdict.number for verdict in check(open_case(Evidence(chain, store, START))) if not verdict.holds}


def evidence_of(honest: LiveLedger) -> ChainEvidence:
    store = gather_store(honest.database)
    return gather_chain(honest.chain, store.coalition, max(store.projection["ledger_blocks"])[0])


def test_points_that_no_entry_gave_break_invariant_1(honest: LiveLedger) -> None:
    holdings: Mapping[tuple[MemberId, LotId], HeldPoints] = evidence_of(honest).holdings
    key, holding = next(iter(holdings.items()))
    assert lied_to(honest, honest.database, holdings={**holdings, key: replace(holding, held=holding.held + 1)}) == {1}


def test_reserved_points_that_no_entry_reserved_break_invariant_7(honest: LiveLedger) -> None:
    holdings = evidence_of(honest).holdings
    key = next(key for key, holding in holdings.items() if holding.held)
    assert lied_to(honest, honest.database, holdings={**holdings, key: replace(holdings[key], reserved=1)}) == {7}


def test_another_owed_figure_in_the_contract_breaks_invariant_8(honest: LiveLedger) -> None:
    owed = evidence_of(honest).owed
    assert lied_to(honest, honest.database, owed={**owed, (FUEL, GROCER): 3}) == {8}


def test_other_figures_of_what_was_settled_break_invariant_8(honest: LiveLedger) -> None:
    chain = evidence_of(honest)
    assert chain.settled[GROCER, FUEL, 1] == 60
    assert lied_to(honest, honest.database, settled={**chain.settled, (GROCER, FUEL, 1): 61}) == {8}
    exposed = {**chain.exposure, (GROCER, FUEL): chain.exposure[GROCER, FUEL] + 60}  # as if nothing had been settled
    assert lied_to(honest, honest.database, exposure=exposed) == {8}
    applied = [each for each in chain.events if not isinstance(each.event, PairPaid)]
    assert lied_to(honest, honest.database, events=applied) == {6, 8}


def test_a_batch_signed_by_another_key_breaks_invariant_2(honest: LiveLedger) -> None:
    batches = evidence_of(honest).batches
    name, batch = next(iter(batches.items()))
    other = next(each.signature for each in batches.values() if each.brand_id != batch.brand_id)
    assert lied_to(honest, honest.database, batches={**batches, name: replace(batch, signature=other)}) == {2}
    assert lied_to(honest, honest.database, batches=dict(batches)) == set()


def test_another_record_of_a_batch_than_its_entries_give_breaks_invariant_2(honest: LiveLedger) -> None:
    recorded = evidence_of(honest).recorded
    name = next(iter(recorded))
    assert lied_to(honest, honest.database, recorded={**recorded, name: Hash(keccak(b"another record"))}) == {2}


def test_another_root_in_the_log_than_that_of_the_entries_breaks_invariant_2(honest: LiveLedger) -> None:
    events = list(evidence_of(honest).events)
    place = next(place for place, each in enumerate(events) if isinstance(each.event, BatchRecorded))
    lie = replace(events[place].event, root=Hash(keccak(b"another root")))  # type: ignore[call-arg]
    events[place] = replace(events[place], event=lie)
    assert lied_to(honest, honest.database, events=events) >= {2}


def test_an_act_executed_without_enough_approvals_breaks_invariant_11(honest: LiveLedger) -> None:
    events = evidence_of(honest).events
    unapproved = [each for each in events if not isinstance(each.event, ActApproved)]
    assert lied_to(honest, honest.database, events=unapproved) == {11}
    early = [replace(each, event=replace(each.event, approved_at=0)) if isinstance(each.event, ActApproved) else each for each in events]
    assert lied_to(honest, honest.database, events=early) == {11}


def test_a_change_by_no_act_and_no_owner_breaks_invariant_11(honest: LiveLedger) -> None:
    events = evidence_of(honest).events
    assert lied_to(honest, honest.database, events=[each for each in events if not isinstance(each.event, ActExecuted)]) == {11}


def test_an_exposure_that_no_owner_signed_breaks_invariant_11(honest: LiveLedger) -> None:
    events = evidence_of(honest).events
    signed = {each.transaction_hash for each in events if isinstance(each.event, ExposureSet)}
    assert signed, "both brands accept each other's points"
    unsigned = [each for each in events if not (isinstance(each.event, OwnerActed) and each.transaction_hash in signed)]
    assert 11 in lied_to(honest, honest.database, events=unsigned)


def test_members_that_go_by_another_verifier_of_passkeys_break_invariant_2(tmp_path: Path) -> None:
    with LiveLedger(tmp_path, verifier="governance") as ledger:
        failed = audited(ledger)
    assert set(failed) == {2}
    assert "the verifier of passkeys at" in failed[2][0]


def test_a_key_that_the_brand_did_not_publish_breaks_invariant_12(honest: LiveLedger, copy: Database) -> None:
    key = address_of(key_of(f"brand {GROCER}"))
    publish(honest, copy, 1, frozenset({key}), key, frozenset())
    assert twelfth(honest, copy) == ()
    with copy.write() as session:
        session.add(ApiKeyRow(key_id="stray", key_hash=Hash(bytes(32)), role="brand", brand_id=GROCER, label="", created_at=START))
    other = address_of(key_of("somebody"))
    publish(honest, copy, 2, frozenset({other}), other, frozenset())
    assert [words in found for words, found in zip(WRONG, twelfth(honest, copy), strict=True)] == [True] * len(WRONG)
    publish(honest, copy, 3, frozenset({key}), key, frozenset({"stray"}), signer="somebody")
    assert twelfth(honest, copy) == (f"the newest document of brand {GROCER} is not what its owner signed",)


def test_a_document_thrown_away_is_missed_by_its_number_and_a_brand_without_one_is_named(honest: LiveLedger, copy: Database) -> None:
    key = address_of(key_of(f"brand {GROCER}"))
    for number in (1, 2):
        publish(honest, copy, number, frozenset({key}), key, frozenset())
    with copy.write() as session:
        session.execute(delete(BrandDocumentRow).where(BrandDocumentRow.number == 1))
    assert twelfth(honest, copy) == (f"the gateway does not have document 1 of brand {GROCER}",)
    with copy.write() as session:
        session.execute(delete(BrandDocumentRow))
    (verdict,) = audit(copy, honest.chain, lambda: START, numbers=(12,)).verdicts
    assert (verdict.findings, verdict.not_yet) == ((), f"no document is at hand of what acts for brand {GROCER}, {FUEL}")


def test_that_no_cycle_is_settled_is_said_only_where_none_is(honest: LiveLedger, fresh: LiveLedger) -> None:
    said = [audit(each.database, each.chain, lambda: START, numbers=(8,)).verdicts[0].not_yet for each in (honest, fresh)]
    assert said == [None, "no cycle is settled yet"]


WRONG = ("signs batches of brand 1, which", "signs nothing on the ledger", "the gateway asks", "the API key stray")


def publish(
    honest: LiveLedger,
    database: Database,
    number: int,
    keys: frozenset[Address],
    agent: Address,
    named: frozenset[str],
    signer: str = "",
) -> None:
    document = BrandDocument(GROCER, number, keys, agent, named)
    domain = Domain(honest.node.chain_id, honest.brands, honest.coalition_id)
    signature = sign(key_of(signer or f"owner {GROCER}"), document.digest(domain))
    with database.write() as session:
        session.add(BrandDocumentRow(brand_id=GROCER, number=number, document=document.text(), signature=signature, received_at=START))


def twelfth(honest: LiveLedger, database: Database) -> tuple[str, ...]:
    report = audit(database, honest.chain, lambda: START, numbers=(12,))
    return report.verdicts[0].findings


def test_the_database_may_be_open_elsewhere_while_it_is_audited(honest: LiveLedger) -> None:
    elsewhere = Database(url_of(honest.database))
    with elsewhere.write():
        assert audited(honest) == {}
    elsewhere.close()


def test_a_refused_entry_of_more_points_than_sql_holds_stops_nothing(fresh: LiveLedger) -> None:
    fresh.submit(GROCER, fresh.issue(GROCER, "ben", "payment 3", 2**64 - 1, JANUARY), stored=False)
    assert set(audited(fresh)) <= {5}, "the projection is the replay's; only the missing operation may be named"
