"""Fees: the base fee stands still on this chain, and tips buy nothing."""

from typing import Any

from node.chain.budget import Budget
from node.chain.errors import BeyondHead
from node.chain.fees import PRIORITY_FEE_SUGGESTED, gas_used_ratio, next_base_fee, reward_percentiles
from node.chain.transactions import effective_gas_price
from node.rpc.block_tag import block_number
from node.rpc.dispatch import Handler
from node.rpc.errors import InvalidParams
from node.rpc.hex import quantity, to_quantity
from node.rpc.ports import NodeView

BLOCKS_MAX = 1_024
PERCENTILES_MAX = 100


def methods(node: NodeView) -> dict[str, Handler]:
    history = node.history

    def gas_price() -> str:
        return to_quantity(next_base_fee(history.head) + PRIORITY_FEE_SUGGESTED)

    def max_priority_fee_per_gas() -> str:
        return to_quantity(PRIORITY_FEE_SUGGESTED)

    def blob_base_fee() -> str:
        return to_quantity(1)

    def fee_history(block_count: object, newest: object, percentiles: object = None, *, budget: Budget) -> dict[str, Any]:
        wanted = _percentiles(percentiles)
        last, head = block_number(history, newest), int(history.head.block_number)
        if last > head:
            raise BeyondHead(f"request beyond head block: requested {last}, head {head}")
        count = block_count if isinstance(block_count, int) else quantity(block_count, "blockCount", bits=32)
        first = max(0, last - min(count, BLOCKS_MAX) + 1)
        headers = [history.header(number) for number in range(first, last + 1)]
        if not headers:
            return {"oldestBlock": "0x0", "gasUsedRatio": []}
        fees = [header.base_fee_per_gas for header in headers] + [next_base_fee(headers[-1])]
        result: dict[str, Any] = {
            "oldestBlock": to_quantity(first),
            "baseFeePerGas": [to_quantity(fee) for fee in fees],
            "gasUsedRatio": [gas_used_ratio(header) for header in headers],
            "baseFeePerBlobGas": ["0x1"] * len(fees),
            "blobGasUsedRatio": [0.0] * len(headers),
        }
        if wanted:
            result["reward"] = [_rewards(header.block_number, wanted, budget) for header in headers]
        return result

    def _rewards(number: int, wanted: list[float], budget: Budget) -> list[str]:
        budget.pulse()
        block, before, tips_and_gas = history.block(number), 0, []
        base_fee = block.header.base_fee_per_gas
        for transaction, receipt in zip(block.transactions, history.receipts(number), strict=True):
            tip = effective_gas_price(transaction.signed, base_fee) - base_fee
            tips_and_gas.append((tip, receipt.cumulative_gas_used - before))
            before = receipt.cumulative_gas_used
        return [to_quantity(reward) for reward in reward_percentiles(tips_and_gas, wanted)]

    return {
        "eth_gasPrice": gas_price,
        "eth_maxPriorityFeePerGas": max_priority_fee_per_gas,
        "eth_blobBaseFee": blob_base_fee,
        "eth_feeHistory": fee_history,
    }


def _percentiles(given: object) -> list[float]:
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > PERCENTILES_MAX:
        raise InvalidParams(f"reward percentiles must be an array of at most {PERCENTILES_MAX}")
    if any(isinstance(item, bool) or not isinstance(item, int | float) or not 0 <= item <= 100 for item in given):
        raise InvalidParams("reward percentiles must be numbers from 0 to 100")
    if given != sorted(given):
        raise InvalidParams("reward percentiles must ascend")
    return given
