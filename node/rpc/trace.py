"""`debug_traceTransaction` with geth's tracers: struct logs (the default), callTracer and prestateTracer."""

from typing import Any

from node.chain.errors import NotOnChain
from node.chain.tracing.call_frames import CallFrames, Frame
from node.chain.tracing.prestate import AccountState, States, difference, prestate
from node.chain.tracing.replay import replay
from node.chain.tracing.struct_logs import Step, StructLogOptions, StructLogs
from node.chain.tracing.touched import Touched
from node.rpc.block_tag import existing_number
from node.rpc.dispatch import Handler
from node.rpc.errors import SERVER_ERROR, InvalidParams, RpcError
from node.rpc.hex import hash32, to_data, to_quantity
from node.rpc.ports import NodeView

Json = dict[str, Any]
BLOCK_TRANSACTIONS_MAX = 100


def methods(node: NodeView) -> dict[str, Handler]:
    history = node.history

    def transaction(transaction_hash: object, options: object = None) -> Json:
        place = history.place_of(hash32(transaction_hash))
        if place is None:
            raise NotOnChain("transaction not found")
        return _trace(*place, _object(options))

    def block(tag: object, options: object = None) -> list[Json]:
        number, given = existing_number(history, tag), _object(options)
        items = history.block(number).transactions
        if len(items) > BLOCK_TRANSACTIONS_MAX:
            raise InvalidParams(f"blocks of more than {BLOCK_TRANSACTIONS_MAX} transactions are traced one transaction at a time")
        return [{"txHash": to_data(item.hash), "result": _trace(number, index, given)} for index, item in enumerate(items)]

    def block_by_hash(block_hash: object, options: object = None) -> list[Json]:
        return block({"blockHash": block_hash}, options)

    def _trace(number: int, index: int, options: Json) -> Json:
        name, settings = options.get("tracer"), _object(options.get("tracerConfig"))
        if name in (None, ""):
            logs = StructLogs(_struct_log_options(options))
            done = replay(history, number, index, logs)
            return {
                "gas": done.gas_used,
                "failed": done.computation.is_error,
                "returnValue": to_data(bytes(done.computation.output)),
                "structLogs": [_step_view(step, logs.options) for step in logs.steps],
            }
        if name == "callTracer":
            frames = CallFrames(top_only=settings.get("onlyTopCall") is True)
            return _frame_view(frames.top(replay(history, number, index, frames)), with_logs=settings.get("withLog") is True)
        if name == "prestateTracer":
            touched = Touched()
            done = replay(history, number, index, touched)
            if settings.get("diffMode") is not True:
                return _states_view(prestate(done, touched))
            before, after = difference(done, touched)
            return {"pre": _states_view(before), "post": _states_view(after)}
        raise RpcError(SERVER_ERROR, f"tracer not found: {str(name)[:100]}")

    return {
        "debug_traceTransaction": transaction,
        "debug_traceBlockByNumber": block,
        "debug_traceBlockByHash": block_by_hash,
    }


def _struct_log_options(options: Json) -> StructLogOptions:
    limit = options.get("limit", 0)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise InvalidParams("limit must be a whole number from 0")
    return StructLogOptions(
        stack=options.get("disableStack") is not True,
        memory=options.get("enableMemory") is True,
        storage=options.get("disableStorage") is not True,
        return_data=options.get("enableReturnData") is True,
        steps_max=limit,
    )


def _step_view(step: Step, options: StructLogOptions) -> Json:
    view: Json = {"pc": step.pc, "op": step.operation, "gas": step.gas, "gasCost": step.gas_cost, "depth": step.depth}
    if options.stack:
        view["stack"] = [to_quantity(item) for item in step.stack]
    if options.memory:
        view["memory"] = [to_data(step.memory[start : start + 32]) for start in range(0, len(step.memory), 32)]
    if step.return_data:
        view["returnData"] = to_data(step.return_data)
    if step.storage is not None:
        view["storage"] = {_word(slot): _word(value) for slot, value in step.storage.items()}
    return view if step.failure is None else {**view, "error": step.failure}


def _frame_view(frame: Frame, *, with_logs: bool) -> Json:
    view: Json = {
        "from": to_data(frame.sender),
        "gas": to_quantity(frame.gas),
        "gasUsed": to_quantity(frame.gas_used),
        "to": None if frame.to is None else to_data(frame.to),
        "input": to_data(frame.input),
        "output": to_data(frame.output) if frame.output else None,
        "error": frame.failure,
        "revertReason": frame.reason,
        "calls": [_frame_view(call, with_logs=with_logs) for call in frame.calls] or None,
        "logs": [
            {
                "address": to_data(log.address),
                "topics": [to_data(topic) for topic in log.topics],
                "data": to_data(log.data),
                "position": to_quantity(position),
            }
            for log, position in (frame.logs if with_logs else [])
        ]
        or None,
        "value": None if frame.value is None else to_quantity(frame.value),
        "type": frame.kind,
    }
    return {name: value for name, value in view.items() if value is not None}


def _states_view(states: States) -> Json:
    return {to_data(address): _account_view(state) for address, state in states.items()}


def _account_view(state: AccountState) -> Json:
    view: Json = {
        "balance": None if state.balance is None else to_quantity(state.balance),
        "nonce": state.nonce,
        "code": None if state.code is None else to_data(state.code),
        "storage": {_word(slot): _word(value) for slot, value in state.storage.items()} or None,
    }
    return {name: value for name, value in view.items() if value is not None}


def _word(value: int) -> str:
    return to_data(value.to_bytes(32, "big"))


def _object(given: object) -> Json:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InvalidParams("trace options must be an object")
    return given
