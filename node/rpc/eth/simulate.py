"""eth_simulateV1: blocks of unsigned calls on top of a sealed block, as geth answers it."""

from typing import Any

from eth.exceptions import Revert

from node.chain import errors
from node.chain.budget import Budget
from node.chain.errors import TransactionRefused
from node.chain.failures import failure_text, revert_reason
from node.chain.history import FoundLog
from node.chain.simulation.blocks import Rules, SimulatedBlock, SimulatedCall, simulate
from node.chain.simulation.plan import NumbersOutOfOrder, PlannedBlock, PlannedCall, TimestampsOutOfOrder
from node.rpc.block_tag import header_at
from node.rpc.dispatch import Handler
from node.rpc.encoding import Encoded, encode_list
from node.rpc.errors import INITCODE_TOO_LARGE, REVERTED, SERVER_ERROR, InvalidParams, RpcError
from node.rpc.eth.message import header_changes, parse_call, parse_overrides
from node.rpc.hex import quantity, to_data, to_quantity
from node.rpc.ports import NodeView
from node.rpc.shapes import block_view, log_view

BLOCKS_MAX, CALLS_MAX = 256, 1_000
EXECUTION_FAILED = -32015
CODES: dict[type[errors.ChainError], int] = {
    errors.NonceTooLow: -38010,
    errors.NonceTooHigh: -38011,
    errors.FeeTooLow: -38012,
    errors.IntrinsicGasTooLow: -38013,
    errors.InsufficientFunds: -38014,
    errors.GasAboveLimit: -38015,
    NumbersOutOfOrder: -38020,
    TimestampsOutOfOrder: -38021,
    errors.InitcodeTooLarge: INITCODE_TOO_LARGE,
    errors.TooMuch: -38026,
}


def methods(node: NodeView) -> dict[str, Handler]:
    def simulate_v1(request: object, block: object = None, *, budget: Budget) -> Encoded:
        given = _object(request, "the simulation")
        try:
            blocks = _planned_blocks(given.get("blockStateCalls"))
            rules = Rules(validation=given.get("validation") is True, transfers=given.get("traceTransfers") is True)
            done = simulate(node.history, header_at(node.history, block), blocks, rules, budget)
        except (TransactionRefused, NumbersOutOfOrder, TimestampsOutOfOrder, errors.TooMuch) as error:
            raise RpcError(CODES.get(type(error), SERVER_ERROR), str(error)) from error
        return encode_list(_block_view(item, whole_transactions=given.get("returnFullTransactions") is True) for item in done)

    return {"eth_simulateV1": simulate_v1}


def _planned_blocks(items: object) -> list[PlannedBlock]:
    if not isinstance(items, list) or not items:
        raise InvalidParams("empty input")
    blocks = [_planned_block(_object(item, "a block")) for item in items[: BLOCKS_MAX + 1]]
    if len(blocks) > BLOCKS_MAX or sum(len(block.calls) for block in blocks) > CALLS_MAX:
        raise errors.TooMuch(f"too many blocks or calls: at most {BLOCKS_MAX} and {CALLS_MAX}")
    return blocks


def _planned_block(given: dict[str, Any]) -> PlannedBlock:
    unknown = sorted(set(given) - {"blockOverrides", "stateOverrides", "calls"})
    if unknown:
        raise InvalidParams(f"unknown field in block: {unknown[0][:100]!r}")
    changes = header_changes(given.get("blockOverrides"))
    calls = given.get("calls") or []
    if not isinstance(calls, list):
        raise InvalidParams("calls must be an array")
    return PlannedBlock(
        number=changes.pop("block_number", None),
        timestamp=changes.pop("timestamp", None),
        header=changes,
        overrides=parse_overrides(given.get("stateOverrides")),
        calls=tuple(_planned_call(_object(call, "a call")) for call in calls),
    )


def _planned_call(given: dict[str, Any]) -> PlannedCall:
    return PlannedCall(
        parse_call(given),
        nonce=quantity(given["nonce"], "nonce", bits=64) if "nonce" in given else None,
        gas=quantity(given["gas"], "gas", bits=64) if "gas" in given else None,
        legacy="gasPrice" in given,
    )


def _block_view(done: SimulatedBlock, *, whole_transactions: bool) -> dict[str, Any]:
    calls, logs_before = [], 0
    for index, call in enumerate(done.calls):
        calls.append(_call_view(done, index, call, logs_before))
        logs_before += len(call.logs)
    return {**block_view(done.block, whole_transactions=whole_transactions), "calls": calls}


def _call_view(done: SimulatedBlock, index: int, call: SimulatedCall, logs_before: int) -> dict[str, Any]:
    place = (done.block.number, done.block.hash, done.block.transactions[index].hash, index)
    timestamp = done.block.header.timestamp
    view: dict[str, Any] = {
        "returnData": to_data(call.output),
        "logs": [log_view(FoundLog(log, *place, logs_before + offset, timestamp)) for offset, log in enumerate(call.logs)],
        "gasUsed": to_quantity(call.gas_used),
        "maxUsedGas": to_quantity(call.gas_used_max),
        "status": to_quantity(int(call.failure is None)),
    }
    return view if call.failure is None else {**view, "error": _failure_view(call)}


def _failure_view(call: SimulatedCall) -> dict[str, Any]:
    assert call.failure is not None
    if not isinstance(call.failure, Revert):
        return {"message": failure_text(call.failure), "code": EXECUTION_FAILED}
    reason = revert_reason(call.output)
    message = "execution reverted" if reason is None else f"execution reverted: {reason}"
    return {"message": message, "code": REVERTED, "data": to_data(call.output)}


def _object(given: object, name: str) -> dict[str, Any]:
    """Without the fields that are null."""
    if not isinstance(given, dict):
        raise InvalidParams(f"{name} must be an object")
    return {key: value for key, value in given.items() if value is not None}
