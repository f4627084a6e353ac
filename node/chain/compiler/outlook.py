"""Which side of a conditional jump is the unlikely one: compilers put the failure of a check right behind it."""

from eth.vm import opcode_values as op

SCAN_MAX = 48
_UNCLEAR = frozenset((op.STOP, op.RETURN, op.JUMPI, op.SSTORE, op.CALL, op.SELFDESTRUCT))


def leads_to_failure(code: bytes, position: int) -> bool:
    """Whether the code from `position` surely reverts, following constant jumps, as far as a short look can tell."""
    pushed: int | None = None
    for _ in range(SCAN_MAX):
        opcode = code[position] if position < len(code) else op.STOP
        if opcode in (op.REVERT, 0xFE):
            return True
        if opcode in _UNCLEAR or (opcode == op.JUMP and pushed is None):
            return False
        size = opcode - op.PUSH1 + 1 if op.PUSH1 <= opcode <= op.PUSH32 else 0
        if opcode == op.JUMP and pushed is not None:
            position = pushed
        else:
            pushed = int.from_bytes(code[position + 1 : position + 1 + size]) if size else None
            position += 1 + size
    return False
