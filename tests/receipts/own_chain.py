"""A sealed chain of one state, made from nothing: what an honest operator has on disk, or what a forger would make up."""

from __future__ import annotations

import json
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
from gateway.ledger.seals import Handover
from gateway.ledger.slots import balance_slot, batch_slot, outstanding_slot
from gateway.receipts.receipt import (
    CoalitionEvidence,
    Countersigned,
    ProvenLot,
    RecordedBatch,
    SealedBlock,
    SlotProof,
    StateProof,
    entry_receipt,
    points_receipt,
)
from gateway.values.ids import Address, Hash, MemberId, Reference, ReservationId
from scripts.verify_receipt import BALANCES_SLOT, BATCHES_SLOT, OUTSTANDING_OF_LOT_SLOT, OUTSTANDING_SLOT, Trust
from tests.builders.issues import BASIS

POINTS_ADDRESS = Address(keccak(b"points ledger")[12:])
MEMBERS = tuple(MemberId(keccak(b"member %d" % number)[12:]) for number in range(40))
GROCER, FUEL = 1, 2
LOT = GROCER << 32 | 20_483
HIDDEN_LOT = GROCER << 32 | 20_500
OTHER_LOT = FUEL << 32 | 20_514
FIRST_SEALER = PrivateKey(keccak(b"sealer"))
REFUSED_INDEX = 4


