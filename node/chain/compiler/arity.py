"""How many items an opcode takes from the stack and leaves on it, for those whose py-evm handler a routine may call.

Not for those that move in the code or reach down the stack: where a routine does not spell them out, py-evm carries on.
"""

from collections.abc import Mapping

from eth.vm import opcode_values as op

ARITY: Mapping[int, tuple[int, int]] = {
    op.STOP: (0, 0),
    **dict.fromkeys(range(op.ADD, op.SMOD + 1), (2, 1)),
    op.ADDMOD: (3, 1),
    op.MULMOD: (3, 1),
    op.EXP: (2, 1),
    op.SIGNEXTEND: (2, 1),
    **dict.fromkeys(range(op.LT, op.EQ + 1), (2, 1)),
    op.ISZERO: (1, 1),
    **dict.fromkeys((op.AND, op.OR, op.XOR, op.BYTE, op.SHL, op.SHR, op.SAR, op.SHA3), (2, 1)),
    op.NOT: (1, 1),
    **dict.fromkeys((op.BALANCE, op.CALLDATALOAD, op.EXTCODESIZE, op.EXTCODEHASH, op.BLOCKHASH, op.BLOBHASH), (1, 1)),
    **dict.fromkeys((op.ADDRESS, op.ORIGIN, op.CALLER, op.CALLVALUE, op.CALLDATASIZE, op.CODESIZE, op.GASPRICE), (0, 1)),
    **dict.fromkeys((op.RETURNDATASIZE, op.COINBASE, op.TIMESTAMP, op.NUMBER, op.PREVRANDAO, op.GASLIMIT), (0, 1)),
    **dict.fromkeys((op.CHAINID, op.SELFBALANCE, op.BASEFEE, op.BLOBBASEFEE, op.MSIZE), (0, 1)),
    **dict.fromkeys((op.CALLDATACOPY, op.CODECOPY, op.RETURNDATACOPY, op.MCOPY), (3, 0)),
    op.EXTCODECOPY: (4, 0),
    op.MLOAD: (1, 1),
    op.MSTORE: (2, 0),
    op.MSTORE8: (2, 0),
    op.SLOAD: (1, 1),
    op.SSTORE: (2, 0),
    op.TLOAD: (1, 1),
    op.TSTORE: (2, 0),
    **{op.LOG0 + topics: (2 + topics, 0) for topics in range(5)},
    op.CREATE: (3, 1),
    op.CREATE2: (4, 1),
    op.CALL: (7, 1),
    op.CALLCODE: (7, 1),
    op.DELEGATECALL: (6, 1),
    op.STATICCALL: (6, 1),
    op.RETURN: (2, 0),
    op.REVERT: (2, 0),
    op.SELFDESTRUCT: (1, 0),
}

ENDS = frozenset((op.STOP, op.RETURN, op.REVERT, op.SELFDESTRUCT))
