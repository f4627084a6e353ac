"""Receipts and blooms, encoded for the receipt trie and decoded for readers."""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from node.chain import rlp

BLOOM_BYTES = 256


@dataclass(frozen=True, slots=True)
class Log:
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data) + 32 * len(self.topics) + 20


@dataclass(frozen=True, slots=True)
class Receipt:
    """`sender` and `created` (a new contract's address) are no part of the consensus encoding, only stored with it."""

    type_id: int
    succeeded: bool
    cumulative_gas_used: int
    logs: tuple[Log, ...]
    bloom: bytes
    sender: bytes
    created: bytes | None


def bloom_of(logs: Sequence[Log]) -> bytes:
    bits = 0
    for item in {value for log in logs for value in (log.address, *log.topics)}:
        bits |= bloom_bits(item)
    return bits.to_bytes(BLOOM_BYTES, "big")


def bloom_bits(item: bytes) -> int:
    """What an address or a topic sets in a bloom."""
    digest, bits = keccak(item), 0
    for start in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") & 0x7FF)
    return bits


def encode(receipt: Receipt) -> bytes:
    """The consensus form: what the receipt trie holds."""
    payload = rlp.encode(
        [
            b"\x01" if receipt.succeeded else b"",
            receipt.cumulative_gas_used,
            receipt.bloom,
            [[log.address, list(log.topics), log.data] for log in receipt.logs],
        ]
    )
    return payload if receipt.type_id == 0 else bytes([receipt.type_id]) + payload


def pack(receipts: Sequence[Receipt], encoded: Sequence[bytes]) -> bytes:
    return rlp.encode([[form, item.sender, item.created or b""] for item, form in zip(receipts, encoded, strict=True)])


def unpack(packed: bytes) -> tuple[Receipt, ...]:
    return tuple(_decode(form, sender, created) for form, sender, created in rlp.decode(packed))


def unpack_encoded(packed: bytes) -> tuple[bytes, ...]:
    return tuple(form for form, _, _ in rlp.decode(packed))


def _decode(form: bytes, sender: bytes, created: bytes) -> Receipt:
    type_id, payload = (0, form) if form[0] >= 0xC0 else (form[0], form[1:])
    status, gas, bloom, logs = rlp.decode(payload)
    return Receipt(
        type_id=type_id,
        succeeded=status == b"\x01",
        cumulative_gas_used=int.from_bytes(gas, "big"),
        logs=tuple(Log(address, tuple(topics), data) for address, topics, data in logs),
        bloom=bloom,
        sender=sender,
        created=created or None,
    )
