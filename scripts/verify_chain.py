#!/usr/bin/env python3
"""Executes an exported chain again with the Ethereum execution specs' own implementation, and names the first difference.

Nothing of the node or the gateway is used: one file (the fast mode needs revm_messages.py beside it), one input. It needs its own
environment, because the specs pin older versions of libraries than the node runs on (requirements/verification.txt; Python 3.11 or newer):

    python3 -m venv .venv-verification
    .venv-verification/bin/python -m pip install --require-hashes -r requirements/verification.txt
    .venv-verification/bin/python scripts/verify_chain.py chain.jsonl.gz --genesis-hash 0x…

Exit 0: every block follows from its parent, and is sealed. Exit 1: it does not; the first bad block is named. Exit 2: it could not be run.
`--checkpoint FILE` (repeatable) holds the chain against what brands and auditors countersigned, each as its block passes.
`--sample 5%` (or a number of blocks) is the fast mode: messages run on revm, and state roots are compared at that many blocks, chosen by
chance, and at the last one. Where revm and the chain differ, the specs execute everything since the last compared state root and decide.
What of the specs is changed for the rules `prague+7951` stands in one place, `patch_rules`.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import gzip
import importlib
import json
import random
import re
import secrets
import sys
import threading
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

try:
    from ethereum.crypto.elliptic_curve import secp256k1_recover  # type: ignore[import-not-found]
    from ethereum.crypto.hash import keccak256  # type: ignore[import-not-found]
    from ethereum.exceptions import EthereumException  # type: ignore[import-not-found]
    from ethereum.forks.osaka.vm.exceptions import OutOfGasError as OsakaOutOfGas  # type: ignore[import-not-found]
    from ethereum.forks.osaka.vm.precompiled_contracts.p256verify import p256verify  # type: ignore[import-not-found]
    from ethereum.forks.prague import fork, state, trie, vm  # type: ignore[import-not-found]
    from ethereum.forks.prague.blocks import Block, Header, Log  # type: ignore[import-not-found]
    from ethereum.forks.prague.fork_types import Account, Address, Bloom  # type: ignore[import-not-found]
    from ethereum.forks.prague.requests import compute_requests_hash  # type: ignore[import-not-found]
    from ethereum.forks.prague.transactions import BlobTransaction, LegacyTransaction, decode_transaction  # type: ignore[import-not-found]
    from ethereum.forks.prague.vm.exceptions import OutOfGasError  # type: ignore[import-not-found]
    from ethereum.forks.prague.vm.precompiled_contracts.mapping import PRE_COMPILED_CONTRACTS  # type: ignore[import-not-found]
    from ethereum_rlp import rlp  # type: ignore[import-not-found]
    from ethereum_types.bytes import Bytes, Bytes8, Bytes32  # type: ignore[import-not-found]
    from ethereum_types.numeric import U64, U256, Uint  # type: ignore[import-not-found]
    from immutables import Map  # type: ignore[import-not-found]
except ImportError as missing:
    print(f"{missing}. This needs its own environment:\n{__doc__}", file=sys.stderr)
    raise SystemExit(2) from missing

FORMAT = "splittally-chain/1"
RULES = "prague+7951"
SEAL_PREFIX = b"Splittally block seal"
HANDOVER_PREFIX = b"Splittally sealer handover"
SIGNATURE_BYTES = 65
CHECKPOINT_FORMAT = "splittally-checkpoint/2"
CHECKPOINT_PREFIX = b"Splittally checkpoint"
TRANSACTION_GAS_MAX = 1 << 24  # EIP-7825
SEALED_SHARE_OF_GAS_LIMIT = 4
CLOCKS_MAY_DIFFER_SECONDS = 15
LINE_BYTES_MAX = 64 * 1024 * 1024
EMPTY_TRIE_ROOT = trie.EMPTY_TRIE_ROOT


class Difference(Exception):
    """The first thing that is wrong, in words."""


class Unusable(Exception):
    """A checkpoint that cannot be read, or that nobody signed: it says nothing about the chain."""


# -- the rules prague+7951, as changes to the specs' Prague ------------------------------------------------------------


def patch_rules() -> None:
    """1. P256VERIFY (the specs' own, from Osaka) at 0x100.  2. No system contracts: none are called, no log is a deposit. Two more
    rules stand where they are applied: a timestamp may equal the parent's (`check_header`), no transaction above 2^24 gas
    (`check_transactions`)."""
    PRE_COMPILED_CONTRACTS[Address((0x100).to_bytes(20, "big"))] = _p256verify_in_prague
    fork.process_unchecked_system_transaction = _no_system_call
    fork.process_checked_system_transaction = _no_system_call
    fork.parse_deposit_requests = lambda _: Bytes(b"")


def _p256verify_in_prague(evm: Any) -> None:
    try:
        p256verify(evm)
    except OsakaOutOfGas as error:
        raise OutOfGasError from error  # each fork of the specs knows its own exceptions only


def _no_system_call(**_: object) -> Any:
    nothing = Uint(0)
    return fork.MessageCallOutput(
        gas_left=nothing, refund_counter=U256(0), logs=(), accounts_to_delete=set(), error=None, return_data=Bytes(b"")
    )


def check_header(chain: Any, header: Any, genesis: Any, *, sandbox: bool) -> None:
    """The specs' own checks, on a header one second later: `timestamp <= parent's` is refused there, `<` is here."""
    fork.validate_header(chain, dataclasses.replace(header, timestamp=header.timestamp + U256(1)))
    fixed = {
        "gas_limit": genesis.gas_limit,
        "coinbase": genesis.coinbase,
        "extra_data": Bytes(b""),
        "prev_randao": genesis.prev_randao,
        "parent_beacon_block_root": genesis.parent_beacon_block_root,
    }
    for name, value in fixed.items():
        if getattr(header, name) != value:
            raise Difference(f"{name} is {_shown(getattr(header, name))}, on this chain it is always {_shown(value)}")
    if int(header.gas_used) > int(header.gas_limit) // SEALED_SHARE_OF_GAS_LIMIT:
        raise Difference("more than a quarter of the gas limit is used")
    if not sandbox and int(header.timestamp) > time.time() + CLOCKS_MAY_DIFFER_SECONDS:
        raise Difference(f"its timestamp {header.timestamp} lies in the future")


def check_transactions(transactions: tuple[Any, ...]) -> None:
    for index, item in enumerate(map(decode_transaction, transactions)):
        if int(item.gas) > TRANSACTION_GAS_MAX:
            raise Difference(f"transaction {index} has a gas limit above 2^24")
        if isinstance(item, BlobTransaction):
            raise Difference(f"transaction {index} carries blobs")
        if isinstance(item, LegacyTransaction) and int(item.v) in (27, 28):
            raise Difference(f"transaction {index} is not bound to a chain (EIP-155)")


# -- executing a chain file --------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Sample:
    """How many blocks' state roots the fast mode compares, and what they are chosen by."""

    blocks: str  # a number, or a percentage with its sign
    seed: int

    def of(self, last: int) -> frozenset[int]:
        """The last block is always among them."""
        number, percent = self.blocks.removesuffix("%"), self.blocks.endswith("%")
        count = -(-float(number) * last // 100) if percent else int(number)
        chosen = random.Random(self.seed).sample(range(1, last + 1), min(last, int(count)))  # noqa: S311 - repeatable, not secret
        return frozenset({*chosen, last})


def verify(
    path: Path, trusted_genesis: str | None, *, plain: bool, sample: Sample | None = None, checkpoints: tuple[Checkpoint, ...] = ()
) -> dict[str, object]:
    """Raises Difference."""
    started = time.monotonic()
    patch_rules()
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        first = _line(file, "the first line")
        try:
            config, genesis_state, genesis = _genesis(first, plain=plain)
            genesis_hash = keccak256(rlp.encode(genesis))
            sealers = Sealers(genesis_hash, _bytes(config["sealer"]))
            sealers.check(0, genesis_hash, _bytes(first["genesisSeal"]))
            last, chain_id, _ = first["blocks"], U64(config["chainId"]), config["sandbox"]
        except Difference as difference:
            raise Difference(f"block 0: {difference}") from difference
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise Difference(f"block 0: the genesis configuration cannot be read: {error!r}") from error
        if trusted_genesis is not None and trusted_genesis.lower() != _shown(genesis_hash):
            raise Difference(f"block 0: the genesis hash is {_shown(genesis_hash)}, not the trusted {trusted_genesis}")
        if type(last) is not int or last < 0:
            raise Difference(f"the first line does not say how many blocks follow: {str(last)[:20]!r}")
        for item in checkpoints:
            item.hold_against_genesis(genesis_hash)
        chain = fork.BlockChain([Block(genesis, (), (), ())], genesis_state, chain_id)
        reading = Reading(file, last, genesis, sealers, config, root_of if plain else incremental_root_of, started, checkpoints)
        found = _all_on_the_specs(chain, reading) if sample is None else _sampled_on_revm(chain, reading, sample)
        if _goes_on(file):
            raise Difference(f"the file goes on after its last block, {last}")
    head = chain.blocks[-1].header
    return {
        "verified_blocks": last + 1,
        **found,
        **({"checkpoints": _agreement(checkpoints, last)} if checkpoints else {}),
        "sandbox": config["sandbox"],
        "sealers": sealers.shown(),
        "head_hash": _shown(keccak256(rlp.encode(head))),
        "state_root": _shown(head.state_root),
        "genesis_hash": _shown(genesis_hash),
        "rules": RULES,
        "seconds": round(time.monotonic() - started, 1),
    }


@dataclasses.dataclass(frozen=True)
class Reading:
    """A chain file in the middle of being read, and what every block of it is held against."""

    file: Any
    last: int
    genesis: Any
    sealers: Sealers
    config: dict[str, Any]
    root: Any
    started: float
    checkpoints: tuple[Checkpoint, ...] = ()

    def next_block(self, chain: Any, *, with_state_root: bool = True) -> int:
        """Reads and executes the block after the chain's head; returns how many transactions it holds. Raises Difference."""
        number = int(chain.blocks[-1].header.number) + 1
        try:
            line = _line(self.file, f"block {number} of {self.last}")
            header, count = _execute(chain, line, self, roots=self.root if with_state_root else None)
            block_hash = keccak256(rlp.encode(header))
            self.sealers.check(number, block_hash, _bytes(line["seal"]))
            for item in self.checkpoints:
                item.hold_against(number, block_hash, int(header.timestamp))
        except Difference as difference:
            raise Difference(f"block {number}: {difference}") from difference
        _progress(number, self.last, self.started)
        return int(count)


def _all_on_the_specs(chain: Any, reading: Reading) -> dict[str, object]:
    transactions = sum(reading.next_block(chain) for _ in range(reading.last))
    return {"engine": "the execution specs", "transactions": transactions}


def _execute(chain: Any, line: dict[str, Any], reading: Reading, *, roots: Any) -> tuple[Any, int]:
    """What the specs' `state_transition` does, with every comparison named. Without `roots` the state root is believed."""
    number = int(chain.blocks[-1].header.number) + 1
    if line.get("number") != number or set(line) != {"number", "block", "seal"}:
        raise Difference("its line is another block's, or not in the form of one")
    raw = _bytes(line["block"])
    try:
        block = rlp.decode_to(Block, raw)
        if rlp.encode(block) != raw or block.ommers or block.withdrawals:
            raise Difference("it is not in the form this chain seals")
        header = block.header
        check_header(chain, header, reading.genesis, sandbox=reading.config["sandbox"])
        check_transactions(block.transactions)
        environment = vm.BlockEnvironment(
            chain_id=chain.chain_id,
            state=chain.state,
            block_gas_limit=header.gas_limit,
            block_hashes=fork.get_last_256_block_hashes(chain),
            coinbase=header.coinbase,
            number=header.number,
            base_fee_per_gas=header.base_fee_per_gas,
            time=header.timestamp,
            prev_randao=header.prev_randao,
            excess_blob_gas=header.excess_blob_gas,
            parent_beacon_block_root=header.parent_beacon_block_root,
        )
        output = fork.apply_body(environment, block.transactions, block.withdrawals)
    except Difference:
        raise
    except Exception as error:  # whatever the specs raise over a block, it is a refusal
        raise Difference(f"the specs refuse it: {_where(error)}") from error
    given = {
        "transactions_root": trie.root(output.transactions_trie),
        "receipt_root": trie.root(output.receipts_trie),
        "gas_used": output.block_gas_used,
        "bloom": fork.logs_bloom(output.block_logs),
        "state_root": header.state_root if roots is None else roots(chain.state),
        "withdrawals_root": trie.root(output.withdrawals_trie),
        "blob_gas_used": output.blob_gas_used,
        "requests_hash": compute_requests_hash(output.requests),
    }
    differing = [name for name, value in given.items() if getattr(header, name) != value]
    if differing:
        name = differing[0]
        also = f" (and so do {', '.join(differing[1:])})" if differing[1:] else ""
        raise Difference(f"{name} differs{also}: the chain has {_shown(getattr(header, name))}, the specs give {_shown(given[name])}")
    chain.blocks = [*chain.blocks[-254:], Block(header, (), (), ())]  # BLOCKHASH looks at headers only
    return header, len(block.transactions)


def _genesis(first: dict[str, Any], *, plain: bool) -> tuple[dict[str, Any], Any, Any]:
    """The configuration, the state it lays down and the header that follows from both."""
    if first.get("format") != FORMAT:
        raise Difference(f"the file's format is {first.get('format')!r}, not {FORMAT}")
    config = first["genesis"]
    if config["rules"] != RULES:
        raise Difference(f"the chain runs {config['rules']!r}, this checks {RULES}")
    if not plain:
        state.Trie = _incremental_trie
        fork.logs_bloom = bloom_of
    ledger = state.State()
    for address, wei in config["allocations"].items():
        state.set_account(ledger, Address(_bytes(address)), Account(nonce=Uint(0), balance=U256(int(wei)), code=Bytes(b"")))
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":")).encode("ascii")
    header = Header(
        parent_hash=Bytes32(bytes(32)),
        ommers_hash=fork.EMPTY_OMMER_HASH,
        coinbase=Address(_bytes(config["sealer"])),
        state_root=(root_of if plain else incremental_root_of)(ledger),
        transactions_root=EMPTY_TRIE_ROOT,
        receipt_root=EMPTY_TRIE_ROOT,
        bloom=Bloom(bytes(256)),
        difficulty=Uint(0),
        number=Uint(0),
        gas_limit=Uint(config["gasLimit"]),
        gas_used=Uint(0),
        timestamp=U256(config["timestamp"]),
        extra_data=Bytes(keccak256(canonical)),
        prev_randao=Bytes32(bytes(32)),
        nonce=Bytes8(bytes(8)),
        base_fee_per_gas=Uint(config["baseFeePerGas"]),
        withdrawals_root=EMPTY_TRIE_ROOT,
        blob_gas_used=U64(0),
        excess_blob_gas=U64(0),
        parent_beacon_block_root=Bytes32(bytes(32)),
        requests_hash=compute_requests_hash([]),
    )
    if _shown(keccak256(rlp.encode(header))) != first["genesisHash"]:
        raise Difference("the genesis hash does not follow from the genesis configuration")
    return config, ledger, header


class Sealers:
    """Whose seals the blocks must carry. In the first block of a new sealer its address and the signature of the one before follow the
    seal. To check a block again, as after a difference of the fast mode, changes nothing."""

    def __init__(self, genesis_hash: Any, first: bytes) -> None:
        self._genesis_hash = genesis_hash
        self._since: dict[int, bytes] = {0: first}

    def check(self, number: int, block_hash: Any, seal: bytes) -> None:
        """Raises Difference unless the block of this number is sealed by whose turn it is."""
        before = self._since[max(each for each in self._since if each < max(number, 1))]
        sealed, rest = seal[:SIGNATURE_BYTES], seal[SIGNATURE_BYTES:]
        signer = self._signer(sealed, SEAL_PREFIX + self._genesis_hash + block_hash)
        if not rest:
            if signer != before:
                raise Difference(f"the seal is {_shown(signer)}'s, not the sealer's")
            return
        if len(rest) != 20 + SIGNATURE_BYTES or number == 0:
            raise Difference("the seal is in no form that a seal has")
        following, signature = rest[:20], rest[20:]
        if self._signer(signature, HANDOVER_PREFIX + self._genesis_hash + number.to_bytes(8, "big") + following) != before:
            raise Difference(f"the sealer before has not signed that it hands over to {_shown(following)}")
        if signer != following or following == before:
            raise Difference(f"the seal is {_shown(signer)}'s, not that of {_shown(following)}, who takes over")
        self._since[number] = following

    def shown(self) -> list[dict[str, object]]:
        return [{"from_block": number, "sealer": _shown(self._since[number])} for number in sorted(self._since)]

    def _signer(self, signature: bytes, signed: bytes) -> bytes:
        try:
            return _signer(signature, keccak256(signed))
        except (EthereumException, ValueError, OverflowError) as error:
            raise Difference(f"the seal is no signature: {error}") from error


def _signer(signature: bytes, digest: Any) -> bytes:
    if len(signature) != 65 or signature[64] > 1:
        raise ValueError("it has 65 bytes, the last of them 0 or 1")
    r, s = U256.from_be_bytes(signature[:32]), U256.from_be_bytes(signature[32:64])
    return bytes(keccak256(secp256k1_recover(r, s, U256(signature[64]), digest))[12:])


# -- countersigned checkpoints -----------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """`signer` signed which block it saw at a number, the block's time and its own clock's: keccak(prefix ‖ genesis hash ‖ number ‖ block
    hash ‖ block time ‖ witnessed at), numbers of 8 bytes."""

    genesis_hash: bytes
    number: int
    block_hash: bytes
    block_time: int
    witnessed_at: int
    signer: bytes

    def hold_against_genesis(self, genesis_hash: bytes) -> None:
        if self.genesis_hash != genesis_hash:
            raise Difference(f"block 0: {self._by()} countersigned a chain whose genesis is {_shown(self.genesis_hash)}")
        if (self.number, self.block_hash != genesis_hash) == (0, True):
            raise Difference(f"block 0: {self._by()} countersigned {_shown(self.block_hash)}")

    def hold_against(self, number: int, block_hash: bytes, block_time: int) -> None:
        if (self.number, self.block_hash != block_hash) == (number, True):
            raise Difference(f"two stories: it is {_shown(block_hash)} here, {self._by()} countersigned {_shown(self.block_hash)}")
        if (self.number, self.block_time != block_time) == (number, True):
            raise Difference(f"its time is {block_time}, {self._by()} countersigned {self.block_time}")

    def _by(self) -> str:
        return _shown(self.signer)


def read_checkpoint(path: Path) -> Checkpoint:
    """Raises Unusable unless the file is one and its signer signed it."""
    try:
        fields = json.loads(path.read_bytes())
        if fields["format"] != CHECKPOINT_FORMAT:
            raise ValueError(f"its format is {str(fields['format'])[:40]}, not {CHECKPOINT_FORMAT}")
        numbers = number, block_time, witnessed_at = fields["number"], fields["blockTime"], fields["witnessedAt"]
        seen = _bytes(fields["genesisHash"]), number, _bytes(fields["blockHash"]), block_time, witnessed_at
        found = Checkpoint(*seen, _bytes(fields["signer"]))
        if any(type(each) is not int for each in numbers) or len(found.genesis_hash + found.block_hash) != 64:
            raise ValueError("another format")
        packed = [each.to_bytes(8, "big") for each in numbers]
        signed = CHECKPOINT_PREFIX + found.genesis_hash + packed[0] + found.block_hash + packed[1] + packed[2]
        signer = _signer(_bytes(fields["signature"]), keccak256(signed))
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError, EthereumException, Difference) as error:
        raise Unusable(f"{path} is not a checkpoint: {error!r}") from error
    if signer != found.signer:
        raise Unusable(f"{path} is not signed by {_shown(found.signer)}, but by {_shown(signer)}")
    return found


def _agreement(checkpoints: tuple[Checkpoint, ...], last: int) -> dict[str, object]:
    """Of checkpoints that the chain did not contradict."""
    agreeing = [item for item in checkpoints if item.number <= last]
    return {
        "agreeing": len(agreeing),
        "beyond_this_head": len(checkpoints) - len(agreeing),
        "latest_countersigned": max((item.number for item in agreeing), default=None),
        "signers": sorted({_shown(item.signer) for item in agreeing}),
    }


# -- state at speed: the specs' own trie functions, but only for what changed ------------------------------------------


class Rows:
    """A trie's rows with a copy that costs nothing (the specs copy a state for every call) and a list of what changed."""

    def __init__(self, rows: Any = None, nodes: Nodes | None = None) -> None:
        self.rows = Map() if rows is None else rows
        self.nodes = nodes or Nodes()

    def __copy__(self) -> Rows:
        return Rows(self.rows, self.nodes)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.rows = self.rows.set(key, value)
        self.nodes.changed.add(key)

    def __delitem__(self, key: Any) -> None:
        self.rows = self.rows.delete(key)
        self.nodes.changed.add(key)

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def __eq__(self, other: object) -> bool:
        return len(self.rows) == 0 if other == {} else self is other

    __hash__ = None  # type: ignore[assignment]

    def get(self, key: Any, default: Any = None) -> Any:
        return self.rows.get(key, default)

    def items(self) -> Iterator[tuple[Any, Any]]:
        return iter(self.rows.items())


class Nodes:
    """What the last root was made of, shared by all copies of a trie. `changed` may name rows that were rolled back since."""

    def __init__(self) -> None:
        self.changed: set[Any] = set()
        self.hashed: set[Any] = set()  # what had changed when the last root was made
        self.top = Bucket(0)
        self.storage_roots: dict[Any, Any] = {}


class Bucket:
    """The rows under a prefix of `level` nibbles. A large one has sixteen parts; the nodes of an unchanged one are kept."""

    ROWS_MAX = 24

    def __init__(self, level: int) -> None:
        self.level = level
        self.rows: dict[bytes, bytes] = {}
        self.parts: list[Bucket] | None = None
        self.encoded: Any = None

    def put(self, key: bytes, value: bytes | None) -> None:
        self.encoded = None
        if self.parts is not None:
            self.parts[key[self.level]].put(key, value)
        elif value is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = value
            if len(self.rows) > self.ROWS_MAX:
                self._split()

    def reference(self) -> Any:
        """As the specs would name this part of the trie in its parent."""
        if self.encoded is None:
            self.encoded = trie.encode_internal_node(self._node())
        return self.encoded

    def _node(self) -> Any:
        if self.parts is None:
            return trie.patricialize(self.rows, Uint(self.level))
        references = tuple(part.reference() for part in self.parts)
        if sum(reference != b"" for reference in references) < 2:  # no branch here: leave it to the specs
            return trie.patricialize(dict(self._all()), Uint(self.level))
        return trie.BranchNode(references, Bytes(b""))

    def _split(self) -> None:
        self.parts = [Bucket(self.level + 1) for _ in range(16)]
        for key, value in self.rows.items():
            self.parts[key[self.level]].put(key, value)
        self.rows = {}

    def _all(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self.rows.items()
        for part in self.parts or ():
            yield from part._all()


def _incremental_trie(*, secured: bool, default: Any) -> Any:
    return trie.Trie(secured, default, Rows())


def root_of(ledger: Any) -> Any:
    """The specs' own function: the whole state is hashed again."""
    return state.state_root(ledger)


def incremental_root_of(ledger: Any) -> Any:
    rows: Rows = ledger._main_trie._data
    roots = {address: _root(storage, None) for address, storage in ledger._storage_tries.items()}
    before = rows.nodes.storage_roots
    rows.nodes.changed |= {address for address in roots.keys() | before.keys() if roots.get(address) != before.get(address)}
    rows.nodes.storage_roots = roots
    return _root(ledger._main_trie, lambda address: roots.get(address, EMPTY_TRIE_ROOT))


def _root(tree: Any, storage_root: Any) -> Any:
    rows: Rows = tree._data
    nodes = rows.nodes
    for key in nodes.changed:
        value = rows.get(key)
        if value is None:
            encoded = None
        elif isinstance(value, Account):
            encoded = trie.encode_node(value, storage_root(key))
        else:
            encoded = trie.encode_node(value)
        nodes.top.put(trie.bytes_to_nibble_list(keccak256(key)), encoded)
    nodes.hashed, nodes.changed = nodes.changed, set()
    top = nodes.top.reference()
    encoded_top = rlp.encode(top)
    return keccak256(encoded_top) if len(encoded_top) < 32 else trie.Root(top)


# -- the fast mode: the specs check and account for transactions, revm runs their messages --------------------------------


def _sampled_on_revm(chain: Any, reading: Reading, sample: Sample) -> dict[str, object]:
    sampled, transactions, decided = sample.of(reading.last), dict[int, int](), 0
    messages, agreed = Messages(chain.state, reading), Agreed(chain, reading)
    for number in range(1, reading.last + 1):
        try:
            with messages.on_revm():
                transactions[number] = reading.next_block(chain, with_state_root=number in sampled)
        except Difference:
            agreed.go_back(chain, reading)
            for again in range(agreed.number + 1, number + 1):  # the specs alone decide, and name what is wrong
                transactions[again] = reading.next_block(chain)
            decided += number - agreed.number
            messages.copy_the_state()
        else:
            if number not in sampled:
                continue
        agreed = Agreed(chain, reading)
    return {
        "engine": "revm",
        "sampled_blocks": len(sampled),
        "seed": sample.seed,
        "transactions": sum(transactions.values()),
        "messages_on_revm": messages.on_revm_total,
        "messages_on_the_specs": dict(messages.on_the_specs),
        "blocks_decided_by_the_specs": decided,
    }


class Agreed:
    """The chain at the last block whose state root was compared, and where the file goes on from there."""

    def __init__(self, chain: Any, reading: Reading) -> None:
        self.number = int(chain.blocks[-1].header.number)
        self._blocks, self._place = chain.blocks, reading.file.tell()
        self._state = _copied(chain.state._main_trie, chain.state._storage_tries)

    def go_back(self, chain: Any, reading: Reading) -> None:
        reading.file.seek(self._place)
        chain.blocks, ledger = self._blocks, chain.state
        ledger._main_trie, ledger._storage_tries = _copied(*self._state)
        ledger._snapshots, ledger.created_accounts = [], set()
        for tree in (ledger._main_trie, *ledger._storage_tries.values()):
            tree._data.nodes.changed |= tree._data.nodes.hashed


def _copied(main: Any, storages: dict[Any, Any]) -> tuple[Any, dict[Any, Any]]:
    return trie.copy_trie(main), {address: trie.copy_trie(tree) for address, tree in storages.items()}


class Messages:
    """Stands in for the specs' `process_message_call`: on revm where it can be, on the specs where it cannot. The state is the specs'."""

    def __init__(self, ledger: Any, reading: Reading) -> None:
        self._ledger, self._reading = ledger, reading
        self._by_the_specs = fork.process_message_call
        self._block: Any = None
        self._stale: set[Any] = set()  # accounts that the specs changed since revm was told of them
        self.on_revm_total = 0
        self.on_the_specs: Counter[str] = Counter()
        self.copy_the_state()

    @contextlib.contextmanager
    def on_revm(self) -> Iterator[None]:
        fork.process_message_call = self._process
        try:
            yield
        finally:
            fork.process_message_call = self._by_the_specs

    def copy_the_state(self) -> None:
        genesis = self._reading.genesis
        self._revm = _revm_messages().Revm(self._reading.config["chainId"], int(genesis.gas_limit), self._code)
        self._block, self._stale = None, {address for address, _ in self._ledger._main_trie._data.items()}
        for address, tree in self._ledger._storage_tries.items():
            self._revm.put_slots(address, ((int.from_bytes(slot, "big"), int(value)) for slot, value in tree._data.items()))

    def _code(self, address: bytes) -> bytes:
        return bytes(state.get_account(self._ledger, Address(address)).code)

    def _process(self, message: Any) -> Any:
        not_for_revm = _revm_messages().NotForRevm
        try:
            output = self._process_on_revm(message)
        except not_for_revm as reason:
            self.on_the_specs[str(reason)] += 1
            output = self._process_on_the_specs(message)
        else:
            self.on_revm_total += 1
        self._stale |= {message.tx_env.origin, message.block_env.coinbase}  # fees are settled after the message
        return output

    def _process_on_revm(self, message: Any) -> Any:
        revm, environment, ledger = self._revm, message.block_env, self._ledger
        creation = message.target == b""
        if message.tx_env.authorizations:
            raise _revm_messages().NotForRevm("it sets code for an account (EIP-7702)")
        if creation and state.account_exists(ledger, message.current_target):
            raise _revm_messages().NotForRevm("it creates a contract where an account is")
        if environment is not self._block:
            self._block = environment
            revm.begin_block(environment)
        for address in self._stale | {message.caller, environment.coinbase}:
            account = state.get_account(ledger, address)
            before = 1 if creation and address == message.caller else 0  # revm itself counts a creation
            revm.put_account(address, int(account.balance), int(account.nonce) - before, bytes(account.code))
        self._stale = set()
        ran = revm.run(
            _revm_messages().Call(
                sender=bytes(message.caller),
                to=None if creation else bytes(message.target),
                data=bytes(message.code if creation else message.data),
                value=int(message.value),
                gas=int(message.gas),
                gas_price=int(message.tx_env.gas_price),
                warm_accounts=frozenset(message.tx_env.access_list_addresses) - {environment.coinbase},
                warm_slots=frozenset((a, int.from_bytes(slot, "big")) for a, slot in message.tx_env.access_list_storage_keys),
            )
        )
        for changed in ran.changed:
            self._take_over(message, changed)
        return fork.MessageCallOutput(
            gas_left=Uint(ran.gas_left),
            refund_counter=U256(ran.refund),
            logs=tuple(Log(Address(address), tuple(map(Bytes32, topics)), Bytes(data)) for address, topics, data in ran.logs),
            accounts_to_delete={Address(changed.address) for changed in ran.changed if changed.destroyed},
            error=None if ran.succeeded else OutOfGasError(),  # the receipt tells success from failure and no more
            return_data=Bytes(b""),
        )

    def _take_over(self, message: Any, changed: Any) -> None:
        address = Address(changed.address)
        before = state.get_account(self._ledger, address)
        nonce = before.nonce if address == message.caller else Uint(changed.nonce)
        code = before.code if changed.code is None else Bytes(changed.code)
        now = Account(nonce=nonce, balance=U256(changed.balance), code=code)
        if now != before:
            state.set_account(self._ledger, address, now)
            self._stale.add(address)
        if not changed.destroyed:
            for slot, value in changed.slots:
                state.set_storage(self._ledger, address, Bytes32(slot.to_bytes(32, "big")), U256(value))
            self._revm.put_slots(address, changed.slots)

    def _process_on_the_specs(self, message: Any) -> Any:
        """And tells revm of every account and slot that this may have changed."""
        before = _copied(self._ledger._main_trie, self._ledger._storage_tries)
        output = self._by_the_specs(message)
        self._stale |= {address for address, account in _differing(before[0], self._ledger._main_trie)}
        for address in before[1].keys() | self._ledger._storage_tries.keys():
            slots = _differing(before[1].get(address), self._ledger._storage_tries.get(address))
            self._revm.put_slots(address, ((int.from_bytes(slot, "big"), int(value or 0)) for slot, value in slots))
        return output


def _differing(before: Any, now: Any) -> list[tuple[Any, Any]]:
    """The rows of a trie that are others now; None where one is gone."""
    old, new = (Map() if tree is None else tree._data.rows for tree in (before, now))
    if before is not None and now is not None and before._data.nodes is now._data.nodes:
        keys = now._data.nodes.changed
    else:
        keys = {*old.keys(), *new.keys()}
    return [(key, new.get(key)) for key in keys if old.get(key) != new.get(key)]


def _revm_messages() -> Any:
    """Beside this file; imported for the fast mode only."""
    try:
        return sys.modules.get("revm_messages") or importlib.import_module("revm_messages")
    except ImportError as missing:
        raise OSError(f"--sample needs pyrevm, which there is for Python 3.11 and 3.12: {missing}") from missing


def bloom_of(logs: tuple[Any, ...]) -> Any:
    """As the specs' `logs_bloom`; most of what a log names has been hashed before."""
    bits = 0
    for log in logs:
        for entry in (log.address, *log.topics):
            bits |= _bloom_bits(bytes(entry))
    return Bloom(bits.to_bytes(256, "big"))


@functools.lru_cache(100_000)
def _bloom_bits(entry: bytes) -> int:
    digest = keccak256(entry)
    return sum({1 << (int.from_bytes(digest[place : place + 2], "big") & 0x7FF) for place in (0, 2, 4)})


# -- reading, showing --------------------------------------------------------------------------------------------------


def _line(file: IO[bytes] | gzip.GzipFile, what: str) -> dict[str, Any]:
    try:
        line = file.readline(LINE_BYTES_MAX)
        fields = json.loads(line) if line.endswith(b"\n") else None
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        raise Difference(f"the file cannot be read at {what}: {error}") from error
    if not isinstance(fields, dict):
        raise Difference(f"the file ends or is torn before the end of {what}")
    return fields


def _goes_on(file: IO[bytes] | gzip.GzipFile) -> bool:
    try:
        return bool(file.readline(1))
    except (OSError, EOFError, zlib.error) as error:
        raise Difference(f"the file cannot be read after its last block: {error}") from error


def _bytes(text: Any) -> bytes:
    try:
        if not text.startswith("0x"):
            raise ValueError("no 0x")
        return bytes.fromhex(text[2:])
    except (AttributeError, ValueError) as error:
        raise Difference(f"{str(text)[:20]!r} is not 0x-prefixed hex") from error


def _shown(value: Any) -> str:
    return "0x" + bytes(value).hex() if isinstance(value, bytes | bytearray) else str(int(value))


def _where(error: Exception) -> str:
    """Most refusals of the specs carry no words: the place says which rule it was."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    source = Path(frame.filename).read_text().splitlines()[max(0, (frame.lineno or 1) - 2)].strip()
    return f"{type(error).__name__}({error}) in {frame.name}, line {frame.lineno}, after `{source}`"


def _progress(number: int, last: int, started: float) -> None:
    if sys.stderr.isatty() and (number % 20 == 0 or number == last):
        print(f"\rblock {number} of {last}, {number / (time.monotonic() - started):.1f} a second", end="", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, help="what `python -m node export` wrote")
    parser.add_argument("--genesis-hash", help="the genesis you trust; without it, any chain that is consistent passes")
    parser.add_argument(
        "--checkpoint", metavar="FILE", type=Path, action="append", default=[], help="what someone countersigned; repeatable"
    )
    parser.add_argument("--plain", action="store_true", help="the specs' state as it is: hashes everything for every block, slowly")
    parser.add_argument("--sample", metavar="N|P%", type=_sample, help="the fast mode: compare the state roots of so many blocks")
    parser.add_argument("--seed", type=int, default=None, help="chooses the same blocks again")
    parser.add_argument("--json", action="store_true", help="a refusal is a line of JSON on standard output too")
    arguments = parser.parse_args()
    if arguments.plain and arguments.sample is not None:
        parser.error("--plain compares every state root, --sample some")
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    outcome: list[int] = []
    sys.setrecursionlimit(100_000)
    threading.stack_size(512 * 1024 * 1024)  # the EVM's 1,024 nested calls are nested calls of Python
    work = threading.Thread(target=lambda: outcome.append(_report(arguments)))
    work.start()
    work.join()
    return outcome[0] if outcome else 2


def _sample(text: str) -> str:
    if not re.fullmatch(r"\d+|\d{1,2}(\.\d+)?%|100%", text):
        raise argparse.ArgumentTypeError("a number of blocks, or a percentage as 5%")
    return text


def _report(arguments: argparse.Namespace) -> int:
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    sample = None if arguments.sample is None else Sample(arguments.sample, seed)
    try:
        checkpoints = tuple(map(read_checkpoint, arguments.checkpoint))
        result = verify(arguments.file, arguments.genesis_hash, plain=arguments.plain, sample=sample, checkpoints=checkpoints)
    except Difference as difference:
        print(f"refused: {difference}", file=sys.stderr)
        if arguments.json:
            print(json.dumps({"refused": str(difference), **({"seed": seed} if sample else {})}))
        return 1
    except (OSError, Unusable) as error:
        print(f"cannot be run: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
