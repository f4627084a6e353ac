"""Why a message failed, in geth's words: what callers match on."""

from eth.exceptions import (
    ContractCreationCollision,
    FullStack,
    InsufficientFunds,
    InsufficientStack,
    InvalidInstruction,
    InvalidJumpDestination,
    OutOfBoundsRead,
    OutOfGas,
    ReservedBytesInCode,
    Revert,
    StackDepthLimit,
    VMError,
    WriteProtection,
)
from eth_abi.abi import decode as abi_decode
from eth_abi.exceptions import DecodingError

REVERT_STRING = bytes.fromhex("08c379a0")
REVERT_PANIC = bytes.fromhex("4e487b71")
PANICS = {
    0x00: "generic panic",
    0x01: "assert(false)",
    0x11: "arithmetic underflow or overflow",
    0x12: "division or modulo by zero",
    0x21: "enum overflow",
    0x22: "invalid encoded storage byte array accessed",
    0x31: "out-of-bounds array access; popping on an empty array",
    0x32: "out-of-bounds access of an array or bytesN",
    0x41: "out of memory",
    0x51: "uninitialized function",
}
_TEXTS: dict[type[VMError], str] = {
    OutOfGas: "out of gas",
    Revert: "execution reverted",
    InvalidJumpDestination: "invalid jump destination",
    InsufficientStack: "stack underflow",
    FullStack: "stack limit reached 1024 (1023)",
    StackDepthLimit: "max call depth exceeded",
    InsufficientFunds: "insufficient balance for transfer",
    ContractCreationCollision: "contract address collision",
    WriteProtection: "write protection",
    OutOfBoundsRead: "return data out of bounds",
    ReservedBytesInCode: "invalid code: must not begin with 0xef",
}


def failure_text(error: VMError) -> str:
    if isinstance(error, InvalidInstruction):
        code = str(error).split(" ")[2] if str(error).startswith("Invalid opcode 0x") else "0xfe"
        return "invalid opcode: INVALID" if code == "0xfe" else f"invalid opcode: opcode {code} not defined"
    return next((text for kind, text in _TEXTS.items() if isinstance(error, kind)), str(error))


def revert_reason(data: bytes) -> str | None:
    """The text of `Error(string)` or `Panic(uint256)`; None for custom errors and bare reverts."""
    try:
        if data[:4] == REVERT_STRING:
            return str(abi_decode(["string"], data[4:])[0])
        if data[:4] == REVERT_PANIC:
            code = abi_decode(["uint256"], data[4:])[0]
            return PANICS.get(code, f"unknown panic code: 0x{code:x}")
    except (DecodingError, UnicodeDecodeError, OverflowError):
        pass
    return None
