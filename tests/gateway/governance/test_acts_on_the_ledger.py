"""Acts of governance from proposal to end on a real ledger: executed, cancelled, vetoed, lapsed, and who governs from then on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from sqlalchemy import select

from gateway.brands.change_brand import hand_brand_over, set_brand_limit, set_brand_owner, start_run_off
from gateway.brands.rows import SqlBrands
from gateway.chain.artifacts import governance, points_ledger
from gateway.coalition.rows import SqlCoalition, business_clock
from gateway.coalition.tables import GovernanceActRow
from gateway.governance.propose_act import rearm_pause, replace_guardian, set_approvers, update_delay
from gateway.governance.rows import SqlPendingActs
from gateway.governance.veto_act import veto_act
from gateway.ledger.governance import veto_digest
from gateway.ledger.owner_acts import HandOver, owner_act_digest
from gateway.loyalty.programmes.rows import SqlRules
from gateway.loyalty.programmes.views import BrandView, find_brand
from gateway.rounds.operation import OwnerSignature
from gateway.rounds.rows import SqlOperations
from gateway.rounds.tables import OperationRow
from gateway.second_people.own_transaction import send_own
from gateway.store.unit_of_work import reading, writing
from gateway.values.calendar import SECONDS_PER_DAY, local_day
from gateway.values.ids import Address, Hash, OperationId
from tests.builders.coalition import CoalitionBuilder, approvers, brand_owner, new_id
from tests.builders.lot_acts import failing_invariants
from tests.gateway.governance.conftest import DELAY
from tests.node.running_node import throwaway_account

FOREVER = 2**40 - 1
GUARDIAN = throwaway_account("guardian")
Verb = Callable[..., object]


def ask(coalition: CoalitionBuilder, verb: Verb, *arguments: Any, brand: int | None = None, with_coalition: bool = False) -> str:
    """Accepted and, if it is an act, proposed."""
    operation_id = new_id("act")
    with writing(coalition.database, business_clock()) as work:
        about = () if brand is None else (work.of(SqlBrands).find(brand),)
        given: dict[str, Any] = {"operations": work.of(SqlOperations), "operation_id": operation_id, "now": work.now}
        if with_coalition:
            given["coalition"] = work.of(SqlCoalition).facts
        verb(*about, *arguments, **given)
    while coalition.operation(operation_id).status in ("accepted", "packed"):
        coalition.worker.turn()
    return operation_id


def ended(coalition: CoalitionBuilder, operation_id: str) -> tuple[str, str | None]:
    operation: OperationRow = coalition.operation(operation_id)
    return operation.status, operation.reason


def shown(coalition: CoalitionBuilder, brand_id: int) -> BrandView:
    with reading(coalition.database, business_clock()) as work:
        return find_brand(work.session, brand_id, brands=work.of(SqlBrands), rules=work.of(SqlRules), now=work.now)


def act_of(coalition: CoalitionBuilder, operation_id: str) -> Hash:
    with coalition.database.read() as session:
        sequence = select(OperationRow.sequence).where(OperationRow.operation_id == operation_id).scalar_subquery()
        return session.scalars(select(GovernanceActRow.act_id).where(GovernanceActRow.operation_sequence == sequence)).one()


def sent(coalition: CoalitionBuilder, account: LocalAccount, to: Address, data: bytes) -> None:
    """By somebody else's own account, which has ether; the gateway sees it on the chain."""
    send_own(coalition.chain, account, to, data)
    coalition.worker.follower.follow()


def test_a_run_off_is_proposed_approved_and_shown(coalition: CoalitionBuilder) -> None:
    today = local_day(coalition.now, 0)
    short = ask(coalition, start_run_off, today + 30, brand=1)
    enough = ask(coalition, start_run_off, today + 93, brand=1)
    coalition.wait_out(DELAY)
    assert ended(coalition, short) == ("refused", "RunOffTooShort")
    assert ended(coalition, enough) == ("confirmed", None)
    assert (shown(coalition, 1).status, shown(coalition, 1).last_day) == ("running_off", today + 93)


