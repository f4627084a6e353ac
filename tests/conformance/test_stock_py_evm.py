"""Blocks the node sealed import into an unmodified py-evm Prague chain, to the same hashes.

Only what the rules share is used: timestamps that differ, and no call of the P-256 precompile.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth.chains.base import Chain
from eth.consensus.noproof import NoProofConsensus
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlock, PragueBlockHeader
from eth_account import Account

from node.chain.genesis import GenesisConfig, genesis_block, parse_config
from tests.node.cell_contract import CREATION, word
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
FIRST = 1_577_836_800
SEED = 7_951


class _StockVm(PragueVM):
    consensus_class = NoProofConsensus


def _stock_chain(config: GenesisConfig) -> Chain:
    header, nodes = genesis_block(config)
    database = AtomicDB()
    for node_hash, node in nodes.items():
        database[node_hash] = node
    chain_class = Chain.configure(__name__="Stock", vm_configuration=((0, _StockVm),), chain_id=config.chain_id)
    return chain_class.from_genesis_header(database, rlp.decode(rlp.encode(header), sedes=PragueBlockHeader))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RunningNode]:
    with RunningNode(tmp_path / "data", ("--sandbox", "--timestamp", str(FIRST), "--operator", OPERATOR.address)) as running:
        yield running


def _traffic(node: RunningNode) -> Iterator[list[dict[str, Any]]]:
    """Blocks' worth of transactions: every type, creations, reverts, out of gas, refunds, self-destruction, random code."""
    dice = random.Random(SEED)
    node.call("evm_setNextBlockTimestamp", FIRST + 10)
    cell = node.send(OPERATOR, data=CREATION)["contractAddress"]
    nobody = "0x" + "ab" * 20
    yield [{"to": nobody, "value": 5}, {"to": nobody, "value": 0}, {"to": "0x" + "cd" * 20, "value": 0}]
    yield [{"to": cell, "data": word(value)} for value in (3, 0, 9)]  # the clearing one earns a refund
    yield [{"to": cell, "data": "0xdeadbeef"}, {"to": cell, "data": word(1), "gas": 30_000}]
    yield [{"to": cell, "data": word(4), "type": None, "gasPrice": 50}]
    yield [{"to": cell, "data": word(4), "type": 1, "gasPrice": 50, "accessList": [{"address": cell, "storageKeys": [word(0)]}]}]
    yield [{"data": "0x6001600155" + "33ff"}, {"data": "0xef"}, {"data": "0xfe"}]
    yield [{"to": nobody, "data": "0x" + "11" * 3_000, "gas": 400_000}]  # EIP-7623's floor decides
    delegate = Account.from_key(b"\x31" * 32)
    authorization = delegate.sign_authorization({"chainId": node.chain_id, "address": cell, "nonce": 0})
    yield [{"to": delegate.address, "data": word(6), "type": 4, "authorizationList": [authorization], "gas": 300_000}]
    for _ in range(6):
        yield [{"data": "0x" + dice.randbytes(dice.randrange(1, 60)).hex(), "gas": 150_000} for _ in range(8)]
        yield [{"data": "0x5f" + "60015f55" * dice.randrange(1, 5) + dice.randbytes(20).hex(), "gas": 150_000} for _ in range(4)]


@pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present")
def test_every_sealed_block_imports_into_stock_py_evm_with_the_same_hash(node: RunningNode) -> None:
    timestamp = FIRST
    for block in _traffic(node):
        timestamp += 1_000
        node.call("evm_setNextBlockTimestamp", timestamp)
        first = node.nonce(OPERATOR)
        signed = [node.signed(OPERATOR, nonce=first + offset, **fields) for offset, fields in enumerate(block)]
        for raw in reversed(signed):  # the last one closes the gap, so that all share a block
            sent = node.call("eth_sendRawTransaction", raw)
        node.receipt(sent)
        node.receipt(node.call("eth_getBlockByNumber", "latest", False)["transactions"][-1])
    stock = _stock_chain(parse_config((node.data / "genesis.json").read_bytes().strip()))
    sealed = int(node.call("eth_blockNumber"), 16)
    assert sealed >= 20
    for number in range(1, sealed + 1):
        raw = bytes.fromhex(node.call("debug_getRawBlock", hex(number))[2:])
        imported = stock.import_block(rlp.decode(raw, sedes=PragueBlock)).imported_block
        assert imported.hash.hex() == node.call("eth_getBlockByNumber", hex(number), False)["hash"][2:]


def test_an_altered_block_does_not_import(node: RunningNode) -> None:
    node.call("evm_setNextBlockTimestamp", FIRST + 500)
    node.send(OPERATOR, to="0x" + "ab" * 20, value=5)
    block = rlp.decode(bytes.fromhex(node.call("debug_getRawBlock", "0x1")[2:]), sedes=PragueBlock)
    stock = _stock_chain(parse_config((node.data / "genesis.json").read_bytes().strip()))
    altered = block.copy(header=block.header.copy(state_root=b"\x01" * 32))
    with pytest.raises(Exception, match="state_root"):
        stock.import_block(altered)
