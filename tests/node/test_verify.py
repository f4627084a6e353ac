"""Verification names the first thing that is wrong."""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import rlp
from eth_keys.datatypes import PrivateKey

from node.chain.errors import BadBlock
from node.chain.history import HEAD, History, block_key
from node.chain.ports import Table
from node.chain.sealing import seal
from node.chain.verification import verify_chain
from node.config import DataDirectory
from node.store.database import RocksDb
from node.store.recovery import open_history
from tests.node.cell_contract import CREATION, word
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")


@pytest.fixture(scope="module")
def sealed_chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of a stopped node: a contract and three calls of it, a block each."""
    data = tmp_path_factory.mktemp("verify") / "data"
    with RunningNode(data, ("--operator", OPERATOR.address)) as node:
        cell = node.send(OPERATOR, data=CREATION)["contractAddress"]
        for value in (1, 2, 3):
            node.send(OPERATOR, to=cell, data=word(value))
        node.stop()
    return data


@pytest.fixture
def directory(sealed_chain: Path, tmp_path: Path) -> DataDirectory:
    """A copy to tamper with."""
    return DataDirectory(Path(shutil.copytree(sealed_chain, tmp_path / "data")))


def _verified(directory: DataDirectory, change: Callable[[History], None] = lambda _: None) -> list[int]:
    store = RocksDb(directory.store)
    try:
        change(open_history(store, directory.genesis(), directory.sealer_key(), 0))
    finally:
        store.close()
    store = RocksDb(directory.store)
    try:
        return list(verify_chain(open_history(store, directory.genesis(), directory.sealer_key(), 0)))
    finally:
        store.close()


def test_an_untouched_chain_verifies(directory: DataDirectory) -> None:
    assert _verified(directory) == [0, 1, 2, 3, 4]


def _forge_receipts(history: History) -> None:
    packed = history.store.get(Table.RECEIPTS, block_key(1))
    assert packed is not None
    history.store.commit({Table.RECEIPTS: {block_key(2): packed}})


def _forge_seal(history: History) -> None:
    forged = seal(PrivateKey(b"\x09" * 32), history.genesis_hash, history.header(2).hash)
    history.store.commit({Table.SEALS: {block_key(2): forged}})


def _forge_body(history: History) -> None:
    other = history.store.get(Table.BODIES, block_key(3))
    assert other is not None
    history.store.commit({Table.BODIES: {block_key(2): other}})


def _forge_header(history: History) -> None:
    header = history.header(2)
    forged = rlp.encode(header.copy(gas_used=header.gas_used + 1))
    history.store.commit({Table.HEADERS: {block_key(2): forged}})


def _put_another_block(history: History) -> None:
    for table in (Table.HEADERS, Table.BODIES, Table.RECEIPTS, Table.SEALS):
        history.store.commit({table: {block_key(2): history.store.get(table, block_key(4)) or b""}})


def _forge_index(history: History) -> None:
    transaction_hash = history.block(2).transactions[0].hash
    history.store.commit({Table.TRANSACTIONS: {transaction_hash: block_key(3) + bytes(4)}})


def _flip_a_state_node(history: History) -> None:
    root = history.header(1).state_root
    node = history.read_node(root)
    assert node is not None
    history.store.commit({Table.STATE: {root: node[:-1] + bytes([node[-1] ^ 1])}})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_forge_receipts, "block 2: its stored receipts"),
        (_forge_seal, "block 2: the seal is not the sealer's"),
        (_forge_body, "block 2: "),
        (_forge_header, "block 2: re-execution gives another block (gas_used)"),
        (_put_another_block, "block 2: its stored header says 4"),
        (_forge_index, "block 2: transaction 0 is indexed elsewhere"),
        (_flip_a_state_node, "block 1: state node 0x"),
    ],
)
def test_a_forgery_is_named(directory: DataDirectory, change: Callable[[History], None], named: str) -> None:
    with pytest.raises(BadBlock) as refused:
        _verified(directory, change)
    assert named in str(refused.value)


JUNK = [b"", b"\xff", b"\xff\x01", b"\x05", b"\xc0", b"\xc1\x80", b"\xc1\xc0", b"\xc2\x05\x05", b"\xf8\x00", b"\xc1" * 200_000]


@pytest.mark.parametrize("number", [0, 2, 4])
@pytest.mark.parametrize("table", [Table.HEADERS, Table.BODIES, Table.RECEIPTS, Table.SEALS], ids=lambda table: table.value.decode())
def test_a_row_that_cannot_be_decoded_is_named_by_its_block(directory: DataDirectory, table: Table, number: int) -> None:
    """Under a good checksum: on opening if it is the head's or block 0's header, else on verification."""
    with contextlib.closing(RocksDb(directory.store)) as store:
        good = store.get(table, block_key(number))
    for junk in JUNK:
        if junk == good:  # no transactions, no receipts
            continue
        with contextlib.closing(RocksDb(directory.store)) as store:
            store.commit({table: {block_key(number): junk}})
        with pytest.raises(BadBlock, match=f"block {number}\\b"):
            _verified(directory)


@pytest.mark.parametrize("junk", [b"\x09" * 8, b"\x01" * 20, (77).to_bytes(8)])
def test_a_record_of_the_head_that_names_no_block_is_refused_on_opening(directory: DataDirectory, junk: bytes) -> None:
    with contextlib.closing(RocksDb(directory.store)) as store:
        store.commit({Table.META: {HEAD: junk}})
    with pytest.raises(BadBlock, match=r"the head's record names block .* which is not in the store"):
        _verified(directory)


def test_a_head_that_is_not_whole_is_refused_on_opening(directory: DataDirectory) -> None:
    def forge_head_seal(history: History) -> None:
        forged = seal(PrivateKey(b"\x09" * 32), history.genesis_hash, history.head.hash)
        history.store.commit({Table.SEALS: {block_key(4): forged}})

    with pytest.raises(BadBlock, match="does not carry its sealer's seal"):
        _verified(directory, forge_head_seal)
