"""Hexadecimal parsing is strict where Python's own is not."""

import pytest

from node.rpc import hex as rpc_hex
from node.rpc.errors import InvalidParams


@pytest.mark.parametrize(("text", "value"), [("0x0", 0), ("0x1", 1), ("0xaB", 171), ("0x" + "f" * 64, 2**256 - 1)])
def test_a_quantity_is_read(text: str, value: int) -> None:
    assert rpc_hex.quantity(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "0x00",
        "0x01",
        "1",
        "0X1",
        "0x1_0",
        " 0x1",
        "0x1 ",
        "0x1\n",
        "-0x1",
        "0xg",
        "0x１",
        1,
        None,
        True,
        ["0x1"],
        "0x1" + "0" * 64,
    ],
)
def test_anything_else_is_no_quantity(text: object) -> None:
    with pytest.raises(InvalidParams):
        rpc_hex.quantity(text)


def test_bytes_are_read() -> None:
    assert rpc_hex.data("0x") == b""
    assert rpc_hex.data("0x00fF") == b"\x00\xff"


@pytest.mark.parametrize("text", ["", "00", "0x0", "0x0g", "0x00 ", "0x00\n", "0x 00", None, 5, b"0x00"])
def test_anything_else_is_no_bytes(text: object) -> None:
    with pytest.raises(InvalidParams):
        rpc_hex.data(text)


def test_an_address_has_twenty_bytes() -> None:
    assert rpc_hex.address("0x" + "11" * 20) == b"\x11" * 20
    for size in (19, 21, 32):
        with pytest.raises(InvalidParams):
            rpc_hex.address("0x" + "11" * size)


@pytest.mark.parametrize("text", ["0x0", "0x5", "0x05", "0x" + "0" * 63 + "5"])
def test_a_slot_may_be_a_quantity_or_32_bytes(text: str) -> None:
    assert rpc_hex.slot(text) == int(text, 16)


@pytest.mark.parametrize("text", ["0x", "5", "0x" + "0" * 65, "0x1_0", None])
def test_anything_else_is_no_slot(text: object) -> None:
    with pytest.raises(InvalidParams):
        rpc_hex.slot(text)


def test_a_quantity_is_as_wide_as_its_bits_say() -> None:
    assert rpc_hex.quantity(hex(2**63 - 1), bits=63) == 2**63 - 1
    with pytest.raises(InvalidParams, match="number exceeds 63 bits"):
        rpc_hex.quantity(hex(2**63), bits=63)
