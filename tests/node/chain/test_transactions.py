"""Checks of a transaction that need no state."""

import pytest
from eth_account import Account

from node.chain.errors import (
    FeeTooLow,
    GasAboveLimit,
    IntrinsicGasTooLow,
    InvalidSender,
    MalformedTransaction,
    TransactionRefused,
    WrongChain,
)
from node.chain.transactions import check, decode
from tests.node.running_node import throwaway_account

ALICE = throwaway_account("alice")
FIELDS = {
    "type": 2,
    "chainId": 7,
    "nonce": 0,
    "gas": 21_000,
    "to": ALICE.address,
    "value": 1,
    "maxFeePerGas": 100,
    "maxPriorityFeePerGas": 1,
}
LEGACY = {"chainId": 7, "nonce": 0, "gas": 21_000, "to": ALICE.address, "value": 1, "gasPrice": 100}


def _raw(fields: dict[str, object]) -> bytes:
    return bytes(ALICE.sign_transaction(fields).raw_transaction)


def _check(fields: dict[str, object]) -> None:
    check(decode(_raw(fields)), chain_id=7, base_fee_per_gas=7)


@pytest.mark.parametrize("fields", [FIELDS, LEGACY, {**LEGACY, "type": 1, "accessList": []}])
def test_each_common_type_passes_and_keeps_its_sender_and_hash(fields: dict[str, object]) -> None:
    signed = ALICE.sign_transaction(fields)
    transaction = decode(bytes(signed.raw_transaction))
    check(transaction, chain_id=7, base_fee_per_gas=7)
    assert transaction.hash == bytes(signed.hash)
    assert transaction.sender == bytes.fromhex(ALICE.address[2:])


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"chainId": 8}, WrongChain),
        ({"gas": 2**24 + 1}, GasAboveLimit),
        ({"gas": 20_999}, IntrinsicGasTooLow),
        ({"maxFeePerGas": 6, "maxPriorityFeePerGas": 6}, FeeTooLow),
        ({"maxPriorityFeePerGas": 101}, FeeTooLow),
        ({"data": b"\x01" * 100, "gas": 21_000 + 1_600}, IntrinsicGasTooLow),  # intrinsic gas, but below EIP-7623's floor
    ],
)
def test_a_transaction_that_breaks_a_rule_is_refused(change: dict[str, object], refusal: type[TransactionRefused]) -> None:
    with pytest.raises(refusal):
        _check({**FIELDS, **change})


def test_the_largest_gas_limit_allowed_passes() -> None:
    _check({**FIELDS, "gas": 2**24})


def test_the_calldata_floor_itself_passes() -> None:
    _check({**FIELDS, "data": b"\x01" * 100, "gas": 21_000 + 4_000})


def test_a_legacy_transaction_without_a_chain_id_is_refused() -> None:
    with pytest.raises(WrongChain):
        _check({name: value for name, value in LEGACY.items() if name != "chainId"})


@pytest.mark.parametrize(
    "raw", [b"", b"\x02", b"\x03\xc0", b"\x05\xc0", b"\x7f", b"\xc0", b"\x80", b"\xf8\xff", b"\x02\xc0", bytes(600_000)]
)
def test_bytes_that_are_no_transaction_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedTransaction):
        decode(raw)


def test_trailing_bytes_are_refused() -> None:
    with pytest.raises(MalformedTransaction):
        decode(_raw(FIELDS) + b"\0")


def test_a_high_s_signature_is_refused() -> None:
    import rlp  # type: ignore[import-untyped]

    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    raw = _raw(FIELDS)
    items = rlp.decode(raw[1:])
    items[-1] = (order - int.from_bytes(items[-1], "big")).to_bytes(32, "big")
    items[-3] = b"" if items[-3] else b"\x01"
    malleated = b"\x02" + rlp.encode(items)
    assert Account.recover_transaction(malleated) == ALICE.address
    with pytest.raises(InvalidSender):
        check(decode(malleated), chain_id=7, base_fee_per_gas=7)
