"""Mutations without a guide, for machines that have no coverage-guided fuzzer and for the short tests."""

from collections.abc import Iterator, Sequence
from random import Random

EDITS_MAX = 6
NUMBERS = (0, 1, 0x1F, 0x20, 0x21, 0x55, 0x5B, 0x7F, 0x80, 0xA0, 0xB8, 0xC0, 0xF8, 0xFF)


def mutations(seeds: Sequence[bytes], words: Sequence[bytes], random: Random) -> Iterator[bytes]:
    """The seeds as they are, then changed ones without end."""
    yield from seeds
    while True:
        data = bytearray(random.choice(seeds))
        for _ in range(random.randint(1, EDITS_MAX)):
            _edit(data, seeds, words, random)
        yield bytes(data)


def _edit(data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], random: Random) -> None:
    at = random.randint(0, len(data))
    end = min(len(data), at + random.choice((1, 1, 2, 4, 16, 64)))
    way = random.randrange(6)
    if way == 0 and at < len(data):
        data[at] ^= 1 << random.randrange(8)
    elif way == 1 and at < len(data):
        data[at] = random.choice(NUMBERS)
    elif way == 2:
        del data[at:end]
    elif way == 3:
        data[at:at] = data[at:end] * random.choice((1, 2, 5))
    elif way == 4 and words:
        data[at : random.choice((at, end))] = random.choice(words)
    else:
        other = random.choice(seeds)
        start = random.randint(0, len(other))
        data[at:end] = other[start : start + random.choice((1, 4, 32, 200))] or random.randbytes(4)
