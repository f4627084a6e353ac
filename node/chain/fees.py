"""EIP-1559 base fees and the fee history readers ask for."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from eth.vm.forks.london.headers import calculate_expected_base_fee_per_gas

from node.chain.rules import Header

PRIORITY_FEE_SUGGESTED = 1  # wei: blocks are never contended, a tip buys nothing


def next_base_fee(parent: Header) -> int:
    return int(calculate_expected_base_fee_per_gas(parent))


def gas_used_ratio(header: Header) -> float:
    return float(header.gas_used / header.gas_limit)


def reward_percentiles(tips_and_gas: Sequence[tuple[int, int]], percentiles: Sequence[float]) -> list[int]:
    """The priority fee at each percentile of a block's gas, weighted by gas, as eth_feeHistory defines it."""
    if not tips_and_gas:
        return [0] * len(percentiles)
    tips, gas = zip(*sorted(tips_and_gas), strict=True)
    cumulative = list(accumulate(gas))
    return [tips[bisect_left(cumulative, cumulative[-1] * percentile / 100)] for percentile in percentiles]
