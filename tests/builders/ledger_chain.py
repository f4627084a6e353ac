"""A py-evm chain in memory under Prague rules: raw transactions, one block each, at timestamps the test chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth.abc import ComputationAPI, ReceiptAPI
from eth.chains.base import MiningChain
from eth.consensus.noproof import NoProofConsensus
from eth.constants import ZERO_ADDRESS
from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES, PragueComputation
from eth.vm.forks.prague.state import PragueState
from eth_account import Account
from eth_keys import keys
from eth_utils import keccak

from gateway.rounds.deployment import contract_address
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.ids import Address
from node.chain.p256 import P256VERIFY_ADDRESS, p256verify

CHAIN_ID = 20_261
COALITION_ID = keccak(text="the test coalition")
FOREVER = 2**40 - 1
GAS_PER_TRANSACTION = 2**24  # EIP-7825
GAS_PER_BLOCK = 2**28
MAX_FEE = 10**10
ETHER = 10**18
GENESIS_TIMESTAMP = 20_500 * SECONDS_PER_DAY  # 2026-02-16 00:00 UTC

_Vm = PragueVM.configure(consensus_class=NoProofConsensus)
_Chain = MiningChain.configure(__name__="InMemoryChain", vm_configuration=((0, _Vm),), chain_id=CHAIN_ID)

_P256Computation = PragueComputation.configure(
    __name__="P256Computation", _precompiles={**PRAGUE_PRECOMPILES, P256VERIFY_ADDRESS: p256verify}
)
_P256State = PragueState.configure(__name__="P256State", computation_class=_P256Computation)
_P256Vm = _Vm.configure(__name__="P256Vm", _state_class=_P256State)
_P256Chain = _Chain.configure(__name__="P256Chain", vm_configuration=((0, _P256Vm),))


@dataclass(frozen=True)
class Outcome:
    """What a transaction did. `output` is the return or revert data."""

    succeeded: bool
    gas_used: int
    output: bytes
    logs: list[tuple[bytes, list[bytes], bytes]]  # (address, topics, data)
    created: bytes


def key_of(name: str) -> keys.PrivateKey:
    """A throwaway key, always the same for a name."""
    return keys.PrivateKey(keccak(text=f"test key of {name}"))


def address_of(key: keys.PrivateKey) -> bytes:
    return bytes(key.public_key.to_canonical_address())


class LedgerChain:
    """One funded operator sends everything unless a test names another sender. `with_p256` adds the precompile of EIP-7951."""

    def __init__(self, *, with_p256: bool = False) -> None:
        self.with_p256 = with_p256
        self.chain_id = CHAIN_ID
        self.operator = key_of("operator")
        funded = {key.public_key.to_canonical_address(): _account() for key in (self.operator, key_of("stranger"))}
        genesis = {"gas_limit": GAS_PER_BLOCK, "timestamp": GENESIS_TIMESTAMP, "base_fee_per_gas": 10**9}
        self._chain: Any = (_P256Chain if with_p256 else _Chain).from_genesis(AtomicDB(MemoryDB()), genesis, funded)
        self._view: tuple[int, Any] | None = None  # (timestamp, virtual machine) that calls run on until the next block
        self.timestamp = GENESIS_TIMESTAMP

    def set_time(self, timestamp: int) -> None:
        """The next block's timestamp; later than the last one's."""
        assert timestamp >= self.timestamp
        self.timestamp = timestamp

    @property
    def next_timestamp(self) -> int:
        """What the next block will carry."""
        return max(self.timestamp, self._chain.get_canonical_head().timestamp + 1)

    @property
    def block_number(self) -> int:
        """Of the newest block."""
        return int(self._chain.get_canonical_head().block_number)

    def deploy(self, creation_code: bytes) -> bytes:
        outcome = self.send(b"", creation_code)
        assert outcome.succeeded, outcome.output
        return outcome.created

    def foreseen(self, ahead: int) -> bytes:
        """Where the contract will stand that the operator deploys after `ahead` other transactions."""
        return bytes(contract_address(Address(address_of(self.operator)), self._nonce(self.operator) + ahead))

    def _nonce(self, sender: keys.PrivateKey) -> int:
        return int(self._chain.get_vm().state.get_nonce(sender.public_key.to_canonical_address()))

    def send(
        self, to: bytes, data: bytes, *, sender: keys.PrivateKey | None = None, gas: int = GAS_PER_TRANSACTION, value: int = 0
    ) -> Outcome:
        """Signs a transaction, sends it raw, and seals a block with it."""
        return self.send_raw(self.sign(to, data, sender=sender or self.operator, gas=gas, value=value))

    def sign(self, to: bytes, data: bytes, *, sender: keys.PrivateKey, gas: int = GAS_PER_TRANSACTION, value: int = 0) -> bytes:
        fields = {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": self._nonce(sender),
            "to": to,
            "data": data,
            "value": value,
            "gas": gas,
            "maxFeePerGas": MAX_FEE,
            "maxPriorityFeePerGas": 0,
        }
        return bytes(Account.sign_transaction(fields, sender.to_bytes()).raw_transaction)

    def lending_code(self, to: bytes, data: bytes, *, code_of: bytes) -> bytes:
        """A raw transaction of the operator, who takes the code of another account in it (EIP-7702)."""
        nonce, secret = self._nonce(self.operator), self.operator.to_bytes()
        authorization = Account.sign_authorization({"chainId": CHAIN_ID, "address": code_of, "nonce": nonce + 1}, secret)
        fees = {"gas": GAS_PER_TRANSACTION, "maxFeePerGas": MAX_FEE, "maxPriorityFeePerGas": 0}
        fields = {"type": 4, "chainId": CHAIN_ID, "nonce": nonce, "to": to, "data": data, "value": 0, **fees}
        signed = Account.sign_transaction(fields | {"authorizationList": [authorization]}, secret)
        return bytes(signed.raw_transaction)

    def send_raw(self, raw: bytes) -> Outcome:
        vm = self._chain.get_vm()
        transaction = vm.get_transaction_builder().decode(raw)
        self.timestamp = self.next_timestamp
        self._chain.set_header_timestamp(self.timestamp)
        _, receipts, computations = self._chain.mine_all([transaction])
        self._view = None
        return _outcome(receipts[0], computations[0])

    def call(self, to: bytes, data: bytes, *, sender: bytes = ZERO_ADDRESS) -> Outcome:
        """An eth_call on the newest state, as in the next block."""
        if self._view is None or self._view[0] != self.next_timestamp:
            self._chain.set_header_timestamp(self.next_timestamp)
            self._view = self.next_timestamp, self._chain.get_vm()
        _, vm = self._view
        computation = vm.execute_bytecode(
            origin=sender, gas_price=0, gas=2**27, to=to, sender=sender, value=0, data=data, code=vm.state.get_code(to)
        )
        return Outcome(computation.is_success, computation.get_gas_used(), computation.output, [], b"")

    def storage(self, address: bytes, slot: int) -> int:
        return int(self._chain.get_vm().state.get_storage(address, slot))

    def ether(self, address: bytes) -> int:
        """In wei."""
        return int(self._chain.get_vm().state.get_balance(address))

    def code(self, address: bytes) -> bytes:
        return bytes(self._chain.get_vm().state.get_code(address))


def _account() -> dict[str, Any]:
    return {"balance": 1_000 * ETHER, "nonce": 0, "code": b"", "storage": {}}


def _outcome(receipt: ReceiptAPI, computation: ComputationAPI) -> Outcome:
    logs = [(log.address, [topic.to_bytes(32) for topic in log.topics], log.data) for log in receipt.logs]
    created = computation.msg.storage_address if computation.msg.is_create else b""
    return Outcome(computation.is_success, receipt.gas_used, computation.output, logs, created)
