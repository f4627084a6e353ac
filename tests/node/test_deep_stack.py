"""The deepest chain of calls is executed again, by verify and by import, in a process whose own stack would be too small for it."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from eth.vm import opcode_values as op

from node.deep_stack import on_deep_stack
from tests.node.own_node import OPERATOR, own_node

ROOT = Path(__file__).resolve().parents[2]
MAIN_STACK_BYTES = 256 * 1024
LEVELS_LEAST = 500  # each keeps back a 64th of the gas
# Calls itself as deep as the gas allows; each level returns how many are below it.
CALLS_ITSELF = bytes([op.PUSH1, 32, op.PUSH0, op.PUSH0, op.PUSH0, op.PUSH0, op.ADDRESS, op.GAS, op.CALL, op.PUSH0, op.MLOAD, op.ADD])
CALLS_ITSELF += bytes([op.PUSH1, 1, op.ADD, op.PUSH0, op.MSTORE, op.PUSH1, 32, op.PUSH0, op.RETURN])


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """(data directory, blocks in it): five, or more where the node sealed a transaction before it was told to mine."""
    data = tmp_path_factory.mktemp("deep") / "data"
    with own_node(data, sandbox=True, sandbox_keys=(bytes(OPERATOR.key),)) as node:
        creation = bytes(
            [op.PUSH1, len(CALLS_ITSELF), op.PUSH1, 12, op.PUSH1, 0, op.CODECOPY, op.PUSH1, len(CALLS_ITSELF), op.PUSH1, 0, op.RETURN]
        )
        sent = node.request(
            "eth_sendTransaction", {"from": OPERATOR.address, "data": "0x" + (creation + CALLS_ITSELF).hex(), "gas": "0x40000"}
        )
        node.request("evm_mine")
        contract = node.request("eth_getTransactionReceipt", sent["result"])["result"]["contractAddress"]
        for _ in range(3):  # the code is hot from the second on
            node.request("eth_sendTransaction", {"from": OPERATOR.address, "to": contract, "gas": hex(1 << 24)})
            node.request("evm_mine")
        levels = node.request("eth_call", {"to": contract, "gas": hex(1 << 24)}, "latest")["result"]
        assert int(levels, 16) > LEVELS_LEAST
        blocks = int(node.request("eth_blockNumber")["result"], 16) + 1
    return data, blocks


def run_with_a_small_stack(*arguments: str) -> dict[str, object]:
    def shrink() -> None:
        resource.setrlimit(resource.RLIMIT_STACK, (MAIN_STACK_BYTES, MAIN_STACK_BYTES))

    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ETH_HASH_BACKEND": "pysha3"}
    done = subprocess.run([sys.executable, "-m", "node", *arguments], env=environment, capture_output=True, preexec_fn=shrink, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2_000:]
    return dict(json.loads(done.stdout))


def test_verify_and_import_need_no_stack_of_their_own(chain: tuple[Path, int], tmp_path: Path) -> None:
    data, blocks = chain
    assert run_with_a_small_stack("verify", "--data", str(data))["verified_blocks"] == blocks >= 5
    file = tmp_path / "chain.json"
    run_with_a_small_stack("export", "--data", str(data), str(file))
    assert run_with_a_small_stack("import", "--data", str(tmp_path / "copy"), str(file))["imported_blocks"] == blocks


def test_what_goes_wrong_in_the_thread_reaches_the_caller() -> None:
    @on_deep_stack
    def fails(number: int) -> int:
        raise ValueError(number)

    with pytest.raises(ValueError, match="7"):
        fails(7)


def test_the_result_comes_back_from_recursion_that_needs_megabytes() -> None:
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 20_000))

    def count(left: int) -> int:
        return 1 + max(map(count, [left - 1])) if left else 0

    assert on_deep_stack(count)(5_000) == 5_000
