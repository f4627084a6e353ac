"""Bytes that nobody packed: contract and model read them alike, and the batch around them goes through."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from gateway.ledger.entries import encode_entry
from gateway.ledger.framing import pack_entries, unpack_entries
from gateway.ledger.lots import split_lot_id
from tests.builders.coalition_machine import CoalitionMachine
from tests.builders.ledger_machine import BRANDS
from tests.depth import from_deep_on, in_a_soak

BATCHES = in_a_soak(2_000, from_deep_on(200, 50))
ENTRIES_EACH = 25
GROCER = BRANDS[0]
HEADERS = {"BatchSignatureInvalid", "BatchKeyNotValid", "BatchNumberUsed", "BatchExpired"}


@pytest.fixture(scope="module")
def machine() -> CoalitionMachine:
    machine = CoalitionMachine()
    machine.deploy()
    return machine


def good_entries(machine: CoalitionMachine) -> list[bytes]:
    """Of every kind, about reservations and issues that exist."""
    entries = [*machine.every_kind(GROCER, 0), *machine.every_kind(GROCER, 1), machine.by_brand_grant(GROCER, 0, 3)]
    return [encode_entry(entry) for entry in entries]


def mutated(dice: random.Random, entry: bytes, other: bytes) -> bytes:
    place, length = dice.randrange(len(entry)), dice.randint(1, 8)
    ways: list[Callable[[], bytes]] = [
        lambda: entry[:place] + bytes([entry[place] ^ 1 << dice.randrange(8)]) + entry[place + 1 :],
        lambda: entry[:place] + dice.randbytes(length) + entry[place + length :],
        lambda: entry[:place] + b"\xff" * length + entry[place + length :],
        lambda: entry[:place] + bytes(length) + entry[place + length :],
        lambda: entry[:place],
        lambda: entry + dice.randbytes(length),
        lambda: entry[:place] + other[place:],
        lambda: bytes([dice.randrange(16)]) + entry[1:],
        lambda: bytes([dice.randrange(256)]) + dice.randbytes(dice.randrange(300)),
        lambda: entry,
    ]
    return dice.choice(ways)()


@pytest.mark.timeout(4 * 3_600)
def test_mutated_entries_are_read_as_the_model_reads_them(machine: CoalitionMachine) -> None:
    dice = random.Random(20_261)
    entries = good_entries(machine)
    refused: set[str] = set()
    for number in range(BATCHES):
        if number % 20 == 19:
            entries = good_entries(machine)
        packed = [mutated(dice, dice.choice(entries), dice.choice(entries)) for _ in range(ENTRIES_EACH)]
        data = pack_entries(packed)
        if number % 3 == 0:  # and the frames themselves
            place = dice.randrange(len(data))
            data = data[:place] + dice.randbytes(2) + data[place + dice.randrange(4) :]
        refusals = machine.ledger.submit_packed(GROCER, data, unpack_entries(data))
        refused |= {str(reason) for _, reason in refusals}
    held = machine.ledger.model.state.held
    assert {key: machine.ledger.held(key[0], *split_lot_id(key[1]))[0] for key in held} == held
    assert refused >= {"MalformedEntry", "UnknownEntryKind", "UnknownReservation"}
    assert len(refused) >= 12


def test_mutated_headers_and_signatures_are_refused_by_name(machine: CoalitionMachine) -> None:
    dice = random.Random(20_262)
    ledger = machine.ledger
    (brand, number, deadline), data, signature = ledger.signed(GROCER, 10_000, pack_entries([bytes(40)]))
    seen = set()
    for _ in range(8 * from_deep_on(20, 1)):
        for header, signed in (
            ((brand, number, dice.randrange(ledger.now)), signature),
            ((brand, ledger.last_number, deadline), signature),
            ((dice.randrange(2**32), dice.randrange(10_000, 2**64), deadline), signature),
            ((brand, number, deadline), dice.randbytes(dice.randrange(140))),
            ((brand, number, deadline), signature[: dice.randrange(65)]),
            ((brand, number, deadline), mutated(dice, signature, data)),
        ):
            outcome = ledger.transact("submitBatch", header, data, signed)
            if outcome.succeeded:
                assert (header, signed) == ((brand, number, deadline), signature)
                number += 1
                _, data, signature = ledger.signed(GROCER, number, data)
                continue
            seen.add(ledger.reverted(outcome))
    assert seen == HEADERS