@dataclass(frozen=True)
class OwnChain:
    """A chain by one sealer. The same seed gives the same genesis, so a forger can claim a genesis that is not theirs to seal."""

    seed: bytes = b"coalition"
    sealer: PrivateKey = FIRST_SEALER
    handovers: tuple[tuple[int, PrivateKey, PrivateKey], ...] = ()  # block, from whom, to whom
    sandbox: bool = False
    witnesses: tuple[tuple[PrivateKey, int, int], ...] = ()  # key, blocks above, seconds after the block's time
    links: int = 0  # blocks above that headers are shown of
    points_address: Address = POINTS_ADDRESS
    points_of_first: int = 120
    hidden_points: int = 0  # in a further lot of the first member's
    block_number: int = 7
    batch_entries: tuple[bytes, ...] = field(default_factory=lambda: entries())
    refusals: tuple[tuple[int, bytes], ...] = ((REFUSED_INDEX, SELECTORS[RefusalReason.NOT_ENOUGH_POINTS]),)

    @property
    def trust(self) -> Trust:
        return Trust(keccak(self.genesis_header), address_of(self.sealer), self.points_address)

    @property
    def genesis(self) -> str:
        """The canonical configuration, as a node keeps it."""
        config = {
            "allocations": {"0x" + "11" * 20: "5"},
            "baseFeePerGas": 7,
            "chainId": 7_951,
            "gasLimit": 2**28,
            "random": "0x" + keccak(self.seed).hex(),
            "rules": "prague+7951",
            "sandbox": self.sandbox,
            "sealer": "0x" + address_of(FIRST_SEALER).hex(),
            "timestamp": 1_700_000_000,
        }
        return json.dumps(config, sort_keys=True, separators=(",", ":"))

    @property
    def genesis_header(self) -> bytes:
        return header(bytes(32), 0, 1_700_000_000, keccak(self.genesis.encode()), address_of(FIRST_SEALER))

    def entry_receipt(self, index: int = 0) -> dict[str, Any]:
        batch = RecordedBatch(GROCER, 3, self.batch_entries, self.refusals)
        return entry_receipt(batch, index, self.state_proof((batch_slot(BATCHES_SLOT, GROCER, 3),)))

    def points_receipt(self, member: MemberId = MEMBERS[0], lots: tuple[int, ...] = (LOT, OTHER_LOT)) -> dict[str, Any]:
        """Of both brands, with what is outstanding of the lots that are shown."""
        slots = [balance_slot(BALANCES_SLOT, lot, member) for lot in lots]
        slots += [outstanding_slot(OUTSTANDING_OF_LOT_SLOT, lot) for lot in lots]
        slots += [outstanding_slot(OUTSTANDING_SLOT, brand) for brand in (GROCER, FUEL)]
        state = self.state_proof(tuple(slots))
        proofs = state.slots
        shown = [ProvenLot(lot, proofs[place], proofs[len(lots) + place]) for place, lot in enumerate(lots)]
        return points_receipt(member, shown, state, [(GROCER, proofs[-2]), (FUEL, proofs[-1])])

    def bare_points_receipt(self, member: MemberId = MEMBERS[0], lots: tuple[int, ...] = (LOT, OTHER_LOT)) -> dict[str, Any]:
        """Of some lots, and nothing that shows whether these are all."""
        state = self.state_proof(tuple(balance_slot(BALANCES_SLOT, lot, member) for lot in lots))
        return points_receipt(member, [ProvenLot(lot, proof) for lot, proof in zip(lots, state.slots, strict=True)], state)

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
        genesis_hash = keccak(self.genesis_header)
        above = self.above(block_header)
        return StateProof(
            CoalitionEvidence(
                keccak(self.genesis.encode()),
                self.genesis,
                genesis_hash,
                self.genesis_header,
                self.points_address,
                address_of(self.sealer),
                tuple(self.handover(*each) for each in self.handovers),
            ),
            SealedBlock(self.block_number, 1_700_086_400, keccak(block_header), block_header, seal),
            nodes(state, keccak(self.points_address)),
            tuple(SlotProof(slot, words.get(slot, 0), nodes(storage, keccak(slot.to_bytes(32)))) for slot in slots),
            tuple(above[1:]),
            tuple(self.countersigned(above, *each) for each in self.witnesses),
        )

    def above(self, block_header: bytes) -> list[bytes]:
        """The block's header and the next ones, a second apart."""
        headers = [block_header]
        for place in range(1, self.links + 1):
            headers.append(header(bytes(32), self.block_number + place, 1_700_086_400 + place, b"", parent=keccak(headers[-1])))
        return headers

    def countersigned(self, above: list[bytes], key: PrivateKey, blocks_above: int, seconds: int) -> Countersigned:
        number, time = self.block_number + blocks_above, 1_700_086_400 + blocks_above
        signed = keccak(self.genesis_header) + number.to_bytes(8) + keccak(above[blocks_above]) + time.to_bytes(8)
        digest = keccak(b"Splittally checkpoint" + signed + (time + seconds).to_bytes(8))
        return Countersigned(address_of(key), number, time + seconds, key.sign_msg_hash(digest).to_bytes())

    def handover(self, block: int, before: PrivateKey, to: PrivateKey) -> Handover:
        signed = keccak(b"Splittally sealer handover" + keccak(self.genesis_header) + block.to_bytes(8) + address_of(to))
        return Handover(block, Address(address_of(to)), before.sign_msg_hash(signed).to_bytes())

    def storage(self) -> dict[int, int]:
        words = {balance_slot(BALANCES_SLOT, LOT, member): 5 + place for place, member in enumerate(MEMBERS)}
        words[balance_slot(BALANCES_SLOT, LOT, MEMBERS[0])] = 20 << 128 | self.points_of_first
        record = batch_record(entries_root(self.batch_entries), batch_outcome(len(self.batch_entries), self.refusals))
        words[batch_slot(BATCHES_SLOT, GROCER, 3)] = int.from_bytes(record)
        words[outstanding_slot(OUTSTANDING_OF_LOT_SLOT, LOT)] = words[outstanding_slot(OUTSTANDING_SLOT, GROCER)] = 5_000
        if self.hidden_points:
            words[outstanding_slot(OUTSTANDING_SLOT, GROCER)] += self.hidden_points
            words[outstanding_slot(OUTSTANDING_OF_LOT_SLOT, HIDDEN_LOT)] = self.hidden_points
            words[balance_slot(BALANCES_SLOT, HIDDEN_LOT, MEMBERS[0])] = self.hidden_points
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


def address_of(key: PrivateKey) -> bytes:
    return bytes(key.public_key.to_canonical_address())


def header(state_root: bytes, number: int, timestamp: int, extra: bytes, sealer: bytes = bytes(20), parent: bytes = bytes(32)) -> bytes:
    """A block header of the Prague form."""
    empty = HexaryTrie({}).root_hash
    first = [parent, keccak(rlp.encode([])), sealer, state_root, empty, empty, bytes(256), b"", number, 2**28, 0, timestamp, extra]
    return rlp.encode([*first, bytes(32), bytes(8), 7, empty, 0, 0, bytes(32), bytes(32)])
