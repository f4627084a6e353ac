"""A witness over a story that the test tells: headers sealed by throwaway sealers, a clock that the test turns."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rlp
from eth_hash.auto import keccak

from gateway.brand_signer.key import Key
from gateway.ledger.seals import Handover
from gateway.values.ids import Address, Hash
from gateway.witness.log import WitnessLog
from gateway.witness.sealed_headers import SealedHeader
from gateway.witness.witness_chain import Witness

FIRST_SECOND = 1_800_000_000
SEALER, NEXT_SEALER, STRANGER = (Key(bytes([number]) * 32) for number in (0x51, 0x52, 0x53))
WITNESS = Key(b"\xa1" * 32)
SANDBOX = {"sandbox": True, "chainId": 7}


def detached(key: Key, digest: bytes) -> bytes:
    signature = key.sign(digest)
    return signature[:64] + bytes([signature[64] - 27])


def raw_header(parent: bytes, number: int, timestamp: int, extra: bytes = b"", sealer: Address = SEALER.address) -> bytes:
    first = [parent, bytes(32), sealer, bytes(32), bytes(32), bytes(32), bytes(256), b"", number, 2**28, 0, timestamp, extra]
    return bytes(rlp.encode([*first, bytes(32), bytes(8), 7]))


@dataclass
class Story:
    """What a node shows. `config` is the genesis configuration it tells; `committed` the one its genesis block commits to."""

    config: Any = None
    committed: Any = None
    blocks: list[SealedHeader] = field(default_factory=list)
    sealer: Key = SEALER

    def __post_init__(self) -> None:
        if not self.blocks:
            committed = self.config if self.committed is None else self.committed
            text = json.dumps(committed, sort_keys=True, separators=(",", ":")).encode()
            self.add(FIRST_SECOND, extra=keccak(text))

    @property
    def genesis_hash(self) -> Hash:
        return self.blocks[0].hash

    def add(self, timestamp: int, *, extra: bytes = b"", to: Key | None = None, **lie: Any) -> SealedHeader:
        """The next block; with `to` sealed by another to whom the sealer hands over. `lie` replaces fields: number, parent, seal."""
        number = lie.get("number", len(self.blocks))
        parent = lie.get("parent", self.blocks[-1].hash if self.blocks else bytes(32))
        raw = raw_header(parent, number, timestamp, extra)
        block_hash = Hash(keccak(raw))
        genesis_hash = self.blocks[0].hash if self.blocks else block_hash
        seal = detached(to or self.sealer, keccak(b"Splittally block seal" + genesis_hash + block_hash))
        if to is not None:
            digest = keccak(b"Splittally sealer handover" + genesis_hash + number.to_bytes(8) + to.address)
            handover = Handover(number, to.address, detached(self.sealer, digest))
            seal += handover.sealer + handover.signature
            self.sealer = to
        block = SealedHeader(raw, lie.get("seal", seal), block_hash, Hash(parent), SEALER.address, number, timestamp, extra)
        self.blocks.append(block)
        return block

    def cut(self, blocks: int) -> Story:
        """The same story so far, to be told on in another way."""
        return Story(self.config, self.committed, self.blocks[:blocks], self.sealer)

    def head_number(self) -> int:
        return len(self.blocks) - 1

    def genesis_configuration(self) -> Any:
        return self.config

    def headers(self, first: int, last: int) -> list[SealedHeader]:
        return self.blocks[first : min(last, first + 1) + 1]


@dataclass
class Watching:
    """`tell` gives the witness another story; `again` starts it anew on its log."""

    folder: Path
    story: Story
    now: int = FIRST_SECOND
    genesis_hash: Hash | None = None

    def __post_init__(self) -> None:
        self.trusted = self.genesis_hash or self.story.genesis_hash
        self._open()

    def _open(self) -> None:
        self.log = WitnessLog(self.folder / "checkpoints.jsonl", self.trusted, WITNESS.address)
        self.witness = Witness(self, self.trusted, WITNESS, self.log, 300, lambda: self.now)

    def again(self) -> None:
        self.log.close()
        self._open()

    def head_number(self) -> int:
        return self.story.head_number()

    def genesis_configuration(self) -> Any:
        return self.story.genesis_configuration()

    def headers(self, first: int, last: int) -> list[SealedHeader]:
        return self.story.headers(first, last)
