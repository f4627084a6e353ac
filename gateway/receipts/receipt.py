"""The receipt: one JSON document from which anyone who trusts a genesis hash, a sealer and an address can check an entry or points.

Only what the checker needs stands in it, and no member but the one it is about (docs/receipts.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.ledger.batches import entries_root, root_branch
from gateway.ledger.entries import (
    Authorize,
    Capture,
    Clawback,
    Entry,
    Expire,
    Extend,
    Issue,
    Opening,
    PointRefund,
    Redeem,
    Restore,
    Transfer,
    Void,
    decode_entry,
    kind_of,
)
from gateway.ledger.issue_parts import AwardBasis, OpeningBasis
from gateway.ledger.lots import Line, split_lot_id
from gateway.ledger.packed_fields import MalformedEntry
from gateway.ledger.refusals import refusal_of
from gateway.ledger.seals import Handover
from gateway.values.hex import hex_text
from gateway.values.ids import LotId

FORMAT = "splittally-receipt/3"
LOW_HALF = 2**128 - 1


@dataclass(frozen=True)
class SealedBlock:
    """A block's header in RLP and the sealer's signature over its hash."""

    number: int
    timestamp: int
    hash: bytes
    header: bytes
    seal: bytes


@dataclass(frozen=True)
class CoalitionEvidence:
    """Which chain and contract the receipt is about; `genesis` is the configuration whose hash is the coalition id, `genesis_header` is
    RLP. `sealer` sealed the block; `handovers` lead to it from the genesis block's own."""

    coalition_id: bytes
    genesis: str
    genesis_hash: bytes
    genesis_header: bytes
    points_address: bytes
    sealer: bytes
    handovers: tuple[Handover, ...] = ()


@dataclass(frozen=True)
class Countersigned:
    """What a witness signed of a block at or above the receipt's."""

    witness: bytes
    number: int
    witnessed_at: int
    signature: bytes


@dataclass(frozen=True)
class SlotProof:
    """A storage slot of the points ledger, the word in it and the trie nodes that prove it."""

    slot: int
    word: int
    nodes: tuple[bytes, ...]


@dataclass(frozen=True)
class StateProof:
    """What leads from one sealed block's state to slots of the points ledger."""

    coalition: CoalitionEvidence
    block: SealedBlock
    account_nodes: tuple[bytes, ...]
    slots: tuple[SlotProof, ...]
    links: tuple[bytes, ...] = ()  # the headers of the blocks after it, up to the last one that was countersigned
    countersigned: tuple[Countersigned, ...] = ()


@dataclass(frozen=True)
class ProvenLot:
    """A member's points in a lot, and what is outstanding of the lot where that is to be shown."""

    lot_id: int
    of_member: SlotProof
    of_lot: SlotProof | None = None


@dataclass(frozen=True)
class RecordedBatch:
    """All entries of a batch and its refusals as (index, reason selector); only the one entry's branch goes into a receipt."""

    brand_id: int
    number: int
    entries: tuple[bytes, ...]
    refusals: tuple[tuple[int, bytes], ...]


def entry_receipt(batch: RecordedBatch, index: int, state: StateProof) -> dict[str, Any]:
    """The receipt of one entry; `state` proves the slot of the batch's record."""
    (record,) = state.slots
    reason = dict(batch.refusals).get(index)
    return {
        **_head("entry", state),
        "batch": {
            "brand": batch.brand_id,
            "number": batch.number,
            "slot": word_as_json(record.slot),
            "proof": nodes_as_json(record.nodes),
            "root": hex_text(entries_root(batch.entries)),
            "entry_count": len(batch.entries),
            "refusals": [{"index": place, "reason": hex_text(code)} for place, code in batch.refusals],
        },
        "entry": {
            "index": index,
            "bytes": hex_text(batch.entries[index]),
            "decoded": decoded_entry(batch.entries[index]),
            "branch": nodes_as_json(root_branch(batch.entries, index)),
            "refused": None if reason is None else {"reason": hex_text(reason), "error": f"{refusal_of(reason)}()"},
        },
    }


def points_receipt(
    member: bytes, lots: Sequence[ProvenLot], state: StateProof, brands: Sequence[tuple[int, SlotProof]] = ()
) -> dict[str, Any]:
    """The receipt of a member's points at a block; the lots' ids rise. Of each of `brands` every lot with points is among the lots, which
    what is outstanding of the brand shows."""
    points = {
        "member": hex_text(member),
        "held_total": sum(lot.of_member.word & LOW_HALF for lot in lots),
        "reserved_total": sum(lot.of_member.word >> 128 for lot in lots),
        "lots": [_lot(lot) for lot in lots],
        "brands": [{"brand": brand_id, **_outstanding(proof)} for brand_id, proof in brands],
    }
    return {**_head("member_points", state), "points": points}


def _lot(lot: ProvenLot) -> dict[str, Any]:
    brand_id, expiry_day = split_lot_id(LotId(lot.lot_id))
    return {
        "brand": brand_id,
        "lot_expiry_day": expiry_day,
        "held": lot.of_member.word & LOW_HALF,
        "reserved": lot.of_member.word >> 128,
        "slot": word_as_json(lot.of_member.slot),
        "proof": nodes_as_json(lot.of_member.nodes),
        "of_lot": None if lot.of_lot is None else _outstanding(lot.of_lot),
    }


