"""Which accounts and storage slots a message looked at: what access lists and prestates are made of."""

from eth.abc import MessageAPI
from eth.vm.computation import BaseComputation

from node.chain.tracing.watched import Tracer, as_number

_ADDRESS_AT = {
    "EXTCODECOPY": 1,
    "EXTCODEHASH": 1,
    "EXTCODESIZE": 1,
    "BALANCE": 1,
    "SELFDESTRUCT": 1,
    "CALL": 2,
    "CALLCODE": 2,
    "DELEGATECALL": 2,
    "STATICCALL": 2,
}  # fmt: skip  (operation → position from the stack's top, counted from 1)


class Touched(Tracer):
    def __init__(self) -> None:
        self.slots: dict[bytes, set[int]] = {}  # accounts in the order met, each with its slots
        self.created: set[bytes] = set()

    def before_step(self, computation: BaseComputation, operation: str) -> None:
        stack = computation._stack.values  # type: ignore[attr-defined]
        if operation in ("SLOAD", "SSTORE"):
            if stack:
                self.slots.setdefault(bytes(computation.msg.storage_address), set()).add(as_number(stack[-1]))
            return
        position = _ADDRESS_AT.get(operation)
        if position is not None and len(stack) >= position:
            self.slots.setdefault((as_number(stack[-position]) & ((1 << 160) - 1)).to_bytes(20, "big"), set())

    def enter(self, parent: BaseComputation, message: MessageAPI) -> None:
        if message.is_create:
            self.slots.setdefault(bytes(message.storage_address), set())
            self.created.add(bytes(message.storage_address))
