"""Requests that each method answers, and small changes of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.node.fuzz.choices import Choices
from tests.node.own_node import OPERATOR

CHANGES_MAX = 4
DEPTH_MAX, ITEMS_MAX = 3, 5
CODE = "0x600560005560016000526000600060206000a2600060006000600060006020" + "5af15060206000f3"
NAMES = ["from", "to", "data", "input", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value", "nonce", "accessList", "type"]
NAMES += [
    "address",
    "topics",
    "fromBlock",
    "toBlock",
    "blockHash",
    "blockNumber",
    "storageKeys",
    "tracer",
    "tracerConfig",
    "balance",
    "code",
]
NAMES += ["timestamp", "blocks", "authorizationList", "state", "stateDiff", "number", "time", "baseFeePerGas", "blockStateCalls", "calls"]
NAMES += ["onlyTopCall", "diffMode", "stateOverrides", "blockOverrides", "validation", "traceTransfers", "chainId", "requireCanonical"]
TEXTS = ["latest", "pending", "earliest", "safe", "0x", "0x0", "0x1", "0x01", "0X1", "1", "0xg", "0x7fffffffffffffff", "0x1" + "0" * 64]
TEXTS += ["callTracer", "prestateTracer", "newHeads", "logs", "newPendingTransactions", "é\0", "0x" + "ab" * 31]
NUMBERS = (0, 1, -1, 2, 2**31, 2**53, 2**64, 10**30, 0.5, 1e300)
TYPED = {
    "types": {"EIP712Domain": [{"name": "name", "type": "string"}], "Order": [{"name": "points", "type": "uint256"}]},
    "primaryType": "Order",
    "domain": {"name": "x"},
    "message": {"points": 5},
}


@dataclass(frozen=True)
class Known:
    """What stands on the chain that is asked."""

    block_hash: str
    transaction_hash: str
    contract: str
    raw_transaction: str


def answered(method: str, known: Known) -> list[Any]:
    """Parameters that the method answers with a result."""
    operator, call = OPERATOR.address, {"from": OPERATOR.address, "to": known.contract, "gas": "0x30000", "data": CODE}
    override = {known.contract: {"balance": "0x1", "stateDiff": {"0x" + "00" * 32: "0x" + "11" * 32}}}
    logs = {"fromBlock": "0x0", "toBlock": "latest", "address": known.contract, "topics": [None, ["0x" + "11" * 32]]}
    simulated = {"blockStateCalls": [{"calls": [call], "stateOverrides": override, "blockOverrides": {"number": "0x9"}}]}
    by_name: dict[str, list[Any]] = {
        **_each(("eth_call", "eth_estimateGas", "eth_createAccessList"), [call, "latest", override]),
        "debug_traceCall": [call, "latest", {"tracer": "callTracer", "stateOverrides": override}],
        "debug_traceTransaction": [known.transaction_hash, {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}],
        "debug_traceBlockByNumber": ["0x1", {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}],
        "debug_traceBlockByHash": [known.block_hash, {"enableMemory": True, "limit": 5}],
        "eth_simulateV1": [simulated, "latest"],
        "eth_feeHistory": ["0x4", "latest", [10, 50]],
        **_each(("eth_getLogs", "eth_newFilter"), [logs]),
        "eth_subscribe": ["logs", logs],
        **_each(("eth_getFilterChanges", "eth_getFilterLogs", "eth_uninstallFilter", "eth_unsubscribe"), ["0x1"]),
        "eth_getProof": [known.contract, ["0x0", "0x" + "00" * 31 + "05"], "latest"],
        "eth_getStorageAt": [known.contract, "0x5", {"blockHash": known.block_hash}],
        "eth_sign": [operator, "0x616263"],
        **_each(("eth_signTypedData", "eth_signTypedData_v4"), [operator, TYPED]),
        **_each(("eth_sendTransaction", "eth_signTransaction"), [{"from": operator, "to": operator, "value": "0x1", "gas": "0x5208"}]),
        "eth_sendRawTransaction": [known.raw_transaction],
        "web3_sha3": [CODE],
        "txpool_contentFrom": [operator],
        "evm_mine": [{"timestamp": 1_800_000_000, "blocks": 2}],
        **_each(("evm_increaseTime", "evm_setIntervalMining"), [1]),
        "evm_setNextBlockTimestamp": [2_000_000_000],
        "evm_setAutomine": [True],
    }
    if method in by_name:
        return by_name[method]
    if "Hash" in method and "Block" in method:
        return [known.block_hash, "0x0"] if "Index" in method else [known.block_hash, True][: 1 + method.endswith("BlockByHash")]
    if "Hash" in method or method.endswith(("Receipt", "RawTransaction")):
        return [known.transaction_hash]
    if "Number" in method and method != "eth_blockNumber":
        return ["0x1", "0x0"] if "Index" in method else ["0x1", True][: 1 + method.endswith("BlockByNumber")]
    if method in ("eth_getBalance", "eth_getCode", "eth_getTransactionCount"):
        return [known.contract, "0x1"]
    return ["0x1"] if method.startswith(("debug_getRaw", "splittally_getSeal", "eth_getBlockReceipts")) else []


def drawn_request(methods: list[str], known: Known, choices: Choices) -> bytes:
    """A request that is answered, changed in a few places."""
    method = choices.one_of(methods)
    params: Any = answered(method, known)
    for _ in range(choices.number(CHANGES_MAX)):
        params = _changed(params, known, choices)
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def _each(methods: tuple[str, ...], params: list[Any]) -> dict[str, list[Any]]:
    return dict.fromkeys(methods, params)


def _changed(value: Any, known: Known, choices: Choices) -> Any:
    """One place in it is another value, or one more."""
    if isinstance(value, Mapping) and choices.number(6):
        name = choices.one_of([*value, *value, *value, *value, *NAMES])
        return {**value, name: _changed(value.get(name), known, choices)}
    if isinstance(value, list) and choices.number(6):
        at = choices.number(len(value) + 1)
        return [*value[:at], _changed(value[at] if at < len(value) else None, known, choices), *value[at + 1 :]]
    return _value(known, choices, DEPTH_MAX)


def _value(known: Known, choices: Choices, depth: int) -> Any:
    way = choices.number(12 if depth else 9)
    if way < 2:
        return choices.one_of((None, True, False, "", [], {}, *NUMBERS))
    if way < 4:
        return choices.one_of((*TEXTS, OPERATOR.address, *vars(known).values()))
    if way < 7:
        return "0x" + choices.take(choices.one_of((0, 1, 2, 8, 20, 20, 32, 32, 33, 100))).hex()
    if way < 9:
        return hex(choices.number(1 << choices.number(64)))
    if way == 9:
        return [_value(known, choices, depth - 1) for _ in range(choices.number(ITEMS_MAX))]
    return {choices.one_of((*NAMES, known.contract, "0x0")): _value(known, choices, depth - 1) for _ in range(choices.number(ITEMS_MAX))}
