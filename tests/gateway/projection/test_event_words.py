"""Words of events that are read directly mean what the ABI says; those that break the ABI are refused."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode
from hypothesis import given
from hypothesis import strategies as st

from gateway.chain.artifacts import _value, _values
from gateway.values.errors import Unavailable

WORDS = st.binary(min_size=32, max_size=32)


@given(WORDS)
def test_a_whole_number_is_the_abis(word: bytes) -> None:
    assert _value("uint256", word) == decode(["uint256"], word)[0]


@given(st.binary(min_size=20, max_size=20))
def test_an_address_is_the_abis(address: bytes) -> None:
    assert str(_value("address", bytes(12) + address)) == decode(["address"], bytes(12) + address)[0]


@given(WORDS, WORDS)
def test_several_whole_numbers_are_the_abis(first: bytes, second: bytes) -> None:
    assert tuple(_values(["uint256", "uint256"], first + second)) == decode(["uint256", "uint256"], first + second)


def test_other_kinds_are_left_to_the_abi() -> None:
    assert _value("uint32", (7).to_bytes(32)) == 7
    assert list(_values(["uint32", "uint256"], (7).to_bytes(32) + (8).to_bytes(32))) == [7, 8]


def test_an_address_with_more_than_twenty_bytes_is_refused() -> None:
    with pytest.raises(Unavailable, match="breaks the contract's ABI"):
        _value("address", b"\x01" * 32)
