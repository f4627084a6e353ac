"""What the grocer owes the fuel station is settled in part: agreed by both owners, applied, and what was not netted is paid."""

from __future__ import annotations

from gateway.chain.artifacts import settlement
from gateway.ledger.settlement import Paid, SettledPair, cycle_digest, cycle_over, paid_digest
from gateway.ledger.signing import Domain
from gateway.values.ids import Hash
from tests.builders.settlement import as_call, as_tuple
from tests.gateway.audit.live_ledger import FOREVER, FUEL, GROCER, LiveLedger, key_of, sign

PAIR = SettledPair(GROCER, FUEL, 1, 60, 20)


def settle(ledger: LiveLedger) -> None:
    """60 of the points, 20 of them netted."""
    at = ledger.registers["settlement_address"]
    domain = Domain(ledger.node.chain_id, at, ledger.coalition_id)
    cycle, pairs = cycle_over(Hash(b"\x01" * 32), 0, [PAIR], FOREVER), [as_call([PAIR], 0)]
    signatures = [sign(key_of(f"owner {brand}"), cycle_digest(domain, cycle)) for brand in cycle.brands]
    ledger.send(settlement().call("agree", as_tuple(cycle), signatures), at)
    ledger.send(settlement().call("applyPairs", as_tuple(cycle), pairs), at)
    paid = sign(key_of(f"owner {FUEL}"), paid_digest(domain, Paid(cycle.record, FUEL, GROCER)))
    ledger.send(settlement().call("confirmPaid", as_tuple(cycle), pairs, paid), at)
    ledger.follower.follow()
