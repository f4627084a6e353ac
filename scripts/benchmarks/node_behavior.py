"""What a node answers, proves and remembers, and what is left of it after kill -9."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak
from trie.exceptions import BadTrieProof
from trie.hexary import HexaryTrie
from websockets.sync.client import connect

from gateway.ledger.slots import balance_slot
from node.chain.rlp import decode
from scripts.benchmarks.artifacts import call, storage_slot
from scripts.benchmarks.client_methods import OVER_HTTP, OVER_WEBSOCKET
from scripts.benchmarks.figures import Figures
from scripts.benchmarks.issuing import POINTS, member, signed
from scripts.benchmarks.json_rpc import RpcFailure, RpcProcess
from scripts.benchmarks.node_ledger import MAX_FEE, NodeLedger, wait_for_receipt
from scripts.benchmarks.peers import ADDRESS, Peer

KILLS = 5
BLOCKS_BACK = 1_000
MEMBERS = 100
GAS_PER_CALL = 100_000
UNKNOWN_METHOD = -32601
UNKNOWN = re.compile("method.*(not found|not supported|does not exist|not available)|unknown rpc|not been implemented", re.IGNORECASE)


def answered_methods(peer: Peer, node: RpcProcess) -> Figures:
    """Asked without parameters: any error but that the method is unknown counts as an answer."""
    unknown = [method for method in OVER_HTTP if _is_unknown(lambda method=method: node.rpc.call(method))]  # type: ignore[misc]
    if peer.websocket:
        with connect(f"ws://127.0.0.1:{node.port}") as socket:

            def ask(method: str) -> None:
                socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": []}))
                answer = json.loads(socket.recv(timeout=10))
                if answer.get("error"):
                    raise RpcFailure(answer["error"])

            unknown += [method for method in OVER_WEBSOCKET if _is_unknown(lambda method=method: ask(method))]  # type: ignore[misc]
    else:
        unknown += OVER_WEBSOCKET
    asked = len(OVER_HTTP) + len(OVER_WEBSOCKET)
    return {"asked": asked, "answered": asked - len(unknown), "unknown": unknown}


def past_and_proofs(peer: Peer, node: RpcProcess) -> Figures:
    """Points change, 1,000 blocks pass: is what was still to be read and proved? True, or what came instead."""
    ledger = NodeLedger(peer, node)
    members = [member(number) for number in range(MEMBERS)]
    ledger.seal(ledger.issuer.issues(members, MEMBERS, "new"))
    then, funds = ledger.rpc.call("eth_blockNumber"), ledger.rpc.call("eth_getBalance", ADDRESS, "latest")
    ledger.seal(ledger.issuer.issues(members, MEMBERS, "existing"))
    for _ in range(BLOCKS_BACK):
        ledger.rpc.call("evm_mine")
    lot = ledger.issuer.lot
    slot = balance_slot(storage_slot("PointsLedger", "balances"), lot, members[0])
    asked = {
        "from": ADDRESS,
        "to": ledger.address,
        "gas": hex(GAS_PER_CALL),
        "data": "0x" + call("PointsLedger", "balanceOf", members[0], lot).hex(),
    }
    return {
        "call_back": _outcome(lambda: int(ledger.rpc.call("eth_call", asked, then), 16) == POINTS),
        "balance_back": _outcome(lambda: bool(ledger.rpc.call("eth_getBalance", ADDRESS, then) == funds)),
        "proof_at_head": _outcome(lambda: _proven(ledger, slot, "latest") == 2 * POINTS),
        "proof_back": _outcome(lambda: _proven(ledger, slot, then) == POINTS),
    }


def keeps_what_it_acknowledged(peer: Peer, directory: Path) -> Figures:
    """A receipt is read and the process killed at once. Started again: is the receipt there?"""
    kept = 0
    for _ in range(KILLS):
        node = peer.start(directory / "kept", lasting=True)
        try:
            nonce = int(node.rpc.call("eth_getTransactionCount", ADDRESS, "latest"), 16)
            chain_id = int(node.rpc.call("eth_chainId"), 16)
            sent = node.rpc.send(signed(chain_id, nonce, member(0), b"", 21_000, MAX_FEE))
            wait_for_receipt(node.rpc, sent)
        finally:
            node.kill()
        with peer.start(directory / "kept", lasting=True) as node:
            kept += _outcome(lambda rpc=node.rpc, sent=sent: rpc.call("eth_getTransactionReceipt", sent) is not None) is True  # type: ignore[misc]
    return {"killed": KILLS, "kept": kept}


def _proven(ledger: NodeLedger, slot: int, block: str) -> int:
    """The value in a storage slot as a proof shows it under the block's state root. Checked with a trie library of others."""
    root = _bytes(ledger.rpc.call("eth_getBlockByNumber", block, False)["stateRoot"])
    proof = ledger.rpc.call("eth_getProof", ledger.address, [f"0x{slot:064x}"], block)
    account = decode(_from_proof(root, _bytes(ledger.address), proof["accountProof"]))
    value = _from_proof(account[2], slot.to_bytes(32), proof["storageProof"][0]["proof"])
    return int.from_bytes(decode(value))


def _from_proof(root: bytes, key: bytes, nodes: Sequence[str]) -> bytes:
    decoded = [decode(_bytes(node)) for node in nodes]
    return bytes(HexaryTrie.get_from_proof(root, keccak(key), decoded))  # type: ignore[no-untyped-call]


def _outcome(ask: Callable[[], bool]) -> bool | str:
    try:
        return ask() or "another value"
    except RpcFailure as failure:
        return str(failure)
    except BadTrieProof:
        return "the proof does not hold"


def _is_unknown(ask: Callable[[], Any]) -> bool:
    try:
        ask()
    except RpcFailure as failure:
        return is_unknown_method(failure)
    return False


def is_unknown_method(failure: RpcFailure) -> bool:
    """By its code, or by its words: some use other codes."""
    return failure.code == UNKNOWN_METHOD or bool(UNKNOWN.search(str(failure)))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
