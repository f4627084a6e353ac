"""Grants, pools and transfers on the real contracts: carried by the gateway's own rounds, projected, audited and shown to both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from gateway.brand_signer.register_writer import order_record
from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import SqlCoalition, business_clock
from gateway.ledger.consents import NO_ORDER
from gateway.ledger.entries import BRAND_GRANT, ConsentProof
from gateway.ledger.member_acts import Grant, MemberAct, SpendLock, grant_to_brand, grant_to_member, member_act_digest
from gateway.members.act_for_member import relay_act
from gateway.members.rows import SqlMembers
from gateway.members.views import member_record, member_standing
from gateway.points.history import member_history
from gateway.points.rows import SqlPoints, SqlTransfers
from gateway.points.transfer import draft_transfer, transfer
from gateway.points.transfer_views import find_transfer
from gateway.redemption.authorize import authorize
from gateway.redemption.redeem import redeem
from gateway.redemption.redemption_request import RedemptionRequest, consent_of
from gateway.redemption.rows import SqlReservations
from gateway.rounds.rows import SqlOperations
from gateway.store.unit_of_work import UnitOfWork, reading, writing
from gateway.values.errors import GrantExceeded, MemberLocked, WrongState
from gateway.values.ids import MemberId
from tests.builders.coalition import CoalitionBuilder, new_id, running_coalition
from tests.builders.projection_rows import projection_rows

FOREVER = 2**40 - 1


def signature(coalition: CoalitionBuilder, member: MemberId, digest: bytes) -> bytes:
    return bytes(Account.unsafe_sign_hash(digest, coalition.member_keys[member].key).signature)


def act(coalition: CoalitionBuilder, made: MemberAct) -> None:
    digest = member_act_digest(coalition.coalition.members_domain, made)
    with writing(coalition.database, business_clock()) as work:
        facts, record = work.of(SqlCoalition).facts, member_record(work.session, made.member)
        proof, operations = signature(coalition, made.member, digest), work.of(SqlOperations)
        relay_act(made, 1, proof, record, coalition=facts, operations=operations, operation_id=new_id("act"), now=work.now)
    coalition.work_off()


def spend(
    coalition: CoalitionBuilder, verb: Any, giver: MemberId, points: int, spender: MemberId | None = None, kind: int = BRAND_GRANT
) -> str:
    """At brand 2, under a grant: the brand's, or the spender's who signs."""
    order_id, operation_id = new_id("order"), new_id("spend")
    coalition.brands[2].till(order_record(order_id, str(giver), points, one_step=verb is redeem))
    with writing(coalition.database, business_clock()) as work:
        brand, domain = _brand(work), work.of(SqlCoalition).facts.signing_domain
        what = giver, points, brand.redemption.minor_for(points), NO_ORDER
        proof = b""
        if spender is not None:
            unsigned = RedemptionRequest(order_id, *what, 1, work.now + 600, kind, b"", spender)
            digest = consent_of(unsigned, brand).digest(domain)
            coalition.ordered[digest] = order_id, str(giver)
            proof = signature(coalition, spender, digest)
        request = RedemptionRequest(order_id, *what, 0 if spender is None else 1, work.now + 600, kind, proof, spender)
        verb(request, brand=brand, reservations=work.of(SqlReservations), operation_id=operation_id, **_parts(work))
    return operation_id


def give(coalition: CoalitionBuilder, giver: MemberId, taker: MemberId, points: int, deadline: int | None = None) -> tuple[Any, str]:
    """A transfer that brand 2 carries; what was signed, and the operation's id."""
    with reading(coalition.database, business_clock()) as work:
        drafted = {name: part for name, part in _parts(work).items() if name != "operations"}
        until = deadline or work.now + 600
        offer = draft_transfer(giver, taker, points, None, carrier=_brand(work), nonce=7, deadline=until, **drafted)
    return offer, carry(coalition, offer)


def carry(coalition: CoalitionBuilder, offer: Any) -> str:
    operation_id = new_id("transfer")
    digest = offer.digest(coalition.coalition.signing_domain)
    proofs = [ConsentProof(1, signature(coalition, side, digest)) for side in (offer.giver_id, offer.taker_id)]
    with writing(coalition.database, business_clock()) as work:
        parts = {"transfers": work.of(SqlTransfers), "operation_id": operation_id, **_parts(work)}
        transfer(offer, *proofs, carrier=_brand(work), **parts)
    return operation_id


