"""Some seconds of each fuzz target; `python -m tests.node.fuzz` runs them for longer, guided by coverage."""

from itertools import islice
from random import Random
from time import monotonic

import pytest

from tests.depth import in_a_soak
from tests.node.fuzz import compiler_target, rpc_target, trie_target
from tests.node.fuzz.choices import Choices
from tests.node.fuzz.mutation import mutations

TARGETS = {"rpc": rpc_target.TARGET, "trie": trie_target.TARGET, "compiler": compiler_target.TARGET}
INPUTS = {"rpc": 10_000, "trie": 400, "compiler": 400}
DEEP_SECONDS, DEEP_INPUTS_MAX = in_a_soak(120, 20), 400_000


@pytest.mark.parametrize("name", TARGETS)
def test_changed_inputs_break_nothing(name: str) -> None:
    target = TARGETS[name]
    with target.checking() as check:
        for data in islice(mutations(target.seeds(), target.words, Random(7)), INPUTS[name]):
            check(data)


@pytest.mark.deep
@pytest.mark.timeout(2 * DEEP_SECONDS + 60)
@pytest.mark.parametrize("name", TARGETS)
def test_changed_inputs_break_nothing_for_minutes(name: str) -> None:
    target, ends = TARGETS[name], monotonic() + DEEP_SECONDS
    with target.checking() as check:
        for data in islice(mutations(target.seeds(), target.words, Random(8)), DEEP_INPUTS_MAX):
            if monotonic() > ends:
                break
            check(data)


def test_mutations_are_the_seeds_and_then_others() -> None:
    first = list(islice(mutations([b"one", b"two"], [b"word"], Random(1)), 200))
    assert first[:2] == [b"one", b"two"]
    assert len(set(first)) > 150
    assert list(islice(mutations([b"one", b"two"], [b"word"], Random(1)), 200)) == first


def test_choices_are_zeros_once_the_bytes_are_used_up() -> None:
    choices = Choices(b"\x05\x07\x01\x02")
    assert choices.number(4) == 1
    assert choices.one_of("abcdefghij") == "h"
    assert choices.take(3) == b"\x01\x02\0"
    assert choices.is_done
    assert choices.number(1 << 40) == 0
