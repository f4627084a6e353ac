"""The compiler: random programs, changed programs and the ledger's own bytecode, changed too, end as py-evm ends them."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from random import Random

from eth.vm import opcode_values as op

from tests.builders.abi import ARTIFACTS
from tests.node.compiler.differential import assert_same
from tests.node.compiler.random_programs import random_program
from tests.node.fuzz.choices import Choices
from tests.node.fuzz.target import Check, Target

GAS_MAX = 60_000
EDITS_MAX = 12
Instructions = list[bytes]  # an opcode each, with the data it pushes


def seeds() -> list[bytes]:
    random = Random(2)
    written = [b"\0\0\xff\xff" + len(program).to_bytes(2) + program for program in (random_program(random) for _ in range(30))]
    drawn = [bytes([1, 0, 0xFF, 0xFF]) + random.randbytes(40) for _ in range(10)]
    calls = [bytes([way, 0, 0xFF, 0xFF]) + random.randbytes(80) for way in (2, 3) for _ in range(10)]
    return written + drawn + calls


@contextmanager
def checking() -> Iterator[Check]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "SELFDESTRUCT opcode present")
        yield check


def check(data: bytes) -> None:
    choices = Choices(data)
    way, is_static, gas = choices.number(4), choices.number(8) == 1, choices.number(GAS_MAX)
    if way == 0:
        body = choices.take(choices.number(1_024))
        assert_same(body, gas=gas, is_static=is_static, other=choices.rest())
    elif way == 1:
        random = Random(choices.number(1 << 63))
        body, other = random_program(random), random_program(random)
        assert_same(edited(body, choices), gas=gas, is_static=is_static, other=other)
    else:
        call = choices.one_of(selectors()) + b"".join(_word(choices) for _ in range(choices.number(12)))
        body = edited(ledger_code(), choices) if way == 3 else ledger_code()
        assert_same(body, gas=gas, is_static=is_static, call_data=call)


def edited(body: bytes, choices: Choices) -> bytes:
    """Whole instructions are dropped, doubled, exchanged and replaced, so that most of the program keeps its sense."""
    code = instructions(body)
    for _ in range(choices.number(EDITS_MAX)):
        at, other = choices.number(1 << 16) % len(code), choices.number(1 << 16) % len(code)
        way = choices.number(6)
        if way == 0 and len(code) > 1:
            del code[at]
        elif way == 1:
            code.insert(at, code[other])
        elif way == 2:
            code[at], code[other] = code[other], code[at]
        elif way == 3:
            code[at] = choices.take(1) + code[at][1:]
        elif way == 4:
            code[at] = code[at][:1] + choices.take(len(code[at]) - 1)
        else:
            code[at:at] = code[other : other + choices.number(20)]
    return b"".join(code)


def instructions(body: bytes) -> Instructions:
    code, at = [], 0
    while at < len(body):
        size = body[at] - op.PUSH0 + 1 if op.PUSH1 <= body[at] <= op.PUSH32 else 1
        code.append(body[at : at + size])
        at += size
    return code or [bytes([op.STOP])]


def _word(choices: Choices) -> bytes:
    return choices.one_of((bytes(31) + choices.take(1), choices.take(32), bytes(12) + b"\xc0" * 20, b"\xff" * 32))


@cache
def ledger_code() -> bytes:
    return bytes.fromhex(json.loads((ARTIFACTS / "PointsLedger.json").read_text())["deployedBytecode"][2:])


@cache
def selectors() -> list[bytes]:
    """What follows a PUSH4 in the ledger's code: its functions' selectors among other things."""
    return sorted({instruction[1:] for instruction in instructions(ledger_code()) if instruction[0] == op.PUSH4})


TARGET = Target(seeds, checking)