def _brand(work: UnitOfWork) -> Any:
    return work.of(SqlBrands).find(2)


def _parts(work: UnitOfWork) -> dict[str, Any]:
    parts = {"coalition": work.of(SqlCoalition).facts, "members": work.of(SqlMembers), "points": work.of(SqlPoints)}
    return {**parts, "operations": work.of(SqlOperations), "now": work.now}


def held(coalition: CoalitionBuilder, member: MemberId) -> int:
    with reading(coalition.database, business_clock()) as work:
        return sum(work.of(SqlPoints).holding(member).unreserved.values())


def test_members_spend_together_and_give_to_one_another(tmp_path: Path) -> None:
    with running_coalition(tmp_path, members=2) as coalition:
        ann, bob = coalition.member_keys
        coalition.purchase(1, ann, 20_000)  # 200 points
        coalition.work_off()

        act(coalition, Grant(ann, grant_to_brand(2), 30, 50, 90, FOREVER, 0, FOREVER))
        act(coalition, Grant(ann, grant_to_member(bob), 40, 60, 90, FOREVER, 1, FOREVER))
        unprompted, pooled = spend(coalition, redeem, ann, 30), spend(coalition, authorize, ann, 40, bob, kind=1)
        coalition.work_off()
        assert [coalition.operation(each).status for each in (unprompted, pooled)] == ["confirmed", "confirmed"]
        with pytest.raises(GrantExceeded):
            spend(coalition, redeem, ann, 21)
        reservation = coalition.operation(pooled).reservation_id
        assert reservation is not None
        coalition.capture(2, reservation, 40)
        coalition.work_off()
        with reading(coalition.database, business_clock()) as work:
            grants = member_standing(work.session, ann, 0, work.now).grants
        assert sorted((grant.left_today, grant.left_in_all) for grant in grants) == [(20, 50), (20, 60)]

        offer, moved = give(coalition, ann, bob, 25)
        with pytest.raises(WrongState):
            carry(coalition, offer)
        coalition.work_off()
        assert coalition.operation(moved).status == "confirmed"
        assert (held(coalition, ann), held(coalition, bob)) == (200 - 30 - 40 - 25, 25)
        with pytest.raises(WrongState):
            carry(coalition, offer)
        with reading(coalition.database, business_clock()) as work:
            transfer_id = offer.digest(coalition.coalition.signing_domain)
            shown = find_transfer(work.session, transfer_id)
            told = [
                member_history(work.session, member, None, 1, brands=work.of(SqlBrands), members=work.of(SqlMembers)).items[0]
                for member in (ann, bob)
            ]
        assert (shown.status, shown.points, shown.brand_id) == ("done", 25, 2)
        assert [item.text.split(",")[0] for item in told] == ["You gave 25 points to another member", "Another member gave you 25 points"]
        assert [[lot.points for lot in item.lots] for item in told] == [[-25], [25]]

        act(coalition, SpendLock(ann, 0, FOREVER))
        for refused in (lambda: spend(coalition, redeem, ann, 5), lambda: give(coalition, bob, ann, 5)):
            with pytest.raises(MemberLocked):
                refused()
        takers = [row[-1] for row in projection_rows(coalition.database)["ledger_entries"] if row[-1]]
        assert takers == [bob], "by which the taker's history finds it"


def test_a_lock_that_overtakes_a_spender_refuses_on_the_ledger(tmp_path: Path) -> None:
    """The act and the spending were both accepted; the ledger has the last word."""
    with running_coalition(tmp_path, members=2) as coalition:
        ann, bob = coalition.member_keys
        coalition.purchase(1, ann, 20_000)
        coalition.work_off()
        act(coalition, Grant(ann, grant_to_member(bob), 40, 60, 90, FOREVER, 0, FOREVER))
        spent = spend(coalition, redeem, ann, 40, bob, kind=1)
        act(coalition, SpendLock(bob, 0, FOREVER))
        operation = coalition.operation(spent)
        assert (operation.status, operation.reason) in (("refused", "MemberLocked"), ("confirmed", None))
        assert held(coalition, ann) == (200 if operation.status == "refused" else 160)
