"""The routines of one contract's code, translated as they are first reached and kept while the code stays hot."""

from collections.abc import Callable, Mapping
from typing import Any

from eth.vm.logic.invalid import InvalidOpcode
from eth.vm.opcode import _FastOpcode
from eth_hash.auto import keccak

from node.chain.compiler import frame
from node.chain.compiler.jump_targets import bad_jump, jump_targets
from node.chain.compiler.translation import translate
from node.chain.compiler.writing import MAX, SIGN, Code

Routine = Callable[[frame.Frame], int]


class Program:
    """Safe to share between threads: at worst two translate the same routine."""

    def __init__(self, body: bytes, opcodes: Mapping[int, Any]) -> None:
        self.code = Code(body, jump_targets(body), opcodes)
        self.routines: dict[int, Routine] = {}
        self.lines_translated = 0
        self._names = _names(self.code)

    def translate(self, position: int) -> Routine:
        source = translate(self.code, position)
        self.lines_translated += source.count("\n")
        defined: dict[str, Routine] = {}
        exec(compile(source, f"<EVM code from {position}>", "exec"), self._names, defined)  # noqa: S102 (whole numbers and fixed texts)
        routine = self.routines[position] = defined["routine"]
        return routine


def _names(code: Code) -> dict[str, Any]:
    """What the source of a routine may call."""
    return {
        "__builtins__": {"int": int, "len": len},
        "MAX": MAX,
        "SIGN": SIGN,
        "bad_jump": bad_jump,
        "code": code.body,
        "from_bytes": int.from_bytes,
        "grow": frame.grow,
        "keccak": keccak,
        "out_of_gas": frame.out_of_gas,
        "read_slot": frame.read_slot,
        "targets": code.targets,
        "write_log": frame.write_log,
        "write_slot": frame.write_slot,
        **{f"operation_{opcode}": _handler(code.opcodes, opcode) for opcode in range(256)},
    }


def _handler(opcodes: Mapping[int, Any], opcode: int) -> Callable[..., Any]:
    """What a routine calls for an opcode it does not spell out; the fixed price of a plain one is in the routine already."""
    operation = opcodes.get(opcode)
    if operation is None:
        operation = InvalidOpcode(opcode)
    handler: Callable[..., Any] = operation.logic_fn if type(operation) is _FastOpcode else operation
    return handler
