"""A state whose EVM tells a tracer of every step and every message."""

from collections.abc import Callable
from typing import Any

from eth.abc import ComputationAPI, MessageAPI
from eth.exceptions import Halt, VMError
from eth.vm.computation import BaseComputation
from eth.vm.logic.invalid import InvalidOpcode

from node.chain.rules import NodeComputation, NodeState


class Tracer:
    """Does nothing; a tracer overrides what it wants to know."""

    def before_step(self, computation: BaseComputation, operation: str) -> None:
        """The operation's byte is read, nothing of it done: the program counter stands one behind it."""

    def after_step(self, computation: BaseComputation, failure: VMError | None) -> None: ...

    def enter(self, parent: BaseComputation, message: MessageAPI) -> None:
        """A call or creation begins inside another. The outermost message is not announced."""

    def leave(self, child: ComputationAPI) -> None: ...


def watched_state(tracer: Tracer) -> type[NodeState]:
    class WatchedComputation(NodeComputation):
        hot_code = None  # a tracer sees every step
        opcodes = _WatchedOperations(NodeComputation.opcodes, tracer)

        @classmethod
        def apply_computation(cls, *arguments: Any, **named: Any) -> ComputationAPI:
            interpreter = BaseComputation.apply_computation.__func__  # type: ignore[attr-defined]  # py-evm's own loop
            finished: ComputationAPI = interpreter(cls, *arguments, **named)
            return finished

        def generate_child_computation(self, child_msg: MessageAPI) -> ComputationAPI:
            tracer.enter(self, child_msg)
            child = super().generate_child_computation(child_msg)
            tracer.leave(child)
            return child

    class WatchedState(NodeState):
        computation_class = WatchedComputation

    return WatchedState


class _WatchedOperations(dict[int, Any]):
    def __init__(self, operations: dict[int, Any], tracer: Tracer) -> None:
        super().__init__({code: _watched(operation, _name(operation), tracer) for code, operation in operations.items()})
        self._tracer = tracer

    def __missing__(self, code: int) -> Any:
        return _watched(InvalidOpcode(code), "INVALID" if code == 0xFE else f"opcode {code:#x} not defined", self._tracer)


def _watched(operation: Any, name: str, tracer: Tracer) -> Callable[..., None]:
    def step(computation: BaseComputation) -> None:
        tracer.before_step(computation, name)
        try:
            operation(computation)
        except Halt:
            tracer.after_step(computation, None)
            raise
        except VMError as error:
            tracer.after_step(computation, error)
            raise
        tracer.after_step(computation, None)

    return step


def _name(operation: Any) -> str:
    """As geth writes it."""
    name = str(getattr(operation, "mnemonic", None) or operation.__wrapped__.mnemonic)
    return {"SHA3": "KECCAK256", "PREVRANDAO": "DIFFICULTY"}.get(name, name)


def as_number(item: int | bytes) -> int:
    """py-evm keeps stack items in the form they were pushed."""
    return item if isinstance(item, int) else int.from_bytes(item, "big")
