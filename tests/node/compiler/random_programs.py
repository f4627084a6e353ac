"""Random EVM programs, biased to what translation may get wrong: stack depth, jumps, memory growth, constants, gas."""

from random import Random

from eth.vm import opcode_values as op

PLAIN = [*range(op.ADD, op.SIGNEXTEND + 1), *range(op.LT, op.SAR + 1), op.SHA3]
READING = [op.ADDRESS, op.CALLER, op.CALLVALUE, op.CALLDATASIZE, op.CODESIZE, op.GAS, op.MSIZE, op.PC, op.RETURNDATASIZE, op.TIMESTAMP]
STATEFUL = [op.SLOAD, op.SSTORE, op.TLOAD, op.TSTORE, op.MLOAD, op.MSTORE, op.MSTORE8, op.CALLDATALOAD, *range(op.LOG0, op.LOG4 + 1)]
COPYING = [op.CALLDATACOPY, op.CODECOPY, op.RETURNDATACOPY, op.MCOPY, op.BALANCE, op.EXTCODESIZE, op.EXTCODEHASH, op.BLOCKHASH]
CALLING = [op.CALL, op.STATICCALL, op.DELEGATECALL, op.CALLCODE, op.CREATE, op.CREATE2]
ENDING = [op.STOP, op.RETURN, op.REVERT, 0xFE, 0x0C, op.SELFDESTRUCT]
CONSTANTS = [0, 1, 2, 7, 31, 32, 33, 64, 255, 256, 257, 1023, 1 << 128, (1 << 255) - 1, 1 << 255, (1 << 256) - 1]


def random_program(random: Random) -> bytes:
    """Most start with a filled stack and end by returning what is on it, so that wrong values show."""
    start = _pushes(random, random.choice((0, 3, 17, 17)))
    body = random.choice((_any_bytes, _stack_heavy, _jump_heavy, _jump_heavy, _checking, _mixed))(random, len(start))
    return start + body + _shown(random.randint(0, 6))


def _shown(count: int) -> bytes:
    """Returns the top items of the stack and a little of what memory held."""
    stores = b"".join(_constant(32 * place) + bytes([op.MSTORE]) for place in range(count))
    return stores + _constant(256) + bytes([op.PUSH0, op.RETURN])


def _pushes(random: Random, count: int) -> bytes:
    return b"".join(_push(random) for _ in range(count))


def _any_bytes(random: Random, at: int) -> bytes:
    return random.randbytes(random.randint(1, 60))


def _stack_heavy(random: Random, at: int) -> bytes:
    """Pushes, duplications and swaps near an empty or, by a loop, a full stack."""
    body = bytearray()
    for _ in range(random.randint(3, 40)):
        body += random.choice((_push(random), _push(random), bytes([random.randint(op.DUP1, op.SWAP16)]), bytes([op.POP])))
        if random.random() < 0.2:
            body.append(random.choice(PLAIN))
    if random.random() < 0.5:
        return bytes([op.JUMPDEST, *body]) + _constant(at) + bytes([op.JUMP])
    return bytes(body)


def _jump_heavy(random: Random, at: int) -> bytes:
    """Jumps among a few targets; the conditions run down a counter, so that most programs end."""
    body = bytearray(_constant(random.randint(1, 9)))
    places: list[int] = []
    for _ in range(random.randint(2, 8)):
        places.append(at + len(body))
        target = random.choice(places) if random.random() < 0.95 else random.randint(0, 80)
        body.append(op.JUMPDEST)
        body += random.choice((b"", _operations(random, 1)))
        body += _constant(1) + bytes([op.SWAP1, op.SUB, op.DUP1, *random.choice(((), (op.ISZERO,), (op.ISZERO, op.ISZERO)))])
        body += _constant(target) + bytes([random.choice((op.JUMPI, op.JUMPI, op.JUMPI, op.JUMPI, op.JUMP))])
    return bytes(body)


def _checking(random: Random, at: int) -> bytes:
    """Checks as compilers write them: jump over a failure if all is well."""
    body = bytearray()
    for _ in range(random.randint(1, 5)):
        body += _operations(random, random.randint(0, 2)) + _push(random) + _push(random)
        body += bytes([random.choice((op.LT, op.GT, op.SLT, op.EQ, op.SUB)), *random.choice(((), (op.ISZERO,)))])
        failure = random.choice((bytes([op.PUSH0, op.PUSH0, op.REVERT]), bytes([0xFE]), bytes([op.PUSH1, 3, op.POP])))
        body += bytes([op.PUSH2]) + (at + len(body) + 4 + len(failure)).to_bytes(2) + bytes([op.JUMPI]) + failure
        body.append(op.JUMPDEST)
    return bytes(body)


def _mixed(random: Random, at: int) -> bytes:
    return _operations(random, random.randint(2, 25)) + bytes([random.choice((*ENDING, op.POP, op.POP, op.POP))])


def _operations(random: Random, count: int) -> bytes:
    body = bytearray()
    for _ in range(count):
        group = random.choices((PLAIN, READING, STATEFUL, COPYING, CALLING), (8, 3, 6, 2, 1))[0]
        opcode = random.choice(group)
        body += _pushes(random, 7 if group is CALLING else random.randint(0, 4))
        body.append(opcode)
    return bytes(body)


def _push(random: Random) -> bytes:
    return _constant(random.choice((*CONSTANTS, *[random.randint(0, 300)] * 40, random.getrandbits(256))))


def _constant(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return bytes([op.PUSH0 + size]) + value.to_bytes(size)
