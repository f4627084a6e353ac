"""What is encoded and decoded here is what the rlp library encodes and decodes."""

import pytest
import rlp as library
from hypothesis import given
from hypothesis import strategies as st

from node.chain import rlp, transactions
from node.chain.errors import MalformedTransaction

LENGTHS_AT_EDGES = st.sampled_from([0, 1, 55, 56, 57, 255, 256, 65_535, 65_536])
STRINGS = st.binary(max_size=70) | LENGTHS_AT_EDGES.map(bytes) | LENGTHS_AT_EDGES.map(lambda length: b"\xff" * length)
NUMBERS = st.integers(min_value=0, max_value=2**256 - 1) | st.sampled_from([0, 1, 127, 128, 255, 256, 2**440 - 1, 2**440])
ITEMS = st.recursive(STRINGS | NUMBERS, lambda inner: st.lists(inner, max_size=20) | st.lists(inner, max_size=3).map(tuple), max_leaves=60)


def _overwritten(parts: tuple[bytes, int, bytes]) -> bytes:
    data, place, piece = parts
    return data[:place] + piece + data[place + len(piece) :]


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


@given(ITEMS)
def test_decodes_what_it_encodes_as_the_library_does(item: object) -> None:
    encoded = rlp.encode(item)
    assert rlp.decode(encoded) == library.decode(encoded)


@given(st.binary(max_size=70) | st.tuples(ITEMS.map(rlp.encode), st.integers(0, 70), st.binary(max_size=4)).map(_overwritten))
def test_refuses_and_takes_the_same_bytes_as_the_library(data: bytes) -> None:
    try:
        expected = library.decode(data)
    except library.exceptions.RLPException:
        with pytest.raises(rlp.RlpError):
            rlp.decode(data)
    else:
        assert rlp.decode(data) == expected


def _nested(levels: int) -> bytes:
    data = b""
    for _ in range(levels):
        data = rlp.list_of(data)
    return data


def test_lists_are_nested_only_so_deep() -> None:
    deepest = _nested(rlp.LISTS_DEEP_MAX)
    assert rlp.encode(rlp.decode(deepest)) == deepest
    for levels in (rlp.LISTS_DEEP_MAX + 1, 100_000):
        with pytest.raises(rlp.RlpError, match="nested more than 16 deep"):
            rlp.decode(_nested(levels))


def test_a_deeply_nested_transaction_is_malformed() -> None:
    for raw in (_nested(50_000), b"\x02" + _nested(50_000)):
        with pytest.raises(MalformedTransaction, match="nested more than 16 deep"):
            transactions.decode(raw)
