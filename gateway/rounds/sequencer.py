"""Packs accepted operations into batches and transactions. Everything is stored before anything leaves the process.

No unit of work is open while a signer is asked; only the worker's thread changes what is read here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from gateway.chain.artifacts import points_ledger
from gateway.coalition.coalition import Coalition
from gateway.coalition.rows import current_time
from gateway.coalition.tables import CoalitionRow
from gateway.ledger.batches import batch_root
from gateway.ledger.entries import decode_entry, pack_entries, unpack_entries
from gateway.ledger.model import LedgerModel
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import batch_digest
from gateway.projection.tables import LedgerBatchRow, LedgerBrandKeyRow
from gateway.rounds.admin_calls import ADMIN_KINDS, admin_calls
from gateway.rounds.gas import batch_gas, entry_gas
from gateway.rounds.operation_reading import accepted_operations, read_waiting
from gateway.rounds.outcomes import BATCH_PURPOSE, refuse_batch, unpack
from gateway.rounds.packing import PackedBatch, RefusedOperation, Round, pack_round
from gateway.rounds.ports import OperationEnds, SignersDirectory
from gateway.rounds.signer_port import SignerAddress, SigningRequest
from gateway.rounds.submitter import Submitter
from gateway.rounds.tables import IS_OPEN, BatchRow, OperationRow, TransactionRow
from gateway.store.session import Database

ADMIN_OPERATIONS_IN_ONE_ROUND = 1_000


class WrongSignature(Exception):
    """A signer answered with something that is no signature by a valid key of its brand."""


@dataclass(frozen=True, slots=True)
class UnsignedBatch:
    """A packed batch that waits for its brand's signature."""

    batch_id: int
    signer: SignerAddress
    request: SigningRequest