def test_a_brand_goes_to_another_owner_by_both_signatures(coalition: CoalitionBuilder) -> None:
    successor = throwaway_account("successor of 2")
    before = shown(coalition, 2)
    act = HandOver(2, Address.parse(successor.address), True, before.owner_acts, FOREVER)
    digest = owner_act_digest(coalition.coalition.brands_domain, act)
    old, new = (bytes(Account.unsafe_sign_hash(digest, key.key).signature) for key in (brand_owner(2), successor))
    signed = OwnerSignature(act.nonce, FOREVER, old)
    assert ended(coalition, ask(coalition, hand_brand_over, act.owner, True, signed, old, brand=2)) == ("refused", "NotSignedBy")
    assert ended(coalition, ask(coalition, hand_brand_over, act.owner, True, signed, new, brand=2)) == ("confirmed", None)
    after = shown(coalition, 2)
    assert (after.owner_address, after.owner_acts) == (str(act.owner), before.owner_acts + 1)
    assert (before.status, after.status) == ("active", "suspended"), "it issues no more"
    assert failing_invariants(coalition) == {}, "both owners' signatures are what a suspension by succession rests on"


def test_an_owner_vetoes_its_replacement(coalition: CoalitionBuilder) -> None:
    before = shown(coalition, 1).owner_address
    act = ask(coalition, set_brand_owner, Address.parse(throwaway_account("usurper").address), brand=1)
    digest = veto_digest(coalition.coalition.governance_domain, act_of(coalition, act), 1)
    signature = bytes(Account.unsafe_sign_hash(digest, brand_owner(1).key).signature)

    def vetoed(**given: Any) -> None:
        with_acts(coalition, lambda acts: veto_act(OperationId(act), signature, acts=acts, **given))

    veto = ask(coalition, vetoed, with_coalition=True)
    assert (ended(coalition, veto), ended(coalition, act)) == (("confirmed", None), ("refused", "vetoed"))
    coalition.wait_out(DELAY)
    assert shown(coalition, 1).owner_address == before


def with_acts(coalition: CoalitionBuilder, use: Callable[[SqlPendingActs], object]) -> None:
    with reading(coalition.database, business_clock()) as work:
        use(SqlPendingActs(work))


def test_what_the_guardian_cancels_waits_no_longer(coalition: CoalitionBuilder) -> None:
    act = ask(coalition, set_brand_limit, 5, brand=1)
    sent(coalition, GUARDIAN, coalition.coalition.governance_address, governance().call("cancel", act_of(coalition, act)))
    assert ended(coalition, act) == ("refused", "cancelled")


def test_an_act_that_nobody_approves_lapses(coalition: CoalitionBuilder) -> None:
    act = ask(coalition, set_brand_limit, 6, brand=1)
    coalition.set_time(coalition.now + DELAY + 30 * SECONDS_PER_DAY - 60)
    assert ended(coalition, act) == ("proposed", None)
    coalition.set_time(coalition.now + 120)
    assert ended(coalition, act) == ("refused", "lapsed")


def test_a_rebuilt_projection_ends_acts_the_same(coalition: CoalitionBuilder) -> None:
    ends = select(OperationRow.operation_id, OperationRow.status, OperationRow.reason).order_by(OperationRow.sequence)
    with coalition.database.read() as session:
        before = session.execute(ends).all()
    coalition.worker.follower.rebuild()
    with coalition.database.read() as session:
        assert session.execute(ends).all() == before


def test_a_spent_pause_is_rearmed(coalition: CoalitionBuilder) -> None:
    ledger = coalition.coalition.points_address
    sent(coalition, GUARDIAN, ledger, points_ledger().call("pause"))
    sent(coalition, GUARDIAN, ledger, points_ledger().call("unpause"))
    act = ask(coalition, rearm_pause)
    coalition.wait_out(DELAY)
    assert ended(coalition, act) == ("confirmed", None)
    sent(coalition, GUARDIAN, ledger, points_ledger().call("pause"))
    sent(coalition, GUARDIAN, ledger, points_ledger().call("unpause"))


def test_the_coalition_is_told_who_governs_from_then_on(coalition: CoalitionBuilder) -> None:
    new = Address.parse(throwaway_account("another guardian").address)
    others = [Address.parse(key.address) for key in (*approvers()[:2], throwaway_account("approver dee"))]
    guardian = ask(coalition, replace_guardian, new, with_coalition=True)
    delay = ask(coalition, update_delay, DELAY + 60, with_coalition=True)
    coalition.wait_out(DELAY)
    assert coalition.operation(delay).status == "confirmed"
    assert coalition.operation(guardian).status == "proposed", "it waits three delays"
    coalition.wait_out(2 * DELAY)
    assert coalition.operation(guardian).status == "confirmed"
    facts = coalition.coalition
    assert (facts.guardian, facts.governance_delay_seconds) == (new, DELAY + 60)
    ask(coalition, set_approvers, others, 2)
    coalition.wait_out(DELAY + 60)
    assert coalition.coalition.approvers == set(others)
