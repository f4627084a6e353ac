"""What is encoded here is what the rlp library encodes."""

import pytest
import rlp as library
from hypothesis import given
from hypothesis import strategies as st

from node.chain import rlp

LENGTHS_AT_EDGES = st.sampled_from([0, 1, 55, 56, 57, 255, 256, 65_535, 65_536])
STRINGS = st.binary(max_size=70) | LENGTHS_AT_EDGES.map(bytes) | LENGTHS_AT_EDGES.map(lambda length: b"\xff" * length)
NUMBERS = st.integers(min_value=0, max_value=2**256 - 1) | st.sampled_from([0, 1, 127, 128, 255, 256, 2**440 - 1, 2**440])
ITEMS = st.recursive(STRINGS | NUMBERS, lambda inner: st.lists(inner, max_size=20) | st.lists(inner, max_size=3).map(tuple), max_leaves=60)


@given(ITEMS)
def test_encodes_as_the_library_does(item: object) -> None:
    assert rlp.encode(item) == library.encode(item)


@given(STRINGS)
def test_a_list_of_joined_items_is_their_list(content: bytes) -> None:
    assert rlp.list_of(rlp.string(content) + rlp.number(7)) == library.encode([content, 7])


@pytest.mark.parametrize("item", [-1, [-1], 1.5, None])
def test_refuses_what_has_no_form(item: object) -> None:
    with pytest.raises((OverflowError, TypeError)):
        rlp.encode(item)
