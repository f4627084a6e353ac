"""The operator's own transactions: members and brands as they end up in the contract and in the projection."""

from __future__ import annotations

from typing import Any

from eth_account import Account
from sqlalchemy import func, select

from gateway.brands.brand import BrandStatus
from gateway.brands.change_brand import set_brand_key, set_brand_limit, set_brand_status, set_brand_terms
from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import business_clock
from gateway.ledger.owner_acts import BrandOwnerAct, SetBrandKey, SetBrandTerms, owner_act_digest
from gateway.ledger.terms import LedgerTerms
from gateway.projection.tables import LedgerAuthorizerRow, LedgerBrandKeyRow, LedgerBrandRow
from gateway.rounds.brand_operation import OwnerSignature
from gateway.rounds.rows import SqlOperations
from gateway.rounds.tables import OperationRow, TransactionRow
from gateway.store.unit_of_work import reading, writing
from gateway.values.ids import Address
from gateway.values.money import Ratio
from tests.builders.coalition import CoalitionBuilder, brand_owner, new_id

FOREVER = 2**40 - 1


def change(coalition: CoalitionBuilder, operation: Any, brand_id: int, *arguments: Any) -> OperationRow:
    operation_id = new_id("change")
    with writing(coalition.database, business_clock()) as work:
        brand = work.of(SqlBrands).find(brand_id)
        operation(brand, *arguments, operations=work.of(SqlOperations), operation_id=operation_id, now=work.now)
    coalition.work_off()
    return coalition.operation(operation_id)


def signed(coalition: CoalitionBuilder, act: BrandOwnerAct) -> OwnerSignature:
    digest = owner_act_digest(coalition.coalition.brands_domain, act)
    return OwnerSignature(act.nonce, act.deadline, bytes(Account.unsafe_sign_hash(digest, brand_owner(act.brand).key).signature))


def ledger_brand(coalition: CoalitionBuilder, brand_id: int) -> LedgerBrandRow:
    with coalition.database.read() as session:
        return session.get_one(LedgerBrandRow, brand_id)


def test_neighboring_enrolments_share_transactions(coalition: CoalitionBuilder) -> None:
    with coalition.database.read() as session:
        before = session.scalar(select(func.count()).select_from(TransactionRow))
    members = [coalition.add_member() for _ in range(205)]
    coalition.work_off()
    with coalition.database.read() as session:
        after = session.scalar(select(func.count()).select_from(TransactionRow))
        enrolled = set(session.scalars(select(LedgerAuthorizerRow.member_id)))
    assert after - before == 3
    assert set(members) <= enrolled


def test_a_brand_is_registered_whole_by_one_act(coalition: CoalitionBuilder) -> None:
    brand = coalition.add_brand(41)
    coalition.work_off()
    row = ledger_brand(coalition, 41)
    assert (row.status, row.owner_address) == ("active", Address.parse(brand_owner(41).address))
    with coalition.database.read() as session:
        keys = session.scalars(select(LedgerBrandKeyRow.key_address).where(LedgerBrandKeyRow.brand_id == 41)).all()
        transactions = session.scalars(select(TransactionRow).where(TransactionRow.purpose == "register_brand")).all()
        executions = session.scalars(select(TransactionRow).where(TransactionRow.purpose == "execute")).all()
        registrations = session.scalar(select(func.count()).where(OperationRow.kind == "register_brand"))
    assert keys == [brand.key_address]
    assert len(transactions) == len(executions) == registrations


def test_limit_terms_status_and_keys_change_on_the_ledger(coalition: CoalitionBuilder) -> None:
    coalition.add_brand(42)
    coalition.work_off()
    key, terms = Address.parse(Account.create().address), LedgerTerms(3, 2, 5, 4, 0, 90, 30)
    changes = [
        change(coalition, set_brand_limit, 42, 500),
        change(coalition, set_brand_terms, 42, terms, signed(coalition, SetBrandTerms(42, terms, 0, FOREVER))),
        change(coalition, set_brand_key, 42, key, 7, None, signed(coalition, SetBrandKey(42, key, 7, FOREVER, False, 1, FOREVER))),
        change(coalition, set_brand_status, 42, BrandStatus.SUSPENDED),
    ]
    assert {row.status for row in changes} == {"confirmed"}
    row = ledger_brand(coalition, 42)
    assert (row.issue_limit, row.status) == (500, "suspended")
    with reading(coalition.database, business_clock()) as work:
        brand = work.of(SqlBrands).find(42)
        assert brand is not None
        assert (brand.par, brand.redemption) == (Ratio(3, 2), Ratio(5, 4))
    with coalition.database.read() as session:
        assert session.get_one(LedgerBrandKeyRow, (42, key)).valid_until == 2**40 - 1


def test_a_withdrawn_key_signs_nothing_more(coalition: CoalitionBuilder) -> None:
    brand = coalition.add_brand(43)
    member = coalition.add_member()
    coalition.work_off()
    withdrawn = signed(coalition, SetBrandKey(43, brand.key_address, 0, 0, False, 0, FOREVER))
    change(coalition, set_brand_key, 43, brand.key_address, 0, 0, withdrawn)
    operation_id = coalition.purchase(43, member)
    coalition.turn_until(lambda: "43" in coalition.worker.health()["silent_signers"])  # type: ignore[operator]
    assert coalition.operation(operation_id).status == "packed"
    change_back = new_id("change")
    with writing(coalition.database, business_clock()) as work:
        found = work.of(SqlBrands).find(43)
        again = signed(coalition, SetBrandKey(43, brand.key_address, 0, FOREVER, False, 1, FOREVER))
        accept = {"operations": work.of(SqlOperations), "operation_id": change_back, "now": work.now}
        set_brand_key(found, brand.key_address, 0, None, again, **accept)  # type: ignore[arg-type]
    coalition.work_off()
    assert coalition.operation(operation_id).status == "confirmed"


def test_what_the_contract_refuses_the_operator_is_refused_with_its_error(coalition: CoalitionBuilder) -> None:
    brand = coalition.add_brand(44)
    with coalition.database.write() as session:
        operation = session.scalars(select(OperationRow).where(OperationRow.kind == "register_brand", OperationRow.brand_id == 44)).one()
        operation.body = operation.body.replace(str(brand.key_address), str(Address(bytes(20))))
        operation_id = operation.operation_id
    coalition.work_off()
    operation = coalition.operation(operation_id)
    assert operation.status == "refused"
    assert operation.reason == "KeyZero"
    with coalition.database.read() as session:
        assert session.get(LedgerBrandRow, 44) is None
