"""An independent check of an eth_getProof answer: the `trie` library walks the proof from nothing but the state root."""

from typing import Any

import rlp
from eth_hash.auto import keccak
from trie import HexaryTrie

EMPTY_TRIE_ROOT = keccak(rlp.encode(b""))


def proven_slots(state_root: str, proof: dict[str, Any]) -> dict[int, int]:
    """Slot → value as proven. Raises if the account's fields are not those under the state root."""
    found = _look_up(state_root, keccak(_bytes(proof["address"])), proof["accountProof"])
    fields = [_number(proof["nonce"]), _number(proof["balance"]), _bytes(proof["storageHash"]), _bytes(proof["codeHash"])]
    if found:
        assert found == rlp.encode(fields), "the account under the state root is another"
    else:
        assert fields == [0, 0, EMPTY_TRIE_ROOT, keccak(b"")], "no account under the state root"
    slots = {}
    for item in proof["storageProof"]:
        slot = _number(item["key"])
        if _bytes(proof["storageHash"]) == EMPTY_TRIE_ROOT:
            assert item["proof"] == []
            value = b""
        else:
            value = _look_up(proof["storageHash"], keccak(slot.to_bytes(32, "big")), item["proof"])
        slots[slot] = int.from_bytes(rlp.decode(value), "big") if value else 0
    return slots


def _look_up(root: str, key: bytes, nodes: list[str]) -> bytes:
    return bytes(HexaryTrie.get_from_proof(_bytes(root), key, [rlp.decode(_bytes(node)) for node in nodes]))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _number(text: str) -> int:
    return int(text, 16)