def _outstanding(proof: SlotProof) -> dict[str, Any]:
    return {"outstanding": proof.word, "slot": word_as_json(proof.slot), "proof": nodes_as_json(proof.nodes)}


def decoded_entry(data: bytes) -> dict[str, Any] | None:
    """An entry's fields by name as JSON values; None if the bytes are no whole entry."""
    try:
        entry = decode_entry(data)
    except MalformedEntry:
        return None
    return {"kind": kind_of(entry).name.lower(), **_fields(entry)}


def _head(about: str, state: StateProof) -> dict[str, Any]:
    return {"format": FORMAT, "about": about, **evidence(state), "checkpoints": _checkpoints(state)}


def evidence(state: StateProof) -> dict[str, Any]:
    """From the trusted values to the contract's storage, as every document for strangers shows it."""
    coalition, block = state.coalition, state.block
    return {
        "coalition": {
            "coalition_id": hex_text(coalition.coalition_id),
            "genesis": coalition.genesis,
            "genesis_hash": hex_text(coalition.genesis_hash),
            "genesis_header": hex_text(coalition.genesis_header),
            "points_address": hex_text(coalition.points_address),
            "sealer": hex_text(coalition.sealer),
            "handovers": [
                {"block": each.number, "sealer": hex_text(each.sealer), "signature": hex_text(each.signature)}
                for each in coalition.handovers
            ],
        },
        "block": {
            "number": block.number,
            "timestamp": block.timestamp,
            "hash": hex_text(block.hash),
            "header": hex_text(block.header),
            "seal": hex_text(block.seal),
        },
        "account_proof": nodes_as_json(state.account_nodes),
    }


def _checkpoints(state: StateProof) -> dict[str, Any]:
    return {
        "headers": nodes_as_json(state.links),
        "signed": [
            {
                "witness": hex_text(each.witness),
                "number": each.number,
                "witnessed_at": each.witnessed_at,
                "signature": hex_text(each.signature),
            }
            for each in state.countersigned
        ],
    }


def _fields(entry: Entry) -> dict[str, Any]:
    match entry:
        case Issue() | Opening():
            points = {"lot_expiry_day": entry.expiry_day, "points": entry.points}
            return {"member": hex_text(entry.member), **points, **_basis(entry.basis), "reference": hex_text(entry.reference)}
        case Clawback():
            issue = {"number": entry.issue.number, "index": entry.issue.index, "issue": hex_text(entry.issue.entry)}
            return {"member": hex_text(entry.member), "reference": hex_text(entry.reference), **issue, "lines": _lines(entry.lines)}
        case Restore():
            place = {"reference": hex_text(entry.reference), "number": entry.number, "index": entry.index}
            return {"member": hex_text(entry.member), **place, "lines": _lines(entry.lines)}
        case Extend():
            days = {"lot_expiry_day": entry.from_day, "later_expiry_day": entry.to_day}
            return {"member": hex_text(entry.member), **days, "points": entry.points, "reference": hex_text(entry.reference)}
        case Authorize() | Redeem():
            terms = {"nonce": entry.nonce, "deadline": entry.deadline, "points": entry.points, "discount_minor": entry.discount}
            proof = {"proof_kind": entry.proof.kind, "proof": hex_text(entry.proof.proof)}
            return {
                "member": hex_text(entry.member),
                "reference": hex_text(entry.reference),
                "order": hex_text(entry.order),
                **terms,
                **proof,
                "lines": _lines(entry.lines),
            }
        case Capture() | Void() | PointRefund():
            ids = {"reservation_id": hex_text(entry.reservation_id), "reference": hex_text(entry.reference)}
            discount = {} if isinstance(entry, Void) else {"discount_minor": entry.discount}
            return {**ids, **discount, "lines": _lines(entry.lines)}
        case Transfer():
            terms = {"nonce": entry.nonce, "deadline": entry.deadline}
            return {"from": hex_text(entry.giver), "to": hex_text(entry.taker), **terms, "lines": _lines(entry.lines)}
        case Expire():
            return {"member": hex_text(entry.member), "lot_expiry_day": entry.expiry_day, "points": entry.points}


def _basis(basis: AwardBasis | OpeningBasis) -> dict[str, Any]:
    match basis:
        case AwardBasis():
            numbers = {"programme": basis.programme, "rule": basis.rule, "award": basis.award}
            return {**numbers, "decision": hex_text(basis.decision)}
        case OpeningBasis():
            return {"ratio_points": basis.ratio_points, "ratio_units": basis.ratio_units, "source": hex_text(basis.source)}


def _lines(lines: Sequence[Line]) -> list[dict[str, int]]:
    return [{"brand": line.brand_id, "lot_expiry_day": line.expiry_day, "points": line.points} for line in lines]


def nodes_as_json(nodes: Sequence[bytes]) -> list[str]:
    return [hex_text(node) for node in nodes]


def word_as_json(slot: int) -> str:
    return hex_text(slot.to_bytes(32))
