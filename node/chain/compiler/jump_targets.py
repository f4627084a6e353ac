"""Where EVM code may be jumped to: JUMPDEST bytes that are not the data of a PUSH."""

from eth.exceptions import InvalidInstruction, InvalidJumpDestination, VMError
from eth.vm.opcode_values import JUMPDEST, PUSH1, PUSH32


def jump_targets(code: bytes) -> frozenset[int]:
    targets = []
    position, size = 0, len(code)
    while position < size:
        opcode = code[position]
        if opcode == JUMPDEST:
            targets.append(position)
        position += opcode - PUSH1 + 2 if PUSH1 <= opcode <= PUSH32 else 1
    return frozenset(targets)


def bad_jump(code: bytes, target: int) -> VMError:
    """The error that py-evm's jump raises for a place that is no target."""
    if target < len(code) and code[target] == JUMPDEST:
        return InvalidInstruction("Jump resulted in invalid instruction")
    return InvalidJumpDestination("Invalid Jump Destination")
