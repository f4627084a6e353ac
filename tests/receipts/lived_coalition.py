"""What happened in the coalition that receipts are asked of."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.values.ids import MemberId
from scripts.verify_receipt import Trust
from tests.builders.coalition import CoalitionBuilder

GROCER, FUEL = 1, 2


@dataclass(frozen=True)
class LivedCoalition:
    """`operations` by kind; `trust` is read from the node, as an operator would publish it. `first_block`: anna earned, nothing spent."""

    coalition: CoalitionBuilder
    trust: Trust
    anna: MemberId
    others: tuple[MemberId, ...]
    operations: dict[str, str]
    first_block: int


def live(coalition: CoalitionBuilder) -> LivedCoalition:
    anna, *others = coalition.member_keys
    done = {"issue": coalition.purchase(GROCER, anna, 20_000, "payment-of-anna")}
    for member in others:
        coalition.purchase(GROCER, member, 5_000)
        coalition.purchase(FUEL, member, 3_000)
    coalition.work_off()
    first_block = coalition.operation(done["issue"]).block_number
    assert first_block is not None
    done["authorize"] = coalition.authorize(FUEL, anna, 60)
    coalition.redeem(FUEL, others[0], 5)
    coalition.work_off()
    done["redeem"] = coalition.redeem(FUEL, anna, 15)
    reservation_id = coalition.operation(done["authorize"]).reservation_id
    assert reservation_id is not None
    done["capture"] = coalition.capture(FUEL, reservation_id, 45)
    coalition.work_off()
    done["point_refund"] = coalition.point_refund(FUEL, reservation_id, 9)
    done["clawback"] = coalition.refund_payment(GROCER, "payment-of-anna", 1_000)
    coalition.work_off()
    given_up = coalition.authorize(FUEL, anna, 8)
    coalition.work_off()
    reservation_id = coalition.operation(given_up).reservation_id
    assert reservation_id is not None
    done["void"] = coalition.void(FUEL, reservation_id)
    coalition.work_off()
    ready = coalition.node.ready
    assert ready is not None
    trust = Trust(bytes.fromhex(ready["genesis_hash"][2:]), bytes.fromhex(ready["sealer"][2:]), coalition.coalition.points_address)
    return LivedCoalition(coalition, trust, anna, tuple(others), done, first_block)
