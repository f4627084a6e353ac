"""Applies blocks to the projection: the model says what an accepted entry did, and the contract's own logs must agree.

The rows depend on the blocks alone, so a projection that was dropped and rebuilt has the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from gateway.chain.artifacts import Event
from gateway.ledger.effects import Effect, Refused
from gateway.ledger.entries import Authorize, Clawback, Entry, Issue, Opening, Redeem, Transfer, kind_of
from gateway.ledger.members import authorizer_id
from gateway.ledger.model import LedgerModel
from gateway.ledger.passkeys import verify_passkey
from gateway.ledger.positions import ledger_position
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import Domain
from gateway.ledger.state import MemberRecord
from gateway.projection import member_tables, tables
from gateway.projection.batch_reading import (
    LedgerUnreadable,
    ReadBatch,
    ReadBlock,
    ReadEntry,
    issue_named,
    members_named,
    members_needed,
    reservation_named,
    transaction_index,
)
from gateway.projection.brand_register import BrandRegister
from gateway.projection.changes import Changes
from gateway.projection.governors import GovernorsRegister
from gateway.projection.issue_records import IssueOnLedger, load_issues
from gateway.projection.ledger_state import load_state
from gateway.projection.member_register import MemberRegister
from gateway.store.upsert import insert_rows
from gateway.values.ids import Address, Hash, MemberId, ReservationId
from gateway.values.points import MOST_POINTS_KEPT

PROJECTION_TABLES = (
    tables.LedgerBlockRow,
    tables.LedgerBatchRow,
    tables.LedgerEntryRow,
    tables.LedgerMovementRow,
    tables.LedgerMemberLotRow,
    tables.LedgerLotRow,
    tables.LedgerClawedIssueRow,
    tables.LedgerReservationRow,
    tables.LedgerReservationLotRow,
    tables.LedgerOwedRow,
    tables.LedgerExposureRow,
    tables.LedgerExposureLimitRow,
    tables.LedgerGovernorsRow,
    tables.LedgerBrandRow,
    tables.LedgerBrandTermsRow,
    tables.LedgerBrandKeyRow,
    tables.LedgerAuthorizerRow,
    member_tables.LedgerMemberRow,
    member_tables.LedgerGrantRow,
    member_tables.LedgerPendingActRow,
)
_NOBODY = Address(bytes(20))


def drop_projection(session: Session) -> None:
    """Empties every table of the projection."""
    for table in PROJECTION_TABLES:
        session.execute(delete(table))


def project(session: Session, blocks: Sequence[ReadBlock], domain: Domain, utc_offset_seconds: int) -> None:
    """Writes what these consecutive blocks changed."""
    _Projecting(session, blocks, domain, utc_offset_seconds).run()


class _Projecting:
    """One range of blocks: state in, model, rows out."""

    def __init__(self, session: Session, blocks: Sequence[ReadBlock], domain: Domain, utc_offset_seconds: int) -> None:
        self._session = session
        self._blocks = blocks
        self._model = LedgerModel(domain, utc_offset_seconds, recover_address, verify_passkey)
        members: set[MemberId] = set()
        reservations: set[ReservationId] = set()
        issues: set[IssueOnLedger] = set()
        for block in blocks:
            for item in block.items:
                if isinstance(item, Event):
                    members.update(MemberId(item.values[name]) for name in ("member", "giver") if name in item.values)
                    if item.name == "ReservationReleased":
                        reservations.add(ReservationId(item.values["id"]))
                    continue
                for read in item.entries:
                    if read.entry is not None:
                        members.update(members_needed(read.entry))
                        reservations.update(filter(None, [reservation_named(read.entry)]))
                        issues.update(filter(None, [issue_named(item.brand_id, read.entry)]))
        self._model.state = load_state(session, members, reservations)
        load_issues(session, self._model.state, issues)
        self._brands = BrandRegister(session, self._model.state)
        self._members = MemberRegister(session, self._model.state, members)
        self._governors = GovernorsRegister(session)
        self._changes = Changes(self._model.state)

    def run(self) -> None:
        for block in self._blocks:
            for item in block.items:
                if isinstance(item, ReadBatch):
                    self._batch(block, item)
                else:
                    self._event(block, item)
        self._write_blocks()
        self._changes.write(self._session)
        self._brands.write()
        self._members.write()
        self._governors.write()

    def _batch(self, block: ReadBlock, batch: ReadBatch) -> None:
        self._changes.batches.append(
            {
                "brand_id": batch.brand_id,
                "number": batch.number,
                "root": batch.root,
                "entry_count": len(batch.entries),
                "refused_count": batch.refused_count,
                "block_number": block.block.number,
                "transaction_hash": batch.transaction.hash,
            }
        )
        transfers: list[tuple[bytes, bytes, int, int]] = []
        start = ledger_position(block.block.number, batch.transaction.index)
        for index, read in enumerate(batch.entries):
            effect = self._effect(block, batch, index, read)
            self._changes.entries.append(_entry_row(block, batch, index, read, effect, self._model))
            if effect is not None:
                self._changes.effect(start | index, batch.brand_id, effect)
                transfers += _transfers(effect)
        self._model.state.records[batch.brand_id, batch.number] = batch.record
        if transfers != list(batch.transfers):
            raise LedgerUnreadable(f"batch {batch.number} of brand {batch.brand_id}: entries and TransferSingle logs differ")

    def _effect(self, block: ReadBlock, batch: ReadBatch, index: int, read: ReadEntry) -> Effect | None:
        if read.refused is not None:
            return None
        effect = self._model.apply_entry(batch.brand_id, read.raw, block.block.timestamp)
        if isinstance(effect, Refused):
            raise LedgerUnreadable(
                f"entry {index} of batch {batch.number} of brand {batch.brand_id} counts on the ledger; by the format: {effect.reason}"
            )
        return effect

    def _event(self, block: ReadBlock, event: Event) -> None:
        values, timestamp = event.values, block.block.timestamp
        match event.name:
            case "MemberEnrolled" | "AuthorizerAdded":
                self._authorizer(MemberId(values["member"]), values["kind"], values["authorizer"])
            case "AuthorizerRemoved":
                record = self._model.state.members[MemberId(values["member"])]
                record.authorizers.pop(Hash(values["authorizerId"]), None)
                self._changes.removed_authorizer(MemberId(values["member"]), Hash(values["authorizerId"]))
            case "MemberRecovered":
                member = MemberId(values["member"])
                for replaced in self._model.state.members[member].authorizers:
                    self._changes.removed_authorizer(member, replaced)
                self._members.event(event)
            case "ReservationReleased":
                released = ReservationId(values["id"])
                start = ledger_position(block.block.number, transaction_index(block, event))
                self._changes.released(start, released, self._model.release(released, timestamp))
            case "PairApplied":
                self._model.state.settle((values["issuer"], values["acceptor"], values["terms"]), values["points"], values["netted"])
            case "PairPaid":
                self._model.state.exposure[values["issuer"], values["acceptor"]] -= values["points"]
            case _:
                if not (self._members.event(event) or self._governors.event(event)):
                    self._brands.event(event, timestamp)

    def _authorizer(self, member: MemberId, kind: int, authorizer: bytes) -> None:
        known_as = authorizer_id(kind, authorizer)
        record = self._model.state.members.setdefault(member, MemberRecord())
        record.authorizers[known_as] = kind
        self._changes.added_authorizer(member, known_as, kind, authorizer)

    def _write_blocks(self) -> None:
        insert_rows(
            self._session,
            tables.LedgerBlockRow,
            [{"number": each.block.number, "block_hash": each.block.hash, "timestamp": each.block.timestamp} for each in self._blocks],
        )


def _transfers(effect: Effect) -> list[tuple[bytes, bytes, int, int]]:
    """The ERC-1155 logs that an effect must have left."""
    if isinstance(effect.entry, Transfer):
        giver, taker = effect.entry.giver, effect.entry.taker
        return [(giver, taker, line.lot_id, line.points) for line in effect.entry.lines]
    found: list[tuple[bytes, bytes, int, int]] = []
    for movement in effect.movements:
        member = movement.member
        if movement.held_delta > 0:
            found.append((_NOBODY, member, movement.lot_id, movement.held_delta))
        elif movement.held_delta < 0:
            found.append((member, _NOBODY, movement.lot_id, -movement.held_delta))
    return found


def _entry_row(
    block: ReadBlock, batch: ReadBatch, index: int, read: ReadEntry, effect: Effect | None, model: LedgerModel
) -> dict[str, Any]:
    entry = read.entry
    return {
        "position": ledger_position(block.block.number, batch.transaction.index, index),
        "brand_id": batch.brand_id,
        "batch_number": batch.number,
        "entry_index": index,
        "kind": kind_of(entry).name.lower() if entry is not None else "unreadable",
        "member_id": _member_of(entry, effect, model),
        "points": min(_points_of(entry), MOST_POINTS_KEPT) if entry is not None else 0,
        "reference": getattr(entry, "reference", None),
        "issue_reference": entry.issue_reference if isinstance(entry, Clawback) else None,
        "reservation_id": _reservation_of(entry, effect),
        "rule_version": entry.basis.programme if isinstance(entry, Issue) else None,
        "entry": read.raw,
        "refused_reason": read.refused,
        "block_number": block.block.number,
        "block_timestamp": block.block.timestamp,
        "taker_id": entry.taker if isinstance(entry, Transfer) else None,
    }


def _member_of(entry: Entry | None, effect: Effect | None, model: LedgerModel) -> MemberId | None:
    if effect is not None:
        return effect.member
    if entry is None:
        return None
    named = reservation_named(entry)
    if named is not None:
        reservation = model.state.reservations.get(named)
        return reservation.member if reservation else None
    return members_named(entry)


def _points_of(entry: Entry) -> int:
    match entry:
        case Issue() | Opening() | Authorize() | Redeem():
            return entry.points
        case _:
            return sum(line.points for line in entry.lines) if hasattr(entry, "lines") else entry.points


def _reservation_of(entry: Entry | None, effect: Effect | None) -> ReservationId | None:
    if effect is not None:
        return effect.reservation_id
    return reservation_named(entry) if entry is not None else None
