"""The transaction a simulated call would be, were it signed: what the simulated block's body holds."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth_typing import Address

from node.chain import rlp
from node.chain.execution import Call
from node.chain.transactions import Transaction


@dataclass(frozen=True)
class UnsignedTransaction(Transaction):
    """Its signature is zero, so it says itself who sends it."""

    claimed_sender: Address

    @cached_property
    def sender(self) -> Address:
        return self.claimed_sender


def unsigned_transaction(call: Call, chain_id: int, *, legacy: bool) -> UnsignedTransaction:
    """As geth: of type 2, but for a gas price (0) and for authorizations (4)."""
    no_signature = [0, 0, 0]
    to, what = bytes(call.to), [call.value, call.data]
    if legacy:
        raw = rlp.encode([call.nonce, call.max_fee_per_gas, call.gas, to, *what, *no_signature])
        return _decoded(raw, call)
    access_list: list[Any] = [[address, [key.to_bytes(32, "big") for key in keys]] for address, keys in call.access_list]
    fields = [chain_id, call.nonce, call.max_priority_fee_per_gas, call.max_fee_per_gas, call.gas, to, *what, access_list]
    if not call.authorizations:
        return _decoded(b"\x02" + rlp.encode([*fields, *no_signature]), call)
    authorizations = [[one.chain_id, one.address, one.nonce, one.y_parity, one.r, one.s] for one in call.authorizations]
    return _decoded(b"\x04" + rlp.encode([*fields, authorizations, *no_signature]), call)


def _decoded(raw: bytes, call: Call) -> UnsignedTransaction:
    return UnsignedTransaction(raw, PragueTransactionBuilder.decode(raw), call.sender)
