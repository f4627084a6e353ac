"""revm through pyrevm: the bare engine, in memory, without tries, blocks or receipts. A limit and a cross-check, not a node."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pyrevm import EVM, BlockEnv, CfgEnv, Env

from node.chain.transactions import decode
from scripts.benchmarks.issuing import CHAIN_ID, OPERATOR

GAS_LIMIT = 2**40
FUNDS_WEI = 10**27


class Revm:
    def __init__(self) -> None:
        block = BlockEnv(number=1, timestamp=int(time.time()), gas_limit=GAS_LIMIT)
        self._evm = EVM(Env(cfg=CfgEnv(chain_id=CHAIN_ID), block=block), gas_limit=GAS_LIMIT, spec_id="PRAGUE")
        self._operator = "0x" + OPERATOR.public_key.to_canonical_address().hex()
        self._evm.set_balance(self._operator, FUNDS_WEI)

    def run(self, transactions: Sequence[bytes]) -> float:
        """Seconds in the engine; decoding is not counted. Raises if one reverts."""
        decoded = [decode(raw) for raw in transactions]
        calls = [(item.to, bytes(item.signed.data), item.gas) for item in decoded]
        start = time.perf_counter()
        for to, data, gas in calls:
            if to is None:
                self._evm.deploy(self._operator, data)
            else:
                self._evm.message_call(self._operator, "0x" + to.hex(), calldata=data, gas=gas)
        return time.perf_counter() - start
