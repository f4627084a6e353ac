"""What becomes of a packed batch: its brand is asked to sign, and the answer is stored with the transaction that carries it.

No unit of work is open while a signer is asked; only the worker's thread changes what is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak
from sqlalchemy import BigInteger, bindparam, select
from sqlalchemy.orm import Session

from gateway.chain.artifacts import points_ledger
from gateway.coalition.coalition import Coalition
from gateway.coalition.rows import current_time
from gateway.ledger.entries import decode_entry
from gateway.ledger.framing import unpack_entries
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import batch_digest
from gateway.projection.tables import LedgerBrandKeyRow
from gateway.rounds.gas import batch_gas, entry_gas
from gateway.rounds.not_yet import wait_for_books
from gateway.rounds.operation import GIVING_KINDS
from gateway.rounds.operation_codec import OPERATION_COLUMNS, operation_of, signer_detail
from gateway.rounds.outcomes import BATCH_PURPOSE, ask_again, refuse_batch, unpack
from gateway.rounds.packing import PackedBatch
from gateway.rounds.ports import OperationEnds, SignersDirectory
from gateway.rounds.signed_earlier import TAKEN_OVER_KINDS, SignedEarlier, take_over
from gateway.rounds.signer_port import SignerAddress, SignerRefusal, SigningRequest
from gateway.rounds.submitter import Submitter
from gateway.rounds.tables import BatchRow, OperationRow, batches_adrift
from gateway.store.session import Database
from gateway.values.ids import OperationId


class WrongSignature(Exception):
    """A signer answered with something that is no signature by a valid key of its brand."""


@dataclass(frozen=True, slots=True)
class UnsignedBatch:
    """A packed batch that waits for its brand's signature. `blocks_members`: who is in it spends nowhere else meanwhile."""

    batch_id: int
    signer: SignerAddress
    request: SigningRequest
    blocks_members: bool


_PACKED = select(BatchRow).where(BatchRow.status == "packed").order_by(BatchRow.batch_id)
_EXPIRED = batches_adrift(bindparam("now", type_=BigInteger)).where(BatchRow.created_at <= bindparam("before", type_=BigInteger))


