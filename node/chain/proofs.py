"""Merkle proofs of accounts and storage slots, in geth's exact form."""

from collections.abc import Sequence
from dataclasses import dataclass

from eth.rlp.accounts import Account
from eth_hash.auto import keccak

from node.chain import rlp
from node.chain.trie.reading import prove
from node.chain.trie.source import NodeSource


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


def prove_account(source: NodeSource, state_root: bytes, address: bytes, slots: Sequence[int]) -> AccountProof:
    """An absent account or slot gives a proof of absence, with zero values."""
    encoded, nodes = prove(source, state_root, keccak(address))
    account = rlp.decode_as(encoded, Account) if encoded else Account()
    return AccountProof(
        address=address,
        balance=account.balance,
        nonce=account.nonce,
        code_hash=account.code_hash,
        storage_hash=account.storage_root,
        nodes=nodes,
        slots=tuple(_prove_slot(source, account.storage_root, slot) for slot in slots),
    )


def _prove_slot(source: NodeSource, storage_root: bytes, slot: int) -> SlotProof:
    encoded, nodes = prove(source, storage_root, keccak(slot.to_bytes(32, "big")))
    value = int.from_bytes(rlp.decode(encoded), "big") if encoded else 0
    return SlotProof(slot, value, nodes)
