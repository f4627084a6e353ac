"""How traces look in JSON, field for field as geth writes them."""

from typing import Any

from node.chain.tracing.call_frames import Frame
from node.chain.tracing.prestate import AccountState, States
from node.chain.tracing.struct_logs import Step, StructLogOptions
from node.rpc.hex import to_data, to_quantity

Json = dict[str, Any]


def step_view(step: Step, options: StructLogOptions) -> Json:
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


def frame_view(frame: Frame, *, with_logs: bool) -> Json:
    view: Json = {
        "from": to_data(frame.sender),
        "gas": to_quantity(frame.gas),
        "gasUsed": to_quantity(frame.gas_used),
        "to": None if frame.to is None else to_data(frame.to),
        "input": to_data(frame.input),
        "output": to_data(frame.output) if frame.output else None,
        "error": frame.failure,
        "revertReason": frame.reason,
        "calls": [frame_view(call, with_logs=with_logs) for call in frame.calls] or None,
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


def states_view(states: States) -> Json:
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
