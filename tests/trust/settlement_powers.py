"""Who can do what alone to what brands owe each other: every state-changing function of the settlement."""

from __future__ import annotations

from typing import Any

from eth_account.signers.local import LocalAccount

from gateway.ledger.settlement import Paid, cycle_digest, paid_digest
from tests.builders.commanded_coalition import BRAND
from tests.builders.settlement import as_call, as_tuple
from tests.trust.ground import Ground
from tests.trust.power import EVERYBODY, Power
from tests.trust.standing import PAIRS, cycle_of


def _agree(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    cycle = cycle_of(ground, "another cycle")
    return as_tuple(cycle), [ground.signed(account, cycle_digest(ground.known.domain("Settlement"), cycle))]


def _apply(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    return as_tuple(ground.standing.agreed), [as_call(PAIRS, 0)]


def _confirm(ground: Ground, account: LocalAccount, role: str) -> tuple[Any, ...]:
    domain, cycle = ground.known.domain("Settlement"), ground.standing.applied
    return as_tuple(cycle), [as_call(PAIRS, 0)], ground.signed(account, paid_digest(domain, Paid(cycle.record, BRAND, BRAND)))


SETTLEMENT = {
    "agree": Power(
        "a netted cycle, signed by the owner of every brand in it (here of one alone)",
        _agree,
        "CycleNotSignedBy",
        ("brand owner",),
        stopped_by="each owner in it, by not signing",
        seen="CycleAgreed",
    ),
    "applyPairs": Power(
        "what is settled by an agreed cycle, all of it whatever came back since", _apply, "", EVERYBODY, seen="PairApplied"
    ),
    "confirmPaid": Power(
        "what was left of pairs is paid, says the creditor's owner", _confirm, "PaidNotSignedBy", ("brand owner",), seen="PairPaid"
    ),
}
