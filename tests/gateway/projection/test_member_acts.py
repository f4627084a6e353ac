"""What members do is projected as the register has it: by the gateway's own operations, on the real contracts."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from sqlalchemy import select

from gateway.chain.artifacts import members
from gateway.coalition.rows import SqlCoalition, business_clock
from gateway.ledger.member_acts import (
    AuthorizerChange,
    DelayedAct,
    Grant,
    MemberAct,
    Recovery,
    SetGuardian,
    SpendLock,
    Unlock,
    Veto,
    grant_to_brand,
    member_act_digest,
)
from gateway.ledger.members import authorizer_id
from gateway.members.act_for_member import execute_act, relay_act
from gateway.members.views import member_record, member_standing
from gateway.projection.member_tables import LedgerPendingActRow
from gateway.rounds.rows import SqlOperations
from gateway.store.unit_of_work import writing
from gateway.values.errors import MemberLocked
from gateway.values.ids import Hash, MemberId
from tests.builders.coalition import CoalitionBuilder, new_id
from tests.builders.projection_rows import projection_rows

FOREVER = 2**40 - 1


class Acting:
    """One member of a running coalition, without a delay."""

    def __init__(self, coalition: CoalitionBuilder) -> None:
        self.coalition = coalition
        self.member = coalition.add_member()
        coalition.work_off()

    def relay(self, act: MemberAct, key: Any = None) -> str:
        """How the operation ends."""
        digest = member_act_digest(self.coalition.coalition.members_domain, act)
        proof = bytes(Account.unsafe_sign_hash(digest, (key or self.coalition.member_keys[self.member]).key).signature)
        operation_id = new_id("act")
        with writing(self.coalition.database, business_clock()) as work:
            facts, record = work.of(SqlCoalition).facts, member_record(work.session, self.member)
            relay_act(act, 1, proof, record, coalition=facts, operations=work.of(SqlOperations), operation_id=operation_id, now=work.now)
        self.coalition.work_off()
        return self.coalition.operation(operation_id).status

    def execute(self, act: DelayedAct) -> str:
        operation_id, act_id = new_id("execution"), member_act_digest(self.coalition.coalition.members_domain, act)
        with writing(self.coalition.database, business_clock()) as work:
            facts, record = work.of(SqlCoalition).facts, member_record(work.session, self.member)
            operations = work.of(SqlOperations)
            execute_act(act_id, self.member, record, coalition=facts, operations=operations, operation_id=operation_id, now=work.now)
        self.coalition.work_off()
        return self.coalition.operation(operation_id).status

    def ask(self, function: str, *arguments: Any) -> Any:
        """The register itself."""
        data = members().call(function, *arguments)
        (answer,) = members().returned(function, self.coalition.chain.eth_call(self.coalition.coalition.members_address, data))
        return answer

    def assert_projected(self) -> None:
        with self.coalition.database.read() as session:
            record = member_record(session, self.member)
            standing = member_standing(session, self.member, 0, self.coalition.now)
        assert record.acts == standing.acts == self.ask("memberActs", self.member)
        assert record.turn == self.ask("memberTurn", self.member)
        assert record.is_locked == standing.is_locked == self.ask("isLocked", self.member)
        assert (record.guardian or bytes(32)) == self.ask("guardianOf", self.member)
        assert all(self.ask("isAuthorizer", self.member, each) for each in record.authorizers)


def test_acts_are_relayed_and_projected_as_the_register_has_them(coalition: CoalitionBuilder) -> None:
    acting = Acting(coalition)
    member, key = acting.member, coalition.member_keys[acting.member]
    phone, guardian, new = Account.create(), Account.create(), Account.create()
    named = {each: bytes.fromhex(each.address[2:]) for each in (phone, guardian, new)}
    assert acting.relay(AuthorizerChange(member, 1, named[phone], Hash(bytes(32)), 0, FOREVER)) == "confirmed"
    assert acting.relay(Grant(member, grant_to_brand(2), 2**63, 20, 30, FOREVER, 1, FOREVER)) == "confirmed"
    assert acting.relay(SetGuardian(member, 1, named[guardian], 2, FOREVER)) == "confirmed"
    acting.assert_projected()
    coalition.purchase(1, member, 10_000)
    coalition.work_off()

    assert acting.relay(SpendLock(member, 1, FOREVER), phone) == "confirmed"
    with pytest.raises(MemberLocked):
        coalition.redeem(2, member, 10)

    first, second = Unlock(member, 3, FOREVER), Unlock(member, 4, FOREVER)
    assert [acting.relay(each) for each in (first, second)] == ["confirmed", "confirmed"]
    acting.assert_projected()
    assert acting.relay(Veto(member, member_act_digest(coalition.coalition.members_domain, first)), guardian) == "confirmed"
    assert acting.execute(second) == "confirmed"
    acting.assert_projected()
    redeemed = coalition.redeem(2, member, 10)
    coalition.work_off()
    assert coalition.operation(redeemed).status == "confirmed"

    recovery = Recovery(member, 1, named[new], 2**64 - 1, FOREVER)
    assert acting.relay(recovery, guardian) == "confirmed"
    with coalition.database.read() as session:
        assert session.scalars(select(LedgerPendingActRow.nonce).where(LedgerPendingActRow.member_id == member)).all() == [str(2**64 - 1)]
    assert acting.execute(recovery) == "confirmed"
    acting.assert_projected()
    with coalition.database.read() as session:
        record = member_record(session, member)
    assert (set(record.authorizers), record.grants, record.epoch) == ({authorizer_id(1, named[new])}, {}, 1)
    assert not acting.ask("isAuthorizer", member, authorizer_id(1, bytes.fromhex(key.address[2:])))

    before = projection_rows(coalition.database)
    coalition.worker.follower.rebuild()
    assert projection_rows(coalition.database) == before


def test_a_guardian_that_is_the_operator_is_refused_by_the_ledger(coalition: CoalitionBuilder) -> None:
    acting = Acting(coalition)
    operator = coalition.worker.submitter.address
    assert acting.relay(SetGuardian(MemberId(acting.member), 1, bytes(operator), 0, FOREVER)) == "refused"