class BatchSigning:
    """The steps from a packed batch to a stored, signed one, each of which may be the last one before a crash."""

    def __init__(
        self,
        database: Database,
        submitter: Submitter,
        coalition: Coalition,
        wall_clock: Callable[[], int],
        lifetime_seconds: int,
        not_yet_seconds: int,
        *,
        signers: SignersDirectory,
        ends: OperationEnds,
    ) -> None:
        self._database = database
        self._submitter = submitter
        self._coalition = coalition
        self._wall_clock = wall_clock
        self._lifetime_seconds = lifetime_seconds
        self._not_yet_seconds = not_yet_seconds
        self._signers = signers
        self._ends = ends
        self._told: dict[int, Sequence[dict[str, Any]]] = {}

    def note_packed(self, batches: Iterable[PackedBatch]) -> None:
        """Keeps at hand what signers are told of these batches, until they are signed: it need not be read again."""
        for batch in batches:
            assert batch.batch_id is not None, "it is stored"
            self._told[batch.batch_id] = [signer_detail(each.waiting.operation) for each in batch.packed]

    def unsigned(self) -> list[UnsignedBatch]:
        """Batches to ask signers about, oldest first."""
        with self._database.read() as session:
            waiting = session.scalars(_PACKED).all()
            self._told = {batch.batch_id: self._told.get(batch.batch_id) or _details(session, batch) for batch in waiting}
            return [self._unsigned(session, batch) for batch in waiting]

    def give_up_expired(self) -> int:
        """Refuses the operations of batches that nobody has signed for as long as operations wait for books; how many batches."""
        with self._database.read() as session:
            now = self._now(session)
            batch_ids = session.scalars(_EXPIRED, {"now": now, "before": now - max(self._not_yet_seconds, self._lifetime_seconds)}).all()
        if batch_ids:
            with self._database.write() as session:
                now = self._now(session)
                for batch_id in batch_ids:
                    refuse_batch(session, session.get_one(BatchRow, batch_id), "batch_expired", now, self._ends)
        return len(batch_ids)

    def store_signed(self, signatures: Mapping[int, bytes], base_fee: int) -> dict[int, WrongSignature]:
        """Stores batches' signatures and the transactions that carry them, in one unit of work; those that are none by their brand."""
        wrong: dict[int, WrongSignature] = {}
        with self._database.write() as session:
            now = self._now(session)
            for batch_id, signature in signatures.items():
                batch = session.get_one(BatchRow, batch_id)
                try:
                    self._require_signature(session, batch, signature, now)
                except WrongSignature as error:
                    wrong[batch_id] = error
                    continue
                self._store_one_signed(session, batch, signature, base_fee, now)
        return wrong

    def refuse_entries(self, batch_id: int, refusal: SignerRefusal, earlier: Sequence[SignedEarlier] = ()) -> int:
        """Refuses what the signer will not sign for, or has it wait; the batch's other operations wait to be packed again. What it signed
        `earlier` is taken over where it can be.

        How many were refused for good.
        """
        reasons = refusal.reasons
        with self._database.write() as session:
            batch = session.get_one(BatchRow, batch_id)
            now = self._now(session)
            for each in earlier:
                take_over(session, batch, each, now, self._lifetime_seconds)
            named = select(OperationRow).where(OperationRow.batch_id == batch_id, OperationRow.entry_index.in_(list(reasons)))
            refused: list[OperationId] = []
            for row in session.scalars(named).all():
                reason = reasons[row.entry_index or 0]
                is_signed = row.kind in TAKEN_OVER_KINDS and row.entry_index in refusal.signed_under
                if not wait_for_books(row, reason, now, self._not_yet_seconds, is_signed=is_signed):
                    refused.append(OperationId(row.operation_id))
                    row.status, row.reason, row.finished_at = "refused", f"signer_refused: {reason}", now
            self._ends.refused(session, refused)
            unpack(session, batch)
        return len(refused)

    def was_late(self, batch: UnsignedBatch) -> bool:
        """Whether its deadline is over: the ledger would not take it any more."""
        with self._database.read() as session:
            return batch.request.deadline <= self._now(session)

    def ask_again(self, batch_id: int) -> None:
        """Has a batch signed with a new deadline, which members in it wait for."""
        with self._database.write() as session:
            ask_again(session.get_one(BatchRow, batch_id), self._now(session))

    def pack_again(self, batch_id: int) -> None:
        """Gives up a batch that was not signed, or whose number the signer has used for something else; its operations wait as before."""
        with self._database.write() as session:
            unpack(session, session.get_one(BatchRow, batch_id))

    def _unsigned(self, session: Session, batch: BatchRow) -> UnsignedBatch:
        told = self._told[batch.batch_id]
        request = SigningRequest(batch.brand_id, batch.number, batch.deadline, batch.entries, told)
        blocks_members = any(each["kind"] not in GIVING_KINDS for each in told)
        return UnsignedBatch(batch.batch_id, self._signers.address(session, batch.brand_id), request, blocks_members)

    def _store_one_signed(self, session: Session, batch: BatchRow, signature: bytes, base_fee: int, now: int) -> None:
        header = batch.brand_id, batch.number, batch.deadline
        data = points_ledger().call("submitBatch", header, batch.entries, signature)
        gas = batch_gas(sum(entry_gas(decode_entry(entry)) for entry in unpack_entries(batch.entries)))
        stored = self._submitter.store(session, BATCH_PURPOSE, self._coalition.points_address, data, gas, base_fee, now)
        batch.signature = signature
        batch.transaction_id = stored.transaction_id
        batch.status = "signed"

    def _require_signature(self, session: Session, batch: BatchRow, signature: bytes, now: int) -> None:
        header = batch.brand_id, batch.number, keccak(batch.entries), batch.deadline
        digest = batch_digest(self._coalition.signing_domain, *header)
        signer = recover_address(digest, signature)
        window = (LedgerBrandKeyRow.valid_from <= now, LedgerBrandKeyRow.valid_until > now)
        keys = session.scalars(select(LedgerBrandKeyRow.key_address).where(LedgerBrandKeyRow.brand_id == batch.brand_id, *window)).all()
        if signer not in keys:
            raise WrongSignature(f"the signer of brand {batch.brand_id} did not sign batch {batch.number} with a valid key of the brand")

    def _now(self, session: Session) -> int:
        return current_time(session, self._coalition, self._wall_clock)


def _details(session: Session, batch: BatchRow) -> Sequence[dict[str, Any]]:
    """What the signer is told of each entry, in the batch's order."""
    rows = session.execute(select(*OPERATION_COLUMNS).where(OperationRow.batch_id == batch.batch_id).order_by(OperationRow.entry_index))
    return [signer_detail(operation_of(row)) for row in rows]
