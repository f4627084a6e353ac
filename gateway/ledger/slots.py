"""Where the contract keeps what receipts and audits prove: storage slots of batches and of members' points."""

from __future__ import annotations

from eth_hash.auto import keccak


def batch_slot(batches_slot: int, brand_id: int, number: int) -> int:
    """Where `batches[brand][number]` keeps the record of a batch."""
    return _mapping_slot(batches_slot, brand_id, number)


def balance_slot(balances_slot: int, lot: int, member: bytes) -> int:
    """Where `balances[lot][member]` is kept."""
    return _mapping_slot(balances_slot, lot, int.from_bytes(member))


def outstanding_slot(base: int, key: int) -> int:
    """Where `outstanding[brand]` or `outstandingOfLot[lot]` is kept, by the mapping's own slot."""
    return _key_slot(base, key)


def _key_slot(base: int, key: int) -> int:
    return int.from_bytes(keccak(key.to_bytes(32) + base.to_bytes(32)))


def _mapping_slot(base: int, outer_key: int, inner_key: int) -> int:
    return _key_slot(_key_slot(base, outer_key), inner_key)
