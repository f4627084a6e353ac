"""What a cycle has settled is owed no longer: the clearing matrix shows what is left, the exposure falls, and the contract agrees."""

from __future__ import annotations

from pathlib import Path

from eth_account import Account
from sqlalchemy import select

from gateway.brands.rows import SqlBrands
from gateway.chain.artifacts import points_ledger, settlement
from gateway.clearing.views import ClearingView, clearing
from gateway.coalition.rows import business_clock
from gateway.ledger.settlement import Cycle, Paid, SettledPair, cycle_digest, cycle_over, paid_digest
from gateway.ledger.signing import Domain
from gateway.projection.tables import LedgerExposureRow
from gateway.second_people.own_transaction import send_own
from gateway.store.unit_of_work import reading
from gateway.values.ids import Hash
from tests.builders.coalition import CoalitionBuilder, brand_owner, running_coalition
from tests.builders.lot_acts import failing_invariants
from tests.builders.projection_rows import projection_rows
from tests.builders.settlement import as_call, as_tuple
from tests.node.running_node import throwaway_account

FOREVER = 2**40 - 1
PAIR = SettledPair(1, 2, 1, 30, 10)


def shown(coalition: CoalitionBuilder) -> ClearingView:
    with reading(coalition.database, business_clock()) as work:
        return clearing(work.session, "USD", brands=work.of(SqlBrands))


def exposure(coalition: CoalitionBuilder) -> int:
    """Of brand 2 to brand 1, the same by projection and contract."""
    with coalition.database.read() as session:
        projected = session.scalars(select(LedgerExposureRow.points).where(LedgerExposureRow.issuer_id == 1)).one()
    answer = coalition.chain.eth_call(coalition.coalition.points_address, points_ledger().call("exposure", 1, 2))
    assert points_ledger().returned("exposure", answer) == (projected,)
    return projected


class Relay:
    """Somebody with ether, who brings to the settlement what owners have signed."""

    def __init__(self, coalition: CoalitionBuilder) -> None:
        self._coalition = coalition
        facts = coalition.coalition
        self._at = facts.settlement_address
        self.domain = Domain(facts.chain_id, self._at, facts.coalition_id)

    def bring(self, function: str, *arguments: object) -> None:
        send_own(self._coalition.chain, throwaway_account("guardian"), self._at, settlement().call(function, *arguments))
        self._coalition.worker.follower.follow()

    def signed(self, brand_id: int, digest: bytes) -> bytes:
        return bytes(Account.unsafe_sign_hash(digest, brand_owner(brand_id).key).signature)

    def agree(self, cycle: Cycle) -> None:
        digest = cycle_digest(self.domain, cycle)
        self.bring("agree", as_tuple(cycle), [self.signed(brand_id, digest) for brand_id in cycle.brands])


def test_what_is_settled_is_owed_no_longer(tmp_path: Path) -> None:
    with running_coalition(tmp_path) as coalition:
        member, _ = coalition.member_keys
        coalition.purchase(1, member, 10_000)
        coalition.work_off()
        coalition.redeem(2, member, 70)
        coalition.work_off()
        relay, cycle = Relay(coalition), cycle_over(Hash(b"\x05" * 32), 0, [PAIR], FOREVER)
        relay.agree(cycle)
        assert ([one.points for one in shown(coalition).owed], exposure(coalition)) == ([70], 70)

        relay.bring("applyPairs", as_tuple(cycle), [as_call([PAIR], 0)])
        assert [(one.points, one.amount_minor) for one in shown(coalition).owed] == [(40, 40)]
        assert [(one.brand_id, one.points) for one in shown(coalition).net] == [(1, -40), (2, 40)]
        assert exposure(coalition) == 60, "what is netted falls at once"

        paid = relay.signed(2, paid_digest(relay.domain, Paid(cycle.record, 2, 1)))
        relay.bring("confirmPaid", as_tuple(cycle), [as_call([PAIR], 0)], paid)
        assert ([one.points for one in shown(coalition).owed], exposure(coalition)) == ([40], 40)

        coalition.redeem(2, member, 5)
        coalition.work_off()
        assert ([one.points for one in shown(coalition).owed], exposure(coalition)) == ([45], 45)
        rows = projection_rows(coalition.database)
        coalition.worker.follower.rebuild()
        assert projection_rows(coalition.database) == rows


def test_what_two_owners_settle_between_themselves_stops_no_reader(tmp_path: Path) -> None:
    """Far more than is owed, under terms that do not exist, and a brand with itself: their own claims alone are other figures."""
    most = 2**62
    pairs = [SettledPair(1, 2, number, most, 0) for number in (1, 77, 78)] + [SettledPair(2, 1, 1, -5, 5), SettledPair(1, 1, 1, 5, 5)]
    with running_coalition(tmp_path) as coalition:
        member, _ = coalition.member_keys
        coalition.purchase(1, member, 10_000)
        coalition.work_off()
        coalition.redeem(2, member, 70)
        coalition.work_off()
        relay, cycle = Relay(coalition), cycle_over(Hash(b"\x06" * 32), 0, pairs, FOREVER)
        relay.agree(cycle)
        relay.bring("applyPairs", as_tuple(cycle), [as_call(pairs, index) for index in range(len(pairs))])
        owed = {(one.issuer_id, one.acceptor_id): one.points for one in shown(coalition).owed}
        assert owed == {(1, 2): 70 - 3 * most, (2, 1): 5}
        rows = projection_rows(coalition.database)
        coalition.worker.follower.rebuild()
        assert projection_rows(coalition.database) == rows
        assert failing_invariants(coalition) == {}
