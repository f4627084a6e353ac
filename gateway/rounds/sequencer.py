"""Packs accepted operations into batches and transactions. Everything is stored before anything leaves the process.

Only the worker's thread changes what is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from eth_hash.auto import keccak
from sqlalchemy import BigInteger, bindparam, func, select, update
from sqlalchemy.orm import Session

from gateway.chain.artifacts import governance, points_ledger
from gateway.coalition.coalition import Coalition
from gateway.coalition.rows import current_time, the_coalition
from gateway.coalition.tables import GovernanceActRow
from gateway.ledger.framing import pack_entries
from gateway.ledger.governance import NO_PREDECESSOR, act_id
from gateway.ledger.model import LedgerModel
from gateway.ledger.passkeys import verify_passkey
from gateway.ledger.recover import recover_address
from gateway.projection.changes import HIGHEST_COUNTED, batch_counter, note_numbers
from gateway.rounds.admin_calls import AdminCall, admin_calls
from gateway.rounds.found_entries import FoundEntry, end_where_found, find_entries
from gateway.rounds.gas import EXECUTE_GAS, PROPOSE_GAS, release_gas
from gateway.rounds.governance_acts import PROPOSED, ready_acts
from gateway.rounds.operation import GIVING_KINDS
from gateway.rounds.operation_reading import ENTRY_KINDS, accepted_acts, accepted_entries, read_round
from gateway.rounds.outcomes import SPENDING_LIFETIME_SECONDS
from gateway.rounds.overdue import RELEASE, overdue_reservations
from gateway.rounds.packing import PackedBatch, Phase, RefusedOperation, Round, pack_round
from gateway.rounds.ports import OperationEnds
from gateway.rounds.submitter import Submitter
from gateway.rounds.tables import IS_OPEN, BatchRow, OperationRow, TransactionRow, is_due
from gateway.store.counters import next_number
from gateway.store.session import Database
from gateway.values.ids import Hash
from gateway.values.points import Points

_IS_STORED = select(TransactionRow.transaction_id).where(TransactionRow.status == "stored").limit(1)
_IS_OPEN = select(OperationRow.sequence).where(IS_OPEN, is_due(bindparam("now", type_=BigInteger))).limit(1)


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
        ends: OperationEnds,
    ) -> None:
        self._database = database
        self._submitter = submitter
        self._coalition = coalition
        self._batch_lifetime_seconds = batch_lifetime_seconds
        self._wall_clock = wall_clock
        self._ends = ends

    def count_batches(self) -> None:
        """Those that were taken over under numbers that their signers named, too: an earlier version did not count them."""
        highest = select(BatchRow.brand_id, func.max(BatchRow.number)).where(BatchRow.number <= HIGHEST_COUNTED).group_by(BatchRow.brand_id)
        with self._database.write() as session:
            note_numbers(session, [(brand_id, number) for brand_id, number in session.execute(highest)])

    def has_work(self) -> bool:
        """Whether an operation is open, a transaction waits to be mined, or an act of governance is approved."""
        with self._database.read() as session:
            now = self._now(session)
            if session.scalar(_IS_OPEN, {"now": now}) is not None or session.scalar(_IS_STORED) is not None:
                return True
            return bool(ready_acts(session, the_coalition(session), now) or overdue_reservations(session, now))

    def store_admin_transactions(self, base_fee: int, paused_brands: frozenset[int] = frozenset()) -> int:
        """Turns accepted operations of the operator, approved acts and overdue reservations into stored transactions; how many."""
        with self._database.read() as session:
            calls = list(admin_calls(accepted_acts(session), self._coalition))
            ready = ready_acts(session, the_coalition(session), self._now(session))
            overdue = overdue_reservations(session, self._now(session), paused_brands)
        if not calls and not ready and not overdue:
            return 0
        with self._database.write() as session:
            now = self._now(session)
            for reservation_id, lots in overdue.items():
                release = points_ledger().call("release", reservation_id, lots)
                self._submitter.store(session, RELEASE, self._coalition.points_address, release, release_gas(len(lots)), base_fee, now)
            for call in calls:
                if call.is_act:
                    self._propose(session, call, base_fee, now)
                    continue
                stored = self._submitter.store(session, call.purpose, call.target, call.data, call.gas, base_fee, now)
                _carry(session, call.sequences, stored.transaction_id)
            for act in ready:
                data, governance_address = act.execution(), self._coalition.governance_address
                stored = self._submitter.store(session, "execute", governance_address, data, EXECUTE_GAS, base_fee, now)
                _carry(session, (act.sequence,), stored.transaction_id)
        return len(calls) + len(ready) + len(overdue)

    def _propose(self, session: Session, call: AdminCall, base_fee: int, now: int) -> None:
        (sequence,) = call.sequences
        operation_id = session.scalars(select(OperationRow.operation_id).where(OperationRow.sequence == sequence)).one()
        target, salt = call.target, Hash(keccak(operation_id.encode()))
        delay = call.delays * the_coalition(session).governance_delay_seconds  # as it is now: an act may have changed it
        proposal = governance().call("schedule", target, 0, call.data, NO_PREDECESSOR, salt, delay)
        stored = self._submitter.store(session, call.purpose, self._coalition.governance_address, proposal, PROPOSE_GAS, base_fee, now)
        session.flush()
        session.add(
            GovernanceActRow(
                operation_sequence=sequence,
                act_id=act_id(target, call.data, salt),
                target=target,
                data=call.data,
                salt=salt,
                delay_seconds=delay,
                proposed_in=stored.transaction_id,
            )
        )
        session.execute(update(OperationRow).where(OperationRow.sequence == sequence).values(status=PROPOSED))

    def pack(self, paused_brands: frozenset[int] = frozenset(), *, issues_alone: bool = False) -> Round:
        """Packs what is accepted into batches that wait for signatures; what paused brands are to sign waits."""
        with self._database.read() as session:
            now = self._now(session)
            accepted = accepted_entries(session, paused_brands, now, GIVING_KINDS if issues_alone else ENTRY_KINDS)
            if not accepted:
                return Round()
            there = find_entries(session, accepted)
            found = read_round(session, accepted, now)
        if there:
            self._confirm(there)
            packed = self.pack(paused_brands, issues_alone=issues_alone)
            packed.found += len(there)
            return packed
        model = LedgerModel(self._coalition.signing_domain, self._coalition.utc_offset_seconds, recover_address, verify_passkey)
        model.state = found.state
        packed = pack_round(found.operations, model, found.view)
        with self._database.write() as session:
            now = self._now(session)
            for batch in packed.batches:
                self._store_batch(session, batch, now)
            for refused in packed.refused:
                _refuse(session, refused, now)
            self._ends.fell_short(session, packed.points_short)
        return packed

    def _confirm(self, there: Sequence[FoundEntry]) -> None:
        with self._database.write() as session:
            end_where_found(session, there)
            short = {one.operation.operation_id: Points(one.points_due - one.entry.points) for one in there if one.entry.kind == "clawback"}
            self._ends.fell_short(session, short)
            self._ends.stood_already(session, [one.operation for one in there])

    def _store_batch(self, session: Session, packed: PackedBatch, now: int) -> None:
        number = next_number(session, batch_counter(packed.brand_id))
        entries = [each.entry for each in packed.packed]
        batch = BatchRow(
            brand_id=packed.brand_id,
            number=number,
            deadline=now + (SPENDING_LIFETIME_SECONDS if packed.phase is Phase.LOTS else self._batch_lifetime_seconds),
            entries=pack_entries(entries),
            entry_count=len(entries),
            signature=None,
            status="packed",
            created_at=now,
        )
        session.add(batch)
        session.flush()
        packed.batch_id = batch.batch_id
        places = [{"of": each.waiting.sequence, "into": batch.batch_id, "at": index} for index, each in enumerate(packed.packed)]
        session.connection().execute(_PLACED, places)

    def _now(self, session: Session) -> int:
        return current_time(session, self._coalition, self._wall_clock)


_PLACED = (
    update(OperationRow)
    .where(OperationRow.sequence == bindparam("of"))
    .values(status="packed", batch_id=bindparam("into"), entry_index=bindparam("at"))
)


def _carry(session: Session, sequences: tuple[int, ...], transaction_id: int) -> None:
    carried = update(OperationRow).where(OperationRow.sequence.in_(sequences))
    session.execute(carried.values(status="packed", transaction_id=transaction_id))


def _refuse(session: Session, refused: RefusedOperation, now: int) -> None:
    operation = update(OperationRow).where(OperationRow.sequence == refused.waiting.sequence)
    session.execute(operation.values(status="refused", reason=refused.reason, finished_at=now))
