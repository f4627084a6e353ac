"""A chain under each mainnet fork's rules, made by stock py-evm: our own chains, not anybody's standard."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Any

import rlp
from eth.db.atomic import AtomicDB
from eth.rlp.headers import BlockHeader
from eth.vm import forks
from eth.vm.base import VM
from eth.vm.forks.prague.constants import CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS
from eth.vm.forks.shanghai.withdrawals import Withdrawal
from eth_account import Account
from eth_keys import keys
from eth_utils import keccak

from tests.conformance.chains.parts import chain_class
from tests.node.compiler.random_programs import random_program
from tests.node.state_tests.variants import stock

ORDER: list[tuple[str, type[VM]]] = [
    ("frontier", forks.FrontierVM),
    ("homestead", forks.HomesteadVM.configure(support_dao_fork=False)),
    ("tangerine_whistle", forks.TangerineWhistleVM.configure(support_dao_fork=False)),
    ("spurious_dragon", forks.SpuriousDragonVM),
    ("byzantium", forks.ByzantiumVM),
    ("constantinople", forks.PetersburgVM),  # as the execution specs name what mainnet ran
    ("istanbul", forks.IstanbulVM),
    ("muir_glacier", forks.MuirGlacierVM),
    ("berlin", forks.BerlinVM),
    ("london", forks.LondonVM),
    ("arrow_glacier", forks.ArrowGlacierVM),
    ("gray_glacier", forks.GrayGlacierVM),
    ("paris", forks.ParisVM),
    ("shanghai", forks.ShanghaiVM),
    ("cancun", forks.CancunVM),
    ("prague", forks.PragueVM),
]
FORKS = dict(ORDER)
SINCE = {name: number for number, (name, _) in enumerate(ORDER)}
KEY = keys.PrivateKey(b"\x31" * 32)
DELEGATE = Account.from_key(b"\x32" * 32)
CHAIN_ID, GAS_PRICE, BLOCKS, GENESIS_TIME = 1, 2 * 10**9, 8, 1_000
NOBODY, EMPTY = b"\xab" * 20, b"\xcd" * 20

KEEPER = bytes.fromhex("602035600035556020600020600060006000a1" + "00")  # SSTORE(word 0, word 1), an empty LOG1
SUICIDE = bytes.fromhex("33ff")
LOOP = bytes.fromhex("5b600056")  # until the gas is gone
REVERTING = bytes.fromhex("60ff60005260206000fd")  # no such instruction before Byzantium


@dataclass(frozen=True)
class OwnChain:
    fork: str
    accounts: dict[bytes, dict[str, Any]]
    genesis: BlockHeader
    genesis_block: bytes
    blocks: list[bytes]
    types: frozenset[int]
    failed: int
    head: bytes


class Maker:
    def __init__(self, fork: str, seed: int) -> None:
        self.fork, self.dice, self.nonce = fork, random.Random(seed), 0
        self.accounts = _accounts(fork)
        genesis = {"difficulty": 0 if self.since("paris") else 1 << 17, "gas_limit": 10_000_000, "timestamp": GENESIS_TIME}
        if self.since("london"):
            genesis["base_fee_per_gas"] = 10**9
        self.chain = chain_class(((0, FORKS[fork]),), stock, CHAIN_ID).from_genesis(AtomicDB(), genesis, self.accounts)
        self.genesis = self.chain.get_canonical_head()
        self.types: set[int] = set()
        self.failed = 0

    def since(self, name: str) -> bool:
        return SINCE[self.fork] >= SINCE[name]

    def legacy(self, to: bytes, data: bytes = b"", value: int = 0, gas: int = 300_000) -> Any:
        vm = self.chain.get_vm()
        unsigned = vm.create_unsigned_transaction(nonce=self._next(), gas_price=GAS_PRICE, gas=gas, to=to, value=value, data=data)
        protected = {"chain_id": CHAIN_ID} if self.since("spurious_dragon") else {}
        self.types.add(0)
        return unsigned.as_signed_transaction(KEY, **protected)

    def typed(self, kind: int, to: bytes, data: bytes = b"", **more: Any) -> Any:
        price = {"gasPrice": GAS_PRICE} if kind == 1 else {"maxFeePerGas": GAS_PRICE, "maxPriorityFeePerGas": 10**8}
        fields = {"type": kind, "chainId": CHAIN_ID, "nonce": self._next(), "to": to, "data": data, "value": 0, "gas": 400_000}
        raw = Account.sign_transaction({**fields, **price, **more}, KEY.to_bytes()).raw_transaction
        self.types.add(kind)
        return self.chain.get_vm().get_transaction_builder().decode(bytes(raw))

    def seal(self, transactions: list[Any]) -> bytes:
        number = self.chain.get_canonical_head().block_number + 1
        fields: dict[str, Any] = {"timestamp": GENESIS_TIME + 13 * number, "coinbase": b"\x99" * 20}
        if not self.since("paris"):
            parent = self.chain.get_canonical_head()
            fields["difficulty"] = self.chain.get_vm().create_header_from_parent(parent, timestamp=fields["timestamp"]).difficulty
        if self.since("shanghai"):
            fields["withdrawals"] = [Withdrawal(number, 1, b"\x77" * 20, 1_000 + number)]
        mined, _, computations = self.chain.mine_all(transactions, **fields)
        self.failed += sum(computation.is_error for computation in computations)
        return bytes(rlp.encode(mined.imported_block))

    def _next(self) -> int:
        self.nonce += 1
        return self.nonce - 1


@cache
def own_chain(fork: str, seed: int = 7_951) -> OwnChain:
    maker = Maker(fork, seed)
    keeper, suicide = _creation(KEEPER), _creation(SUICIDE)
    addresses = [_created(KEY.public_key.to_canonical_address(), nonce) for nonce in range(2)]
    blocks = [maker.seal([maker.legacy(b"", keeper), maker.legacy(b"", suicide), maker.legacy(NOBODY, value=5)])]
    store = [maker.legacy(addresses[0], _words(slot, slot + 7)) for slot in range(12)]
    blocks.append(maker.seal([*store, maker.legacy(EMPTY), maker.legacy(b"", _creation(LOOP)), maker.legacy(b"", LOOP, gas=90_000)]))
    clear = [maker.legacy(addresses[0], _words(slot, 0)) for slot in range(5)]  # refunds
    blocks.append(maker.seal([*clear, maker.legacy(addresses[1], value=9), maker.legacy(b"", REVERTING), maker.legacy(EMPTY, value=1)]))
    blocks.append(maker.seal(_typed(maker, addresses[0])))
    while len(blocks) < BLOCKS:
        programs = [random_program(maker.dice) for _ in range(8)]
        blocks.append(maker.seal([maker.legacy(b"", program, value=maker.dice.randrange(3)) for program in programs]))
    head = maker.chain.get_canonical_head().hash
    genesis_block = bytes(rlp.encode(maker.chain.get_canonical_block_by_number(0)))
    return OwnChain(fork, maker.accounts, maker.genesis, genesis_block, blocks, frozenset(maker.types), maker.failed, head)


def _typed(maker: Maker, keeper: bytes) -> list[Any]:
    made = []
    if maker.since("berlin"):
        access = [{"address": "0x" + keeper.hex(), "storageKeys": ["0x" + "00" * 31 + "63"]}]
        made.append(maker.typed(1, keeper, _words(99, 1), accessList=access))
    if maker.since("london"):
        made.append(maker.typed(2, keeper, _words(100, 1)))
    if maker.since("prague"):
        signed = DELEGATE.sign_authorization({"chainId": CHAIN_ID, "address": "0x" + keeper.hex(), "nonce": 0})
        delegate = bytes.fromhex(DELEGATE.address[2:])
        made.append(maker.typed(4, delegate, _words(101, 1), authorizationList=[signed]))
    return made


def _accounts(fork: str) -> dict[bytes, dict[str, Any]]:
    """The sender's funds; under Prague contracts that never have a request. Those of EIP-4788 and 2935 py-evm runs on import alone, not
    when it makes a block: they are left out."""
    places = (WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS) if SINCE[fork] >= SINCE["prague"] else ()
    accounts = {bytes(address): {"balance": 0, "nonce": 1, "code": b"\x00", "storage": {}} for address in places}
    return {**accounts, KEY.public_key.to_canonical_address(): {"balance": 10**24, "nonce": 0, "code": b"", "storage": {}}}


def _creation(runtime: bytes) -> bytes:
    """In opcodes that Frontier has."""
    return bytes.fromhex(f"60{len(runtime):02x}80600b6000396000f3") + runtime


def _created(sender: bytes, nonce: int) -> bytes:
    return bytes(keccak(rlp.encode([sender, nonce])))[12:]


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)
