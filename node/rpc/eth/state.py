"""Accounts, storage and proofs, at the head or at any past block."""

from typing import Any

from node.chain.errors import TooMuch
from node.chain.execution import state_of
from node.chain.proofs import prove_account
from node.chain.trie.source import NodeSource
from node.rpc.block_tag import header_at
from node.rpc.dispatch import Handler
from node.rpc.errors import InvalidParams
from node.rpc.hex import address, slot, to_data, to_quantity
from node.rpc.ports import NodeView

SLOTS_MAX = 1_024


def methods(node: NodeView) -> dict[str, Handler]:
    history = node.history

    def balance(account: object, block: object = None) -> str:
        return to_quantity(state_of(history, header_at(history, block)).get_balance(address(account)))

    def code(account: object, block: object = None) -> str:
        return to_data(state_of(history, header_at(history, block)).get_code(address(account)))

    def storage_at(account: object, key: object, block: object = None) -> str:
        state = state_of(history, header_at(history, block))
        return to_data(state.get_storage(address(account), slot(key)).to_bytes(32, "big"))

    def transaction_count(account: object, block: object = None) -> str:
        owner = address(account)
        if block != "pending":
            return to_quantity(state_of(history, header_at(history, block)).get_nonce(owner))
        while True:
            head = history.head
            nonce = node.pool.next_nonce(owner, state_of(history, head).get_nonce(owner))
            if history.head is head:  # else a block took transactions out of the pool in between
                return to_quantity(nonce)

    def proof(account: object, keys: object, block: object = None) -> dict[str, Any]:
        if not isinstance(keys, list):
            raise InvalidParams("storage keys must be an array")
        if len(keys) > SLOTS_MAX:
            raise TooMuch(f"too many storage keys: at most {SLOTS_MAX}")
        header = header_at(history, block)
        found = prove_account(
            NodeSource(history.read_node, history.nodes), header.state_root, address(account), [slot(key) for key in keys]
        )
        return {
            "address": to_data(found.address),
            "accountProof": [to_data(item) for item in found.nodes],
            "balance": to_quantity(found.balance),
            "codeHash": to_data(found.code_hash),
            "nonce": to_quantity(found.nonce),
            "storageHash": to_data(found.storage_hash),
            "storageProof": [
                {
                    "key": _key_as_asked(key),
                    "value": to_quantity(item.value),
                    "proof": [to_data(node) for node in item.nodes],
                }
                for key, item in zip(keys, found.slots, strict=True)
            ],
        }

    return {
        "eth_getBalance": balance,
        "eth_getCode": code,
        "eth_getStorageAt": storage_at,
        "eth_getTransactionCount": transaction_count,
        "eth_getProof": proof,
    }


def _key_as_asked(key: str) -> str:
    """geth answers a 32-byte key with 32 bytes and anything shorter as a quantity."""
    return key.lower() if len(key) == 66 else to_quantity(slot(key))
