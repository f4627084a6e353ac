"""Gas of a netted cycle by its number of brands, calldata included. `python -m tests.builders.settlement_gas` prints the table."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.ledger.settlement import Paid, SettledPair
from tests.builders.settlement import Settling, as_call

SIZES = (4, 16, 64)
PAIRS_AT_ONCE = 128


def measure(brands: int) -> tuple[int, int, int, int]:
    """Agreeing; pairs; applying one of them, the first of its terms; confirming one. Every brand owes every other."""
    settling = Settling(brands=brands)
    ids = range(1, brands + 1)
    pairs = [SettledPair(issuer, acceptor, 1, 1_000, 600) for issuer in ids for acceptor in ids if issuer != acceptor]
    for first in range(0, len(pairs), PAIRS_AT_ONCE):
        settling.owe({pair.key: 5_000 for pair in pairs[first : first + PAIRS_AT_ONCE]})
    cycle = settling.cycle(pairs)
    agreed = settling.agree(cycle)
    assert agreed.succeeded, settling.reverted(agreed)
    chosen = range(min(len(pairs), PAIRS_AT_ONCE))
    applied = settling.apply(cycle, *(as_call(pairs, index) for index in chosen))
    assert applied.succeeded, settling.reverted(applied)
    pair = pairs[0]
    confirmed = settling.confirm(cycle, as_call(pairs, 0), paid=Paid(cycle.record, pair.creditor, pair.debtor))
    assert confirmed.succeeded, settling.reverted(confirmed)
    return agreed.gas_used, len(pairs), round(applied.gas_used / len(chosen)), confirmed.gas_used


def table(measured: Mapping[int, tuple[int, int, int, int]]) -> str:
    """As it stands in contracts/README.md."""
    rows = [
        f"| {brands} | {agreed:,} | {pairs:,} | {applied:,} | {confirmed:,} |"
        for brands, (agreed, pairs, applied, confirmed) in measured.items()
    ]
    return "\n".join(["| Brands | Agree | Pairs | Apply one, of up to 128 at once | Confirm one as paid |", "|--:|--:|--:|--:|--:|", *rows])


if __name__ == "__main__":
    print(table({brands: measure(brands) for brands in SIZES}))
