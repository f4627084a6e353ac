#!/usr/bin/env python3
"""Executes an exported chain again with the Ethereum execution specs' own implementation, and names the first difference.

Nothing of the node or the gateway is used: one file, one input. It needs its own environment, because the specs pin older versions of
libraries than the node runs on (requirements/verification.txt; Python 3.11 or newer):

    python3 -m venv .venv-verification
    .venv-verification/bin/python -m pip install --require-hashes -r requirements/verification.txt
    .venv-verification/bin/python scripts/verify_chain.py chain.jsonl.gz --genesis-hash 0x…

Exit 0: every block follows from its parent, and is sealed. Exit 1: it does not; the first bad block is named. Exit 2: it could not be run.
What of the specs is changed for the rules `prague+7951` stands in one place, `patch_rules`.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import json
import sys
import threading
import time
import traceback
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
    from ethereum.forks.prague.blocks import Block, Header  # type: ignore[import-not-found]
    from ethereum.forks.prague.bloom import logs_bloom  # type: ignore[import-not-found]
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
TRANSACTION_GAS_MAX = 1 << 24  # EIP-7825
SEALED_SHARE_OF_GAS_LIMIT = 4
CLOCKS_MAY_DIFFER_SECONDS = 15
LINE_BYTES_MAX = 64 * 1024 * 1024
EMPTY_TRIE_ROOT = trie.EMPTY_TRIE_ROOT


class Difference(Exception):
    """The first thing that is wrong, in words."""


# -- the rules prague+7951, as changes to the specs' Prague ------------------------------------------------------------


def patch_rules() -> None:
    """1. P256VERIFY (the specs' own, from Osaka) at 0x100.  2. No system contracts: none are called. Two more rules stand where they
    are applied: a timestamp may equal the parent's (`check_header`), no transaction above 2^24 gas (`check_transactions`)."""
    PRE_COMPILED_CONTRACTS[Address((0x100).to_bytes(20, "big"))] = _p256verify_in_prague
    fork.process_unchecked_system_transaction = _no_system_call
    fork.process_checked_system_transaction = _no_system_call


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


def verify(path: Path, trusted_genesis: str | None, *, plain: bool) -> dict[str, object]:
    """Raises Difference."""
    started = time.monotonic()
    patch_rules()
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        first = _line(file, "the first line")
        try:
            config, genesis_state, genesis = _genesis(first, plain=plain)
            genesis_hash = keccak256(rlp.encode(genesis))
            _check_seal(_bytes(first["genesisSeal"]), genesis_hash, genesis_hash, config)
        except Difference as difference:
            raise Difference(f"block 0: {difference}") from difference
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise Difference(f"block 0: the genesis configuration cannot be read: {error!r}") from error
        if trusted_genesis is not None and trusted_genesis.lower() != _shown(genesis_hash):
            raise Difference(f"block 0: the genesis hash is {_shown(genesis_hash)}, not the trusted {trusted_genesis}")
        chain = fork.BlockChain([Block(genesis, (), (), ())], genesis_state, U64(config["chainId"]))
        transactions = 0
        for number in range(1, first["blocks"] + 1):
            try:
                line = _line(file, f"block {number} of {first['blocks']}")
                header, count = _execute(chain, line, genesis, sandbox=config["sandbox"], roots=root_of if plain else incremental_root_of)
                _check_seal(_bytes(line["seal"]), keccak256(rlp.encode(header)), genesis_hash, config)
            except Difference as difference:
                raise Difference(f"block {number}: {difference}") from difference
            transactions += count
            _progress(number, first["blocks"], started)
        if file.readline(1):
            raise Difference(f"the file goes on after its last block, {first['blocks']}")
    head = chain.blocks[-1].header
    return {
        "verified_blocks": first["blocks"] + 1,
        "transactions": transactions,
        "head_hash": _shown(keccak256(rlp.encode(head))),
        "state_root": _shown(head.state_root),
        "genesis_hash": _shown(genesis_hash),
        "rules": RULES,
        "seconds": round(time.monotonic() - started, 1),
    }


def _execute(chain: Any, line: dict[str, Any], genesis: Any, *, sandbox: bool, roots: Any) -> tuple[Any, int]:
    """What the specs' `state_transition` does, with every comparison named."""
    number = len(chain.blocks) and int(chain.blocks[-1].header.number) + 1
    if line.get("number") != number or set(line) != {"number", "block", "seal"}:
        raise Difference("its line is another block's, or not in the form of one")
    raw = _bytes(line["block"])
    try:
        block = rlp.decode_to(Block, raw)
        if rlp.encode(block) != raw or block.ommers or block.withdrawals:
            raise Difference("it is not in the form this chain seals")
        header = block.header
        check_header(chain, header, genesis, sandbox=sandbox)
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
        "bloom": logs_bloom(output.block_logs),
        "state_root": roots(chain.state),
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


def _check_seal(seal: bytes, block_hash: Any, genesis_hash: Any, config: dict[str, Any]) -> None:
    digest = keccak256(SEAL_PREFIX + genesis_hash + block_hash)
    try:
        if len(seal) != 65 or seal[64] > 1:
            raise ValueError("a seal has 65 bytes, the last of them 0 or 1")
        r, s = U256.from_be_bytes(seal[:32]), U256.from_be_bytes(seal[32:64])
        signer = keccak256(secp256k1_recover(r, s, U256(seal[64]), digest))[12:]
    except (EthereumException, ValueError, OverflowError) as error:
        raise Difference(f"the seal is no signature: {error}") from error
    if signer != _bytes(config["sealer"]):
        raise Difference(f"the seal is {_shown(signer)}'s, not the sealer's")


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
    nodes.changed = set()
    top = nodes.top.reference()
    encoded_top = rlp.encode(top)
    return keccak256(encoded_top) if len(encoded_top) < 32 else trie.Root(top)


# -- reading, showing --------------------------------------------------------------------------------------------------


def _line(file: IO[bytes] | gzip.GzipFile, what: str) -> dict[str, Any]:
    try:
        line = file.readline(LINE_BYTES_MAX)
        fields = json.loads(line) if line.endswith(b"\n") else None
    except (OSError, EOFError, ValueError) as error:
        raise Difference(f"the file cannot be read at {what}: {error}") from error
    if not isinstance(fields, dict):
        raise Difference(f"the file ends or is torn before the end of {what}")
    return fields


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
    parser.add_argument("--plain", action="store_true", help="the specs' state as it is: hashes everything for every block, slowly")
    arguments = parser.parse_args()
    outcome: list[int] = []
    sys.setrecursionlimit(100_000)
    threading.stack_size(512 * 1024 * 1024)  # the EVM's 1,024 nested calls are nested calls of Python
    work = threading.Thread(target=lambda: outcome.append(_report(arguments)))
    work.start()
    work.join()
    return outcome[0] if outcome else 2


def _report(arguments: argparse.Namespace) -> int:
    try:
        result = verify(arguments.file, arguments.genesis_hash, plain=arguments.plain)
    except Difference as difference:
        print(f"refused: {difference}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"cannot be run: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