class Sequencer:
    """The steps of a round, each of which may be the last one before a crash."""

    def __init__(
        self,
        database: Database,
        submitter: Submitter,
        coalition: Coalition,
        batch_lifetime_seconds: int,
        wall_clock: Callable[[], int],
        *,
        signers: SignersDirectory,
        ends: OperationEnds,
    ) -> None:
        self._database = database
        self._submitter = submitter
        self._coalition = coalition
        self._batch_lifetime_seconds = batch_lifetime_seconds
        self._wall_clock = wall_clock
        self._signers = signers
        self._ends = ends
        self._points_address = "0x" + coalition.points_address.hex()

    def has_work(self) -> bool:
        """Whether an operation is open or a transaction waits to be mined."""
        is_open = select(OperationRow.sequence).where(IS_OPEN).limit(1)
        is_stored = select(TransactionRow.transaction_id).where(TransactionRow.status == "stored").limit(1)
        with self._database.read() as session:
            return session.scalar(is_open) is not None or session.scalar(is_stored) is not None

    def store_admin_transactions(self, base_fee: int) -> int:
        """Turns the operator's accepted operations into stored transactions; how many."""
        with self._database.read() as session:
            accepted = select(OperationRow).where(IS_OPEN, OperationRow.status == "accepted", OperationRow.kind.in_(ADMIN_KINDS))
            first = accepted.order_by(OperationRow.sequence).limit(ADMIN_OPERATIONS_IN_ONE_ROUND)
            calls = list(admin_calls(session.scalars(first), self._points_address))
        if not calls:
            return 0
        with self._database.write() as session:
            manager = session.scalars(select(CoalitionRow.access_manager_address)).one()
            now = self.now(session)
            for call in calls:
                to = manager if call.to_manager else self._points_address
                stored = self._submitter.store(session, call.purpose, to, call.data, call.gas, base_fee, now)
                carried = update(OperationRow).where(OperationRow.sequence.in_(call.sequences))
                session.execute(carried.values(status="packed", transaction_id=stored.transaction_id))
        return len(calls)

    def pack(self) -> Round:
        """Packs what is accepted into batches that wait for signatures."""
        with self._database.read() as session:
            accepted = accepted_operations(session)
            if not accepted:
                return Round()
            waiting = read_waiting(session, accepted, self.now(session))
        model = LedgerModel(self._coalition.signing_domain, self._coalition.utc_offset_seconds, recover_address)
        model.state = waiting.state
        packed = pack_round(waiting.operations, model, waiting.view)
        with self._database.write() as session:
            now = self.now(session)
            for batch in packed.batches:
                self._store_batch(session, batch, now)
            for refused in packed.refused:
                _refuse(session, refused, now)
            self._ends.fell_short(session, packed.points_short)
        return packed

    def unsigned(self) -> list[UnsignedBatch]:
        """Batches to ask signers about, oldest first."""
        with self._database.read() as session:
            now = self.now(session)
            waiting = select(BatchRow).where(BatchRow.status == "packed", BatchRow.deadline > now).order_by(BatchRow.batch_id)
            return [self._unsigned(session, batch) for batch in session.scalars(waiting)]

    def give_up_expired(self) -> int:
        """Refuses the operations of batches that nobody signed before their deadline; how many batches."""
        with self._database.read() as session:
            expired = select(BatchRow.batch_id).where(BatchRow.status == "packed", BatchRow.deadline <= self.now(session))
            batch_ids = session.scalars(expired).all()
        if batch_ids:
            with self._database.write() as session:
                now = self.now(session)
                for batch_id in batch_ids:
                    refuse_batch(session, session.get_one(BatchRow, batch_id), "batch_expired", now, self._ends)
        return len(batch_ids)

    def store_signed(self, signatures: Mapping[int, bytes], base_fee: int) -> dict[int, WrongSignature]:
        """Stores batches' signatures and the transactions that carry them, in one unit of work; those that are none by their brand."""
        wrong: dict[int, WrongSignature] = {}
        with self._database.write() as session:
            now = self.now(session)
            for batch_id, signature in signatures.items():
                batch = session.get_one(BatchRow, batch_id)
                try:
                    self._require_signature(session, batch, signature, now)
                except WrongSignature as error:
                    wrong[batch_id] = error
                    continue
                self._store_one_signed(session, batch, signature, base_fee, now)
        return wrong

    def _store_one_signed(self, session: Session, batch: BatchRow, signature: bytes, base_fee: int, now: int) -> None:
        root = bytes.fromhex(batch.root[2:])
        header = batch.brand_id, batch.number, batch.deadline, root
        data = points_ledger().call("submitBatch", header, batch.entries, signature)
        gas = batch_gas(sum(entry_gas(decode_entry(entry)) for entry in unpack_entries(batch.entries)))
        stored = self._submitter.store(session, BATCH_PURPOSE, self._points_address, data, gas, base_fee, now)
        batch.signature = "0x" + signature.hex()
        batch.transaction_id = stored.transaction_id
        batch.status = "signed"

    def refuse_entries(self, batch_id: int, reasons: Mapping[int, str]) -> None:
        """Refuses what the signer will not sign for; the batch's other operations wait to be packed again."""
        with self._database.write() as session:
            batch = session.get_one(BatchRow, batch_id)
            now = self.now(session)
            named = OperationRow.batch_id == batch_id, OperationRow.entry_index.in_(list(reasons))
            self._ends.refused(session, session.scalars(select(OperationRow.operation_id).where(*named)).all())
            for index, reason in reasons.items():
                entry = update(OperationRow).where(OperationRow.batch_id == batch_id, OperationRow.entry_index == index)
                session.execute(entry.values(status="refused", reason=f"signer_refused: {reason}", finished_at=now))
            unpack(session, batch)

    def renumber(self, batch_id: int) -> None:
        """Gives up a batch whose number the signer has used for something else."""
        with self._database.write() as session:
            unpack(session, session.get_one(BatchRow, batch_id))

    def now(self, session: Session) -> int:
        """The moment that rules go by."""
        return current_time(session, self._coalition, self._wall_clock)

    def _unsigned(self, session: Session, batch: BatchRow) -> UnsignedBatch:
        root = bytes.fromhex(batch.root[2:])
        request = SigningRequest(batch.brand_id, batch.number, batch.deadline, batch.entries, root, _details(session, batch))
        return UnsignedBatch(batch.batch_id, self._signers.address(session, batch.brand_id), request)

    def _store_batch(self, session: Session, packed: PackedBatch, now: int) -> None:
        number = _next_number(session, packed.brand_id)
        entries = [each.entry for each in packed.packed]
        batch = BatchRow(
            brand_id=packed.brand_id,
            number=number,
            deadline=now + self._batch_lifetime_seconds,
            entries=pack_entries(entries),
            entry_count=len(entries),
            root="0x" + batch_root(packed.brand_id, number, entries).hex(),
            signature=None,
            status="packed",
            created_at=now,
        )
        session.add(batch)
        session.flush()
        rows = [
            {"sequence": each.operation.sequence, "status": "packed", "batch_id": batch.batch_id, "entry_index": index}
            for index, each in enumerate(packed.packed)
        ]
        session.execute(update(OperationRow), rows)

    def _require_signature(self, session: Session, batch: BatchRow, signature: bytes, now: int) -> None:
        root = bytes.fromhex(batch.root[2:])
        digest = batch_digest(self._coalition.signing_domain, batch.brand_id, batch.number, keccak(batch.entries), root, batch.deadline)
        signer = recover_address(digest, signature)
        window = (LedgerBrandKeyRow.valid_from <= now, LedgerBrandKeyRow.valid_until > now)
        keys = session.scalars(select(LedgerBrandKeyRow.key_address).where(LedgerBrandKeyRow.brand_id == batch.brand_id, *window)).all()
        if signer is None or "0x" + signer.hex() not in keys:
            raise WrongSignature(f"the signer of brand {batch.brand_id} did not sign batch {batch.number} with a valid key of the brand")


def _refuse(session: Session, refused: RefusedOperation, now: int) -> None:
    operation = update(OperationRow).where(OperationRow.sequence == refused.operation.sequence)
    session.execute(operation.values(status="refused", reason=refused.reason, finished_at=now))


def _next_number(session: Session, brand_id: int) -> int:
    ours = session.scalar(select(func.max(BatchRow.number)).where(BatchRow.brand_id == brand_id)) or 0
    recorded = session.scalar(select(func.max(LedgerBatchRow.number)).where(LedgerBatchRow.brand_id == brand_id)) or 0
    return max(ours, recorded) + 1


def _details(session: Session, batch: BatchRow) -> Sequence[dict[str, Any]]:
    """What the signer is told of each entry, in the batch's order."""
    rows = session.scalars(select(OperationRow).where(OperationRow.batch_id == batch.batch_id).order_by(OperationRow.entry_index))
    return [
        {**json.loads(row.body), "kind": row.kind, "points": row.points, "member_id": row.member_id, "reservation_id": row.reservation_id}
        for row in rows
    ]
