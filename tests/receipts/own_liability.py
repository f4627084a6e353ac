"""A sealed chain on which a brand owes points in three lots and has anchored statements of it: an honest one's, or a forger's."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import rlp
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey
from trie import HexaryTrie

from gateway.ledger.anchors import Anchor, AnchorKind, anchor_digest, anchor_slots, brand_subject
from gateway.ledger.liability import Coverage, LiabilityStatement
from gateway.ledger.seals import Handover
from gateway.ledger.signing import Domain
from gateway.ledger.slots import balance_slot, outstanding_slot
from gateway.receipts.liability import anchoring_as_json
from gateway.receipts.receipt import (
    CoalitionEvidence,
    ProvenLot,
    SealedBlock,
    SlotProof,
    StateProof,
    evidence,
    nodes_as_json,
    points_receipt,
    word_as_json,
)
from gateway.values.ids import Address, Hash, MemberId
from scripts.verify_liability import Trust
from scripts.verify_receipt import BALANCES_SLOT, OUTSTANDING_OF_LOT_SLOT, OUTSTANDING_SLOT
from tests.builders.points_ledger import signature
from tests.receipts.own_chain import FIRST_SEALER, OwnChain, header, nodes

POINTS_ADDRESS, ANCHORS_ADDRESS = Address(keccak(b"points ledger")[12:]), Address(keccak(b"anchors")[12:])
BRAND, OTHER_BRAND = 1, 2
LOTS = {0: 500, 20_483: 70, 20_514: 2**70}
UNCOUNTED_LOT = BRAND << 32 | 20_545
ANN, BEA = MemberId(keccak(b"ann")[12:]), MemberId(keccak(b"bea")[12:])
COVERAGE = Coverage(123_456, "EUR", Hash(keccak(b"the bank's confirmation")))
STATED_AT, BLOCK = 1_700_086_400, 7
CHAIN_ID = 20_261
SEALER = FIRST_SEALER
OWNER = PrivateKey(keccak(b"owner"))
GENESIS = OwnChain().genesis
COALITION_ID = Hash(keccak(GENESIS.encode()))


@dataclass(frozen=True)
class OwnLiability:
    """`lots` is what the brand states, `outstanding` what its ledger holds; `later` roots are anchored after this statement."""

    lots: tuple[tuple[int, int], ...] = tuple(LOTS.items())
    coverage: Coverage | None = COVERAGE
    owner: PrivateKey = OWNER
    sealer: PrivateKey = SEALER
    next_sealer: PrivateKey | None = None  # from block `BLOCK + 1` on
    handed_over_by: PrivateKey = SEALER
    anchors_address: Address = ANCHORS_ADDRESS
    chain_id: int = CHAIN_ID
    before: int = 2
    later: int = 0
    anchored_in: int = BLOCK + 2
    is_anchored: bool = True
    anchored_count: int | None = None
    anchored_root: bytes | None = None

    @property
    def trust(self) -> Trust:
        addresses = (key.public_key.to_canonical_address() for key in (SEALER, OWNER))
        sealer, owner = addresses
        return Trust(keccak(self._genesis), sealer, POINTS_ADDRESS, ANCHORS_ADDRESS, owner)

    @property
    def _genesis(self) -> bytes:
        return header(bytes(32), 0, 1_700_000_000, COALITION_ID, SEALER.public_key.to_canonical_address())

    def document(self) -> dict[str, Any]:
        slots = [
            outstanding_slot(OUTSTANDING_SLOT, BRAND),
            *(outstanding_slot(OUTSTANDING_OF_LOT_SLOT, BRAND << 32 | day) for day, _ in self.lots),
        ]
        state = self._prove(BLOCK, POINTS_ADDRESS, slots)
        statement = LiabilityStatement(BRAND, BLOCK, Hash(state.block.hash), self.lots, self.coverage)
        total, *of_lots = state.slots
        anchor = statement.anchor(self.before, Hash(self._root(self.before - 1)))
        coverage = self.coverage
        return {
            "format": "splittally-liability/1",
            **evidence(state),
            "liability": {
                "brand": BRAND,
                "total": statement.total,
                **self._shown(total),
                "lots": [
                    {"lot_expiry_day": day, "outstanding": points, **self._shown(proof)}
                    for (day, points), proof in zip(self.lots, of_lots, strict=True)
                ],
                "coverage": coverage and {"amount_minor": coverage.amount_minor, "currency": "EUR", "source": str(coverage.source)},
            },
            "anchor": {
                "chain_id": self.chain_id,
                "anchors_address": str(self.anchors_address),
                "signer": str(self._signer),
                "number": self.before,
                "previous": str(anchor.previous),
                "root": str(anchor.root),
                "count": anchor.count,
                "signature": self._signed(anchor),
            },
            "anchoring": self._anchoring(anchor) if self.is_anchored else None,
        }

    def receipt(self, member: MemberId = ANN, block: int = BLOCK, lots: tuple[int, ...] | None = None) -> str:
        ids = lots or (*(BRAND << 32 | day for day in LOTS), OTHER_BRAND << 32 | 5)
        slots = [balance_slot(BALANCES_SLOT, lot, member) for lot in ids]
        state = self._prove(block, POINTS_ADDRESS, slots)
        return json.dumps(points_receipt(member, [ProvenLot(lot, proof) for lot, proof in zip(ids, state.slots, strict=True)], state))

    @property
    def _signer(self) -> Address:
        return Address(self.owner.public_key.to_canonical_address())

    def _signed(self, anchor: Anchor) -> str:
        domain = Domain(self.chain_id, self.anchors_address, COALITION_ID)
        return "0x" + signature(self.owner, anchor_digest(domain, anchor)).hex()

    def _anchoring(self, anchor: Anchor) -> dict[str, Any]:
        words: dict[int, int] = {}
        count = self.before + 1 + self.later
        for number in range(count):
            length, root, more = anchor_slots(self._signer, AnchorKind.LIABILITY, brand_subject(BRAND), number)
            is_this = number == self.before
            words[length] = count
            words[root] = int.from_bytes(self.anchored_root or anchor.root if is_this else self._root(number))
            words[more] = STATED_AT << 64 | ((self.anchored_count or anchor.count) if is_this else 1)
        slots = anchor_slots(self._signer, AnchorKind.LIABILITY, brand_subject(BRAND), self.before)
        state = self._prove(self.anchored_in, ANCHORS_ADDRESS, list(slots), words)
        return anchoring_as_json(state)

    def _root(self, number: int) -> bytes:
        return keccak(b"statement %d" % number) if number >= 0 else bytes(32)

    def _shown(self, proof: SlotProof) -> dict[str, Any]:
        return {"slot": word_as_json(proof.slot), "proof": nodes_as_json(proof.nodes)}

    def _storage(self) -> dict[int, int]:
        words = {outstanding_slot(OUTSTANDING_SLOT, BRAND): sum(LOTS.values()), outstanding_slot(OUTSTANDING_SLOT, OTHER_BRAND): 9}
        for day, points in LOTS.items():
            words[outstanding_slot(OUTSTANDING_OF_LOT_SLOT, BRAND << 32 | day)] = points
            words[balance_slot(BALANCES_SLOT, BRAND << 32 | day, ANN)] = 3 << 128 | 60
        words[outstanding_slot(OUTSTANDING_OF_LOT_SLOT, OTHER_BRAND << 32 | 5)] = 9
        words[balance_slot(BALANCES_SLOT, OTHER_BRAND << 32 | 5, BEA)] = 9
        words[balance_slot(BALANCES_SLOT, UNCOUNTED_LOT, BEA)] = 4  # as no ledger of the committed code has it
        return words

    def _prove(self, block: int, contract: Address, slots: list[int], anchored: dict[int, int] | None = None) -> StateProof:
        contracts = {POINTS_ADDRESS: self._storage(), ANCHORS_ADDRESS: anchored or {1: 1}}
        tries = {address: _trie(words) for address, words in contracts.items()}
        state: HexaryTrie = HexaryTrie({})
        for address, storage in tries.items():
            state[keccak(address)] = rlp.encode([1, 0, storage.root_hash, keccak(b"")])
        timestamp = STATED_AT + 60 * (block - BLOCK)
        sealed = header(state.root_hash, block, timestamp, b"")
        digest = keccak(b"Splittally block seal" + keccak(self._genesis) + keccak(sealed))
        key, handovers = self._sealed_by(block)
        sealer = Address(key.public_key.to_canonical_address())
        return StateProof(
            CoalitionEvidence(COALITION_ID, GENESIS, keccak(self._genesis), self._genesis, POINTS_ADDRESS, sealer, handovers),
            SealedBlock(block, timestamp, keccak(sealed), sealed, key.sign_msg_hash(digest).to_bytes()),
            nodes(state, keccak(contract)),
            tuple(SlotProof(slot, contracts[contract].get(slot, 0), nodes(tries[contract], keccak(slot.to_bytes(32)))) for slot in slots),
        )

    def _sealed_by(self, block: int) -> tuple[PrivateKey, tuple[Handover, ...]]:
        if self.next_sealer is None or block <= BLOCK:
            return self.sealer, ()
        return self.next_sealer, (self._handover(self.next_sealer),)

    def _handover(self, to: PrivateKey) -> Handover:
        address = to.public_key.to_canonical_address()
        digest = keccak(b"Splittally sealer handover" + keccak(self._genesis) + (BLOCK + 1).to_bytes(8) + address)
        return Handover(BLOCK + 1, Address(address), self.handed_over_by.sign_msg_hash(digest).to_bytes())

    def but(self, **other: Any) -> OwnLiability:
        return replace(self, **other)


def _trie(words: dict[int, int]) -> HexaryTrie:
    trie: HexaryTrie = HexaryTrie({})
    for slot, word in words.items():
        trie[keccak(slot.to_bytes(32))] = rlp.encode(word)
    return trie
