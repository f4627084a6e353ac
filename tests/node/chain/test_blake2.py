"""Blake2 rounds cost one gas each: a transaction full of them must still be sealed at once."""

import platform
import sys
from pathlib import Path
from time import process_time

import pytest
from eth._utils.blake2 import coders, compression
from eth.precompiles import blake2

from node.chain.rules import TRANSACTION_GAS_MAX
from tests.node.own_node import OPERATOR, own_node

HAS_WHEELS = (sys.platform, platform.machine()) in (("linux", "x86_64"), ("darwin", "arm64"))
BLAKE2 = "0x" + "00" * 19 + "09"
SECONDS_MAX = 5


def call_data(rounds: int) -> bytes:
    return rounds.to_bytes(4, "big") + bytes(range(1, 209)) + b"\1"


@pytest.mark.skipif(not HAS_WHEELS, reason="blake2b-py has no wheel for this platform")
def test_rounds_run_in_compiled_code() -> None:
    assert blake2.blake2b_compress is not compression.blake2b_compress


@pytest.mark.parametrize("rounds", [0, 1, 12, 13, 1_000])
def test_rounds_give_what_py_evms_own_give(rounds: int) -> None:
    parameters = coders.extract_blake2b_parameters(call_data(rounds))
    assert blake2.blake2b_compress(*parameters) == compression.blake2b_compress(*parameters)


@pytest.mark.skipif(not HAS_WHEELS, reason="blake2b-py has no wheel for this platform")
def test_a_transaction_full_of_rounds_is_sealed_at_once(tmp_path: Path) -> None:
    data = call_data(TRANSACTION_GAS_MAX - 100_000)
    fields = {"chainId": 7, "type": 2, "nonce": 0, "gas": TRANSACTION_GAS_MAX, "to": BLAKE2, "value": 0, "data": data}
    signed = OPERATOR.sign_transaction(fields | {"maxFeePerGas": 100, "maxPriorityFeePerGas": 1})
    with own_node(tmp_path / "data", sandbox=True) as node:
        started = process_time()
        sent = node.request("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex())
        node.request("evm_mine")
        receipt = node.request("eth_getTransactionReceipt", sent["result"])["result"]
        assert int(receipt["status"], 16) == 1
        assert int(receipt["gasUsed"], 16) > TRANSACTION_GAS_MAX - 100_000
        assert process_time() - started < SECONDS_MAX
