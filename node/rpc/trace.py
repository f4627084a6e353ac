"""`debug_trace…`: transactions run again, and calls run once, watched by geth's struct logger, callTracer or prestateTracer."""

from collections.abc import Callable
from functools import partial
from typing import Any

from node.chain.budget import Budget, BudgetSpent
from node.chain.errors import ChainError, InitcodeTooLarge, NotOnChain
from node.chain.execution import Scene
from node.chain.tracing.call_frames import CallFrames
from node.chain.tracing.prestate import difference, prestate
from node.chain.tracing.replay import Replay, replay, watch_call
from node.chain.tracing.struct_logs import StructLogOptions, StructLogs
from node.chain.tracing.touched import Touched
from node.chain.tracing.watched import Tracer
from node.rpc.block_tag import existing_number, header_at
from node.rpc.dispatch import Handler
from node.rpc.encoding import Encoded, encode_list, encode_object
from node.rpc.errors import SERVER_ERROR, InvalidParams, RpcError
from node.rpc.eth.message import overridden, parse_call, parse_overrides
from node.rpc.hex import hash32, to_data
from node.rpc.ports import NodeView
from node.rpc.trace_shapes import frame_view, states_view, step_view

Json = dict[str, Any]
Watch = Callable[[Tracer], Replay]
BLOCK_TRANSACTIONS_MAX = 100


def methods(node: NodeView) -> dict[str, Handler]:
    history = node.history

    def transaction(transaction_hash: object, options: object = None, *, budget: Budget) -> Json | Encoded:
        place = history.place_of(hash32(transaction_hash))
        if place is None:
            raise NotOnChain("transaction not found")
        return _trace(partial(replay, history, *place, pulse=budget.pulse), _object(options), budget)

    def block(tag: object, options: object = None, *, budget: Budget) -> Encoded:
        number, given = existing_number(history, tag), _object(options)
        if number == 0:
            raise NotOnChain("genesis is not traceable")
        items = history.block(number).transactions
        if len(items) > BLOCK_TRANSACTIONS_MAX:
            raise InvalidParams(f"blocks of more than {BLOCK_TRANSACTIONS_MAX} transactions are traced one transaction at a time")
        watches = (partial(replay, history, number, index, pulse=budget.pulse) for index in range(len(items)))
        return encode_list(
            encode_object({"txHash": to_data(item.hash), "result": _trace(watch, given, budget)})
            for item, watch in zip(items, watches, strict=True)
        )

    def block_by_hash(block_hash: object, options: object = None, *, budget: Budget) -> Encoded:
        return block({"blockHash": block_hash}, options, budget=budget)

    def call(request: object, tag: object = None, options: object = None, *, budget: Budget) -> Json | Encoded:
        given = _object(options)
        if tag == "pending":
            raise RpcError(SERVER_ERROR, "tracing on top of pending is not supported")
        if given.get("txIndex") is not None:
            raise InvalidParams("txIndex is not supported: a call is traced on the state after its block")
        header = overridden(header_at(history, tag), given.get("blockOverrides"))
        scene = Scene(history, header, parse_overrides(given.get("stateOverrides")), pulse=budget.call_limit())
        message = parse_call(request)

        def watch(tracer: Tracer) -> Replay:
            try:
                return watch_call(scene, message, tracer)
            except (BudgetSpent, InitcodeTooLarge):
                raise
            except ChainError as error:
                raise RpcError(SERVER_ERROR, f"tracing failed: {error}") from error

        return _trace(watch, given, budget)

    return {
        "debug_traceTransaction": transaction,
        "debug_traceBlockByNumber": block,
        "debug_traceBlockByHash": block_by_hash,
        "debug_traceCall": call,
    }


def _trace(watch: Watch, options: Json, budget: Budget) -> Json | Encoded:
    name, settings = options.get("tracer"), _object(options.get("tracerConfig"))
    if name in (None, ""):
        logs = StructLogs(_struct_log_options(options), budget.hold)
        done = watch(logs)
        result = {"gas": done.gas_used, "failed": done.computation.is_error, "returnValue": to_data(bytes(done.computation.output))}
        return encode_object({**result, "structLogs": encode_list(step_view(step, logs.options) for step in logs.steps)})
    if name == "callTracer":
        frames = CallFrames(budget.hold, top_only=settings.get("onlyTopCall") is True)
        return frame_view(frames.top(watch(frames)), with_logs=settings.get("withLog") is True)
    if name == "prestateTracer":
        touched = Touched()
        done = watch(touched)
        if settings.get("diffMode") is not True:
            return states_view(prestate(done, touched, budget.hold))
        before, after = difference(done, touched, budget.hold)
        return {"pre": states_view(before), "post": states_view(after)}
    raise RpcError(SERVER_ERROR, f"tracer not found: {str(name)[:100]}")


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


def _object(given: object) -> Json:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InvalidParams("trace options must be an object")
    return given
