"""Signed transactions: decoding raw bytes, and the checks that need no state."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eth.abc import SignedTransactionAPI
from eth.vm.forks.berlin.transactions import AccessListTransaction
from eth.vm.forks.london.transactions import DynamicFeeTransaction
from eth.vm.forks.prague.transactions import PragueLegacyTransaction, PragueTypedTransaction, SetCodeTransaction
from eth_hash.auto import keccak
from eth_keys.exceptions import BadSignature
from eth_typing import Address
from eth_utils.exceptions import ValidationError

from node.chain.errors import (
    FeeTooLow,
    GasAboveLimit,
    IntrinsicGasTooLow,
    InvalidSender,
    MalformedTransaction,
    WrongChain,
)
from node.chain.rlp import RlpError, decode_as
from node.chain.rules import INITCODE_SIZE_MAX, TRANSACTION_GAS_MAX

RAW_SIZE_MAX = 512 * 1024  # bytes; a transaction of 2^24 gas cannot carry more than 419,430 non-zero bytes
TYPED = {1: AccessListTransaction, 2: DynamicFeeTransaction, 4: SetCodeTransaction}  # no blobs: there is no consensus layer to carry them
GAS_PER_TRANSACTION = 21_000
FLOOR_GAS_PER_TOKEN = 10  # EIP-7623
SECP256K1_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@dataclass(frozen=True)
class Transaction:
    """A decoded transaction beside the very bytes it came in."""

    raw: bytes
    signed: SignedTransactionAPI

    @cached_property
    def hash(self) -> bytes:
        return bytes(keccak(self.raw))

    @cached_property
    def sender(self) -> Address:
        return self.signed.sender

    @property
    def type_id(self) -> int:
        return self.raw[0] if self.raw[0] < 0x80 else 0

    @cached_property
    def nonce(self) -> int:
        return int(self.signed.nonce)

    @cached_property
    def gas(self) -> int:
        return int(self.signed.gas)

    @cached_property
    def cost_max(self) -> int:
        return int(self.signed.gas * self.signed.max_fee_per_gas + self.signed.value)

    @property
    def to(self) -> bytes | None:
        return bytes(self.signed.to) or None


def decode(raw: bytes) -> Transaction:
    """Raises MalformedTransaction for anything but the canonical encoding of a known type."""
    if not raw:
        raise MalformedTransaction("typed transaction too short")
    if len(raw) > RAW_SIZE_MAX:
        raise MalformedTransaction(f"oversized data: transaction size {len(raw)}, limit {RAW_SIZE_MAX}")
    if raw[0] < 0xC0 and raw[0] not in TYPED:
        raise MalformedTransaction("transaction type not supported")
    try:
        signed = _signed(raw)
        canonical = signed.encode()
    except (RlpError, ValidationError, ValueError, TypeError, IndexError) as error:
        raise MalformedTransaction(f"transaction cannot be decoded: {error}") from error
    if canonical != raw:
        raise MalformedTransaction("transaction is not canonically encoded")
    return Transaction(raw, signed)


def _signed(raw: bytes) -> SignedTransactionAPI:
    if raw[0] in TYPED:
        return PragueTypedTransaction(raw[0], decode_as(raw[1:], TYPED[raw[0]]))
    return decode_as(raw, PragueLegacyTransaction)


def check(transaction: Transaction, chain_id: int, base_fee_per_gas: int) -> None:
    """Everything that can be refused without looking at the state."""
    signed = transaction.signed
    if signed.chain_id is None:
        raise WrongChain("only replay-protected (EIP-155) transactions allowed over RPC")
    if signed.chain_id != chain_id:
        raise WrongChain(f"invalid chain id for signer: have {signed.chain_id} want {chain_id}")
    if signed.gas > TRANSACTION_GAS_MAX:
        raise GasAboveLimit(f"transaction gas limit too high (cap: {TRANSACTION_GAS_MAX}, tx: {signed.gas})")
    if max(signed.nonce, signed.value, signed.max_fee_per_gas) >= 1 << 256 or signed.nonce >= (1 << 64) - 1:
        raise MalformedTransaction("a field of the transaction is out of its range")
    if signed.max_priority_fee_per_gas > signed.max_fee_per_gas:
        raise FeeTooLow("max priority fee per gas higher than max fee per gas")
    if signed.max_fee_per_gas < base_fee_per_gas:
        raise FeeTooLow(f"max fee per gas less than block base fee: maxFeePerGas: {signed.max_fee_per_gas}, baseFee: {base_fee_per_gas}")
    if transaction.to is None and len(signed.data) > INITCODE_SIZE_MAX:
        raise MalformedTransaction(f"max initcode size exceeded: code size {len(signed.data)}, limit {INITCODE_SIZE_MAX}")
    if transaction.type_id == 4 and not signed.authorization_list:
        raise MalformedTransaction("EIP-7702 transaction with empty auth list")
    least = gas_least(signed)
    if signed.gas < least:
        raise IntrinsicGasTooLow(f"intrinsic gas too low: gas {signed.gas}, minimum needed {least}")
    check_signature(transaction)


def check_signature(transaction: Transaction) -> None:
    signed = transaction.signed
    if not (0 < signed.s <= SECP256K1_HALF_ORDER and signed.r > 0):
        raise InvalidSender("invalid transaction v, r, s values")
    try:
        signed.validate()
        transaction.sender  # noqa: B018 (recovered here once, cached)
    except (ValidationError, BadSignature, ValueError) as error:
        raise InvalidSender(f"invalid sender: {error}") from error


def gas_least(transaction: Any) -> int:
    """The larger of intrinsic gas and EIP-7623's calldata floor."""
    zeros: int = transaction.data.count(b"\0")
    tokens = zeros + 4 * (len(transaction.data) - zeros)
    return max(int(transaction.intrinsic_gas), GAS_PER_TRANSACTION + FLOOR_GAS_PER_TOKEN * tokens)


def effective_gas_price(signed: SignedTransactionAPI, base_fee_per_gas: int) -> int:
    return int(min(signed.max_fee_per_gas, base_fee_per_gas + signed.max_priority_fee_per_gas))
