"""A sealed chain of one state, made from nothing: what an honest operator has on disk, or what a forger would make up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import rlp
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey
from trie import HexaryTrie

from gateway.ledger.batches import batch_outcome, batch_record, entries_root
from gateway.ledger.entries import Capture, ConsentProof, Expire, Issue, Redeem, encode_entry
from gateway.ledger.lots import Line
from gateway.ledger.refusals import SELECTORS, RefusalReason
from gateway.ledger.slots import balance_slot, batch_slot
from gateway.receipts.receipt import CoalitionEvidence, RecordedBatch, SealedBlock, SlotProof, StateProof, entry_receipt, points_receipt
from gateway.values.ids import Address, Hash, MemberId, Reference, ReservationId
from scripts.verify_receipt import BALANCES_SLOT, BATCHES_SLOT, Trust
from tests.builders.issues import BASIS

POINTS_ADDRESS = Address(keccak(b"points ledger")[12:])
MEMBERS = tuple(MemberId(keccak(b"member %d" % number)[12:]) for number in range(40))
GROCER, FUEL = 1, 2
LOT = GROCER << 32 | 20_483
OTHER_LOT = FUEL << 32 | 20_514
REFUSED_INDEX = 4


@dataclass(frozen=True)
class OwnChain:
    """A chain by one sealer. The same seed gives the same genesis, so a forger can claim a genesis that is not theirs to seal."""

    seed: bytes = b"coalition"
    sealer: PrivateKey = PrivateKey(keccak(b"sealer"))  # noqa: RUF009 - a throwaway key that never changes
    points_address: Address = POINTS_ADDRESS
    points_of_first: int = 120
    block_number: int = 7
    batch_entries: tuple[bytes, ...] = field(default_factory=lambda: entries())
    refusals: tuple[tuple[int, bytes], ...] = ((REFUSED_INDEX, SELECTORS[RefusalReason.NOT_ENOUGH_POINTS]),)

    @property
    def trust(self) -> Trust:
        return Trust(keccak(self.genesis_header), self.sealer.public_key.to_canonical_address(), self.points_address)

    @property
    def genesis_header(self) -> bytes:
        return header(bytes(32), 0, 1_700_000_000, keccak(self.seed))

    def entry_receipt(self, index: int = 0) -> dict[str, Any]:
        batch = RecordedBatch(GROCER, 3, self.batch_entries, self.refusals)
        return entry_receipt(batch, index, self.state_proof((batch_slot(BATCHES_SLOT, GROCER, 3),)))

    def points_receipt(self, member: MemberId = MEMBERS[0]) -> dict[str, Any]:
        lots = (LOT, OTHER_LOT)
        return points_receipt(member, lots, self.state_proof(tuple(balance_slot(BALANCES_SLOT, lot, member) for lot in lots)))

    def state_proof(self, slots: tuple[int, ...]) -> StateProof:
        words = self.storage()
        storage: HexaryTrie = HexaryTrie({})
        for slot, word in words.items():
            storage[keccak(slot.to_bytes(32))] = rlp.encode(word)
        state: HexaryTrie = HexaryTrie({})
        for address in (self.points_address, *MEMBERS[:20]):
            root = storage.root_hash if address == self.points_address else HexaryTrie({}).root_hash
            state[keccak(address)] = rlp.encode([1, 10**18, root, keccak(b"")])
        block_header = header(state.root_hash, self.block_number, 1_700_086_400, b"")
        digest = keccak(b"Splittally block seal" + keccak(self.genesis_header) + keccak(block_header))
        seal = self.sealer.sign_msg_hash(digest).to_bytes()
        genesis_hash, sealer = keccak(self.genesis_header), self.sealer.public_key.to_canonical_address()
        return StateProof(
            CoalitionEvidence(keccak(self.seed), genesis_hash, self.genesis_header, self.points_address, sealer),
            SealedBlock(self.block_number, 1_700_086_400, keccak(block_header), block_header, seal),
            nodes(state, keccak(self.points_address)),
            tuple(SlotProof(slot, words.get(slot, 0), nodes(storage, keccak(slot.to_bytes(32)))) for slot in slots),
        )

    def storage(self) -> dict[int, int]:
        words = {balance_slot(BALANCES_SLOT, LOT, member): 5 + place for place, member in enumerate(MEMBERS)}
        words[balance_slot(BALANCES_SLOT, LOT, MEMBERS[0])] = 20 << 128 | self.points_of_first
        record = batch_record(entries_root(self.batch_entries), batch_outcome(len(self.batch_entries), self.refusals))
        words[batch_slot(BATCHES_SLOT, GROCER, 3)] = int.from_bytes(record)
        return words

    def with_issues(self, count: int) -> OwnChain:
        """With so many further entries in the batch, each an issue of its own."""
        issues = (Issue(MEMBERS[place % 40], 20_483, 1 + place, BASIS, Reference(keccak(b"%d" % place))) for place in range(count))
        return replace(self, batch_entries=(*self.batch_entries, *map(encode_entry, issues)))

    def by(self, name: str) -> OwnChain:
        """The same story told by another sealer."""
        return replace(self, sealer=PrivateKey(keccak(name.encode())))


def entries() -> tuple[bytes, ...]:
    consent = ConsentProof(1, bytes(range(65)))
    consented = Reference(keccak(b"order")), Hash(keccak(b"cart")), 1, 1_700_090_000, 30, 30
    return tuple(
        encode_entry(entry)
        for entry in (
            Issue(MEMBERS[0], 20_483, 120, BASIS, Reference(keccak(b"payment 1"))),
            Redeem(MEMBERS[0], *consented, consent, (Line(1, 20_483, 20), Line(2, 20_514, 10))),
            Capture(ReservationId(keccak(b"reservation")), Reference(keccak(b"capture")), 20, (Line(1, 20_483, 20),)),
            Expire(MEMBERS[3], 20_483, 8),
            Issue(MEMBERS[4], 20_483, 99, BASIS, Reference(keccak(b"payment 2"))),
        )
    )


def nodes(trie: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    """The proof as eth_getProof gives it: nodes shorter than a hash stand in their parents."""
    encoded = [rlp.encode(node) for node in trie.get_proof(key)]
    return tuple(node for depth, node in enumerate(encoded) if depth == 0 or len(node) >= 32)


def header(state_root: bytes, number: int, timestamp: int, extra: bytes) -> bytes:
    """A block header of the Prague form."""
    empty = HexaryTrie({}).root_hash
    first = [bytes(32), keccak(rlp.encode([])), bytes(20), state_root, empty, empty, bytes(256), b"", number, 2**28, 0, timestamp, extra]
    return rlp.encode([*first, bytes(32), bytes(8), 7, empty, 0, 0, bytes(32), bytes(32)])
