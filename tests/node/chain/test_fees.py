"""Base fee and fee history."""

from node.chain.fees import next_base_fee, reward_percentiles
from node.chain.genesis import BASE_FEE_PER_GAS, GAS_LIMIT
from node.chain.rules import Header, sealed_gas_max


def _header(gas_used: int) -> Header:
    return Header(difficulty=0, block_number=1, gas_limit=GAS_LIMIT, timestamp=1, gas_used=gas_used, base_fee_per_gas=BASE_FEE_PER_GAS)


def test_the_base_fee_stands_still_up_to_the_fullest_block_sealed() -> None:
    for gas_used in (0, 21_000, sealed_gas_max(GAS_LIMIT)):
        assert next_base_fee(_header(gas_used)) == BASE_FEE_PER_GAS


def test_the_base_fee_would_rise_above_half_the_limit() -> None:
    assert next_base_fee(_header(GAS_LIMIT)) > BASE_FEE_PER_GAS


def test_rewards_are_weighted_by_gas() -> None:
    tips_and_gas = [(5, 100), (1, 800), (9, 100)]
    assert reward_percentiles(tips_and_gas, [0, 80, 81, 90, 91, 100]) == [1, 1, 5, 5, 9, 9]


def test_an_empty_block_rewards_nothing() -> None:
    assert reward_percentiles([], [10, 50]) == [0, 0]
