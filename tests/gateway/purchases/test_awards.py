"""A purchase with several awards: each has its own issuer, limit and reference, and what becomes of one leaves the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from eth_hash.auto import keccak
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from gateway.app import make_worker
from gateway.audit.run import audit
from gateway.brand_signer.key import Key
from gateway.brand_signer.register_writer import sale_record
from gateway.brands.brand import Brand
from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import SqlCoalition, business_clock
from gateway.ledger.awards import AwardId, award_reference, clawback_reference
from gateway.ledger.signing import batch_digest, reference
from gateway.loyalty.evaluate import AwardDue, awards_due
from gateway.loyalty.programmes.rows import SqlRules
from gateway.loyalty.rule import EarningRule
from gateway.members.rows import SqlMembers
from gateway.projection.tables import LedgerEntryRow, LedgerMemberLotRow
from gateway.purchases import record_payment_refund as payment_refunds
from gateway.purchases.on_ledger import SqlPurchasesOnLedger
from gateway.purchases.ports import StoredPurchase, StoredRefund
from gateway.purchases.purchase import Purchase
from gateway.purchases.record_payment_refund import PaymentRefund, record_payment_refund
from gateway.purchases.record_purchase import record_purchase
from gateway.purchases.rows import SqlPaymentRefunds, SqlPurchases
from gateway.purchases.tables import AwardClawbackRow, AwardRow, PurchaseLineRow, PurchaseRow
from gateway.purchases.views import find_payment_refund, find_purchase
from gateway.rounds.completion import Completions
from gateway.rounds.rows import SqlOperations
from gateway.rounds.signer_port import Signed, SignerAddress, SigningRequest
from gateway.rounds.tables import OperationRow, ReferenceRow
from gateway.secret_files import read_or_make
from gateway.store.unit_of_work import UnitOfWork, new_operation_id, writing
from gateway.values.errors import LimitExceeded, ReferenceReused, WrongState
from gateway.values.ids import MemberId
from gateway.values.money import AmountMinor
from gateway.values.points import Points
from tests.builders.coalition import CoalitionBuilder, new_id, running_coalition


def with_a_bonus(*issuers: int, points: int = 7) -> Any:
    """What the base rule gives, and a bonus of every one of these issuers."""

    def evaluate(brand_id: int, rule: EarningRule, earn_base_minor: AmountMinor) -> Sequence[AwardDue]:
        bonus = [AwardDue(issuer, Points(points), "bonus", 1, {"earn_base_minor": earn_base_minor}) for issuer in issuers]
        return [*awards_due(brand_id, rule, earn_base_minor), *bonus]

    return evaluate


class TrustingSigners:
    """Signers of brands that know of the bonus: they sign whatever award the gateway packs."""

    def __init__(self, coalition: CoalitionBuilder) -> None:
        self._coalition = coalition

    def sign(self, address: SignerAddress, request: SigningRequest) -> Signed:
        header = request.brand_id, request.number, keccak(request.entries), request.deadline
        digest = batch_digest(self._coalition.coalition.signing_domain, *header)
        return Signed(Key(read_or_make(self._coalition.brands[request.brand_id].folder / "key")).sign(digest))

    def close(self) -> None:
        """Nothing is held open."""


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    """With the reference signers, whose programmes know the base rule alone."""
    with running_coalition(tmp_path_factory.mktemp("coalition"), members=1) as builder:
        yield builder


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    """With signers that know of the bonus."""
    with running_coalition(tmp_path_factory.mktemp("trusting"), brand_ids=(1, 2, 3), members=1) as builder:
        builder.worker.close()
        builder.worker = make_worker(builder.database, builder.chain, Completions(), builder.settings, TrustingSigners(builder))
        builder.worker.open()
        yield builder


def sell(
    coalition: CoalitionBuilder, member: MemberId, payment_id: str, evaluate: Any, gross_minor: int = 10_000, till: bool = False
) -> StoredPurchase:
    """At brand 1."""
    with writing(coalition.database, business_clock()) as work:
        if till:
            at = datetime.fromtimestamp(work.now, UTC)
            coalition.brands[1].till(sale_record(payment_id, str(member), at, gross_minor, 0, 0))
        return _sell(work, member, payment_id, evaluate, gross_minor)


def _sell(work: UnitOfWork, member: MemberId, payment_id: str, evaluate: Any, gross_minor: int) -> StoredPurchase:
    at = datetime.fromtimestamp(work.now, UTC)
    money = AmountMinor(gross_minor), AmountMinor(0), AmountMinor(0)
    brand = work.of(SqlBrands).find(1)
    assert brand is not None
    return record_purchase(
        Purchase(payment_id, member, "store", "till", "USD", *money, at, at.date()),
        brand=brand,
        coalition=work.of(SqlCoalition).facts,
        brands=work.of(SqlBrands),
        rules=work.of(SqlRules),
        members=work.of(SqlMembers),
        purchases=work.of(SqlPurchases),
        operations=work.of(SqlOperations),
        new_id=new_operation_id,
        now=work.now,
        evaluate=evaluate,
    )


def _forget(session: Session, stored: StoredPurchase) -> None:
    """All but what the ledger tells: that the references are used."""
    purchase_id = session.scalars(select(PurchaseRow.purchase_id).where(PurchaseRow.payment_id == stored.payment_id)).one()
    for table in (AwardRow, PurchaseLineRow, PurchaseRow):
        session.execute(delete(table).where(table.purchase_id == purchase_id))
    session.execute(update(ReferenceRow).where(ReferenceRow.operation_id.in_(stored.operation_ids)).values(operation_id=None))
    session.execute(delete(OperationRow).where(OperationRow.operation_id.in_(stored.operation_ids)))


def pay_back(coalition: CoalitionBuilder, payment_id: str, amount_minor: int) -> StoredRefund:
    with writing(coalition.database, business_clock()) as work:
        return _pay_back(work, payment_id, amount_minor)


def _pay_back(work: UnitOfWork, payment_id: str, amount_minor: int) -> StoredRefund:
    at = datetime.fromtimestamp(work.now, UTC)
    brand = work.of(SqlBrands).find(1)
    assert brand is not None
    return record_payment_refund(
        PaymentRefund(new_id("refund"), payment_id, AmountMinor(amount_minor), at, at.date()),
        brand=brand,
        brands=work.of(SqlBrands),
        purchases=work.of(SqlPurchases),
        payment_refunds=work.of(SqlPaymentRefunds),
        operations=work.of(SqlOperations),
        new_id=new_operation_id,
        now=work.now,
    )


def states(coalition: CoalitionBuilder, stored: StoredPurchase) -> list[tuple[str, str | None]]:
    rows = [coalition.operation(operation_id) for operation_id in stored.operation_ids]
    return [(row.status, row.reason) for row in rows]


def held(coalition: CoalitionBuilder, member: MemberId) -> dict[int, int]:
    """Points by issuing brand."""
    with coalition.database.read() as session:
        rows = session.scalars(select(LedgerMemberLotRow).where(LedgerMemberLotRow.member_id == member)).all()
    sums: dict[int, int] = {}
    for row in rows:
        sums[row.lot_id >> 32] = sums.get(row.lot_id >> 32, 0) + row.held
    return sums


def test_references_of_awards_are_numbered_but_for_a_brands_own_first() -> None:
    secret = b"s" * 32
    assert award_reference(secret, AwardId(1, "p", 1, 1)) == reference(secret, "payment", "p")
    others = [
        AwardId(1, "p", 2, 1),
        AwardId(1, "p", 1, 2),
        AwardId(2, "p", 2, 1),
        AwardId(1, "2:p", 2, 1),
        AwardId(1, "p", 22, 1),
    ]
    found = [award_reference(secret, award) for award in others]
    assert len({*found, reference(secret, "payment", "p")}) == len(others) + 1
    assert clawback_reference(secret, AwardId(1, "p", 1, 1), "r") == reference(secret, "refund", "r")
    assert clawback_reference(secret, AwardId(1, "p", 2, 1), "r") != clawback_reference(secret, AwardId(1, "p", 3, 1), "r")


def test_each_award_is_an_issue_of_its_issuer_under_its_own_reference(trusting: CoalitionBuilder) -> None:
    member = trusting.add_member()
    stored = sell(trusting, member, "several", with_a_bonus(2, 1))
    trusting.work_off()
    assert states(trusting, stored) == [("confirmed", None)] * 3
    assert held(trusting, member) == {1: 107, 2: 7}
    with trusting.database.read() as session:
        entries = session.scalars(select(LedgerEntryRow).where(LedgerEntryRow.member_id == member)).all()
        view = find_purchase(session, 1, "several")
    assert {(entry.brand_id, entry.reference) for entry in entries} == {(award.id.issuer_id, award.reference) for award in stored.awards}
    assert (view.points, view.rule_version) == (114, 1)
    assert view.operation is not None
    assert view.operation.operation_id == stored.awards[0].operation_id
    assert [(award.rule, award.why) for award in stored.awards] == [
        ("base", '{"earn_base_minor":10000,"per_minor":100,"points":1}'),
        ("bonus", '{"earn_base_minor":10000}'),
        ("bonus", '{"earn_base_minor":10000}'),
    ]


def test_a_payment_earns_once_however_many_awards_it_has(trusting: CoalitionBuilder) -> None:
    member = trusting.add_member()
    trusting.work_off()
    first = sell(trusting, member, "once", with_a_bonus(2))
    assert sell(trusting, member, "once", with_a_bonus(2, 2, 2)) == first
    with pytest.raises(ReferenceReused):
        sell(trusting, member, "once", with_a_bonus(2), gross_minor=9_999)
    trusting.work_off()
    assert held(trusting, member) == {1: 100, 2: 7}


def test_an_award_above_its_issuers_limit_is_refused_and_leaves_the_others(trusting: CoalitionBuilder) -> None:
    member = trusting.add_member()
    trusting.work_off()
    stored = sell(trusting, member, "above", with_a_bonus(3, points=10**10))
    assert [award.refused for award in stored.awards] == [None, "limit_exceeded"]
    assert len(stored.operation_ids) == 1
    trusting.work_off()
    assert held(trusting, member) == {1: 100}
    refund = pay_back(trusting, "above", 10_000)
    assert [(one.number, one.points_due) for one in refund.clawbacks] == [(1, 100)]


def test_an_award_of_more_points_than_sql_holds_is_refused_and_leaves_the_others(trusting: CoalitionBuilder) -> None:
    member = trusting.add_member()
    trusting.work_off()
    stored = sell(trusting, member, "beyond", with_a_bonus(2, points=10**24))
    assert [(award.refused, award.points) for award in stored.awards] == [(None, 100), ("invalid", 2**63 - 1)]
    trusting.work_off()
    assert held(trusting, member) == {1: 100}


def test_a_payment_earns_once_though_its_first_award_was_refused_and_all_else_is_forgotten(trusting: CoalitionBuilder) -> None:
    """A database that was lost and read again from the ledger knows references alone."""
    member = trusting.add_member()
    trusting.work_off()

    def first_too_much(brand_id: int, rule: EarningRule, earn_base_minor: AmountMinor) -> Sequence[AwardDue]:
        return [AwardDue(1, Points(10**10), "base", 1, {}), AwardDue(2, Points(7), "bonus", 1, {})]

    stored = sell(trusting, member, "forgotten", first_too_much)
    assert [award.refused for award in stored.awards] == ["limit_exceeded", None]
    trusting.work_off()
    with writing(trusting.database, business_clock()) as work, work.session.begin_nested() as lost:
        _forget(work.session, stored)
        with pytest.raises(ReferenceReused, match="earned before"):
            _sell(work, member, "forgotten", with_a_bonus(2), 20_000)
        lost.rollback()
    assert held(trusting, member) == {2: 7}


def test_a_refund_that_one_issuer_cannot_take_back_leaves_no_trace(trusting: CoalitionBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    member = trusting.add_member()
    trusting.work_off()
    sell(trusting, member, "both", with_a_bonus(2))
    trusting.work_off()

    def refuse_the_second(brand: Brand) -> None:
        if brand.brand_id == 2:
            raise WrongState("brand 2 is pending")

    monkeypatch.setattr(payment_refunds, "check_on_ledger", refuse_the_second)
    with writing(trusting.database, business_clock()) as work, pytest.raises(WrongState):  # as a bulk write catches it
        _pay_back(work, "both", 10_000)
    assert trusting.open_operations() == []
    trusting.work_off()
    assert held(trusting, member) == {1: 100, 2: 7}


def test_a_purchase_of_which_nothing_can_be_given_is_refused_and_may_come_again(trusting: CoalitionBuilder) -> None:
    member = trusting.add_member()
    trusting.work_off()

    def too_much(brand_id: int, rule: EarningRule, earn_base_minor: AmountMinor) -> Sequence[AwardDue]:
        return [AwardDue(issuer, Points(10**10), "base", 1, {}) for issuer in (1, 2)]

    with pytest.raises(LimitExceeded):
        sell(trusting, member, "none", too_much)
    assert sell(trusting, member, "none", awards_due).awards[0].points == 100
    trusting.work_off()


def test_an_award_that_its_signer_refuses_leaves_the_others(coalition: CoalitionBuilder) -> None:
    """The real signers, whose programmes know the base rule alone."""
    member = coalition.add_member()
    coalition.work_off()
    stored = sell(coalition, member, "unsigned", with_a_bonus(2, 1), till=True)
    coalition.work_off()
    assert states(coalition, stored) == [
        ("confirmed", None),
        ("refused", "signer_refused: unknown_award"),
        ("refused", "signer_refused: unknown_award"),
    ]
    assert held(coalition, member) == {1: 100}
    refund = pay_back(coalition, "unsigned", 5_000)
    assert [(one.number, one.issuer_id, one.points_due) for one in refund.clawbacks] == [(1, 1, 50)]


def test_a_refund_takes_its_share_of_every_award_from_its_issuer(trusting: CoalitionBuilder) -> None:
    member = trusting.add_member()
    trusting.work_off()
    sell(trusting, member, "back", with_a_bonus(2))
    trusting.work_off()
    parts = [pay_back(trusting, "back", amount) for amount in (3_333, 3_333, 3_334)]
    trusting.work_off()
    assert [[one.points_due for one in part.clawbacks] for part in parts] == [[33, 2], [33, 2], [34, 3]]
    assert held(trusting, member) == {1: 0, 2: 0}
    with trusting.database.read() as session:
        short = session.scalars(select(AwardClawbackRow.points_short).where(AwardClawbackRow.points_due.in_((33, 34)))).all()
        view = find_payment_refund(session, 1, parts[2].refund_id)
    assert set(short) == {0}
    assert (view.points_due, view.points_short) == (37, 0)


def test_expected_points_are_those_of_all_awards(trusting: CoalitionBuilder) -> None:
    member = trusting.add_member()
    trusting.work_off()
    sell(trusting, member, "expected", with_a_bonus(2))
    trusting.work_off()
    pay_back(trusting, "expected", 10_000)
    trusting.work_off()
    with writing(trusting.database, business_clock()) as work:
        found = work.of(SqlPurchasesOnLedger)
        purchase = next(one for one in found.purchases(1) if one.payment_id == "expected")
        refunded = next(one for one in found.refunds(1) if one.payment_id == "expected")
    assert (purchase.points_due, purchase.points_issued, purchase.status) == (107, 107, "confirmed")
    assert (refunded.is_done, refunded.status) == (True, "confirmed")


def test_the_audit_agrees(coalition: CoalitionBuilder, trusting: CoalitionBuilder) -> None:
    for each in (coalition, trusting):
        each.work_off()
        report = audit(each.database, each.chain, lambda each=each: each.now)  # type: ignore[misc]
        assert report.failed == [], [verdict.findings for verdict in report.verdicts]
