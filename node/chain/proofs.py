"""Merkle proofs of accounts and storage slots, in geth's exact form."""

from collections.abc import Sequence
from dataclasses import dataclass

from eth.rlp.accounts import Account
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from node.chain import rlp
from node.chain.rules import EMPTY_TRIE_ROOT
from node.chain.state import StateOverlay


@dataclass(frozen=True)
class SlotProof:
    slot: int
    value: int
    nodes: tuple[bytes, ...]


@dataclass(frozen=True)
class AccountProof:
    address: bytes
    balance: int
    nonce: int
    code_hash: bytes
    storage_hash: bytes
    nodes: tuple[bytes, ...]
    slots: tuple[SlotProof, ...]


def prove_account(overlay: StateOverlay, state_root: bytes, address: bytes, slots: Sequence[int]) -> AccountProof:
    """An absent account or slot gives a proof of absence, with zero values."""
    encoded, nodes = _look_up(overlay, state_root, keccak(address))
    account = rlp.decode_as(encoded, Account) if encoded else Account()
    return AccountProof(
        address=address,
        balance=account.balance,
        nonce=account.nonce,
        code_hash=account.code_hash,
        storage_hash=account.storage_root,
        nodes=nodes,
        slots=tuple(_prove_slot(overlay, account.storage_root, slot) for slot in slots),
    )


def _prove_slot(overlay: StateOverlay, storage_root: bytes, slot: int) -> SlotProof:
    encoded, nodes = _look_up(overlay, storage_root, keccak(slot.to_bytes(32, "big")))
    value = int.from_bytes(rlp.decode(encoded), "big") if encoded else 0
    return SlotProof(slot, value, nodes)


def _look_up(overlay: StateOverlay, root: bytes, key: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """The value under `key` and the nodes on the way. Nodes under 32 bytes stand inside their parent and are left out."""
    if root == EMPTY_TRIE_ROOT:
        return b"", ()
    trie = HexaryTrie(overlay, root)
    encoded = [rlp.encode(node) for node in trie.get_proof(key)]  # type: ignore[no-untyped-call]
    return trie[key], tuple(node for depth, node in enumerate(encoded) if depth == 0 or len(node) >= 32)
