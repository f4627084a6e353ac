"""The ledger worker: one thread that follows the ledger, packs rounds, has them signed, sends them and sees them confirmed.

Every step is stored before the next begins and safe to repeat, so the worker may be stopped or killed between any two of them.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import func, select

from gateway.chain.connection import Chain, NodeRefused
from gateway.chain.operator_key import load_account
from gateway.coalition.rows import business_clock
from gateway.config import Settings
from gateway.projection.batch_reading import LedgerUnreadable
from gateway.projection.tables import LedgerBlockRow
from gateway.rounds.batch_signing import BatchSigning
from gateway.rounds.completion import Completions
from gateway.rounds.contract_ties import WrongCode
from gateway.rounds.deployment import (
    AccountInUse,
    WrongChain,
    check_chain,
    check_code,
    prepare_deployment,
    refuse_other_contract,
)
from gateway.rounds.follower import Follower
from gateway.rounds.ports import OperationEnds, SignersDirectory, StandingAct
from gateway.rounds.sequencer import Sequencer
from gateway.rounds.signer_port import SignerClient
from gateway.rounds.signing_desk import SigningDesk
from gateway.rounds.sole_worker import AnotherWorker, StandsBy, claim_folder, take_lease
from gateway.rounds.submitter import Submitter
from gateway.secret_files import UnsafeFile
from gateway.store.lease import LeaseLost, WorkerLease
from gateway.store.session import Database
from gateway.store.unit_of_work import UnitOfWork, reading, writing
from gateway.values.errors import Unavailable

log = logging.getLogger(__name__)
GATHER_SECONDS = 0.05
_LONGEST_RETRY_SECONDS = 5.0
STANDING_BY = "standing by"
_STANDING_BY_SECONDS = 0.1
_STAND_SECONDS = 60


class LedgerWorker:
    """`start()` and `stop()` for a thread of its own; `open()` and `turn()` for whoever drives it step by step."""

    def __init__(
        self,
        database: Database,
        chain: Chain,
        completions: Completions,
        settings: Settings,
        *,
        signers: SignersDirectory,
        ends: OperationEnds,
        signer: SignerClient,
        standing: Sequence[Callable[[UnitOfWork], StandingAct]] = (),
        wall_clock: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        self._database = database
        self._chain = chain
        self._completions = completions
        self._settings = settings
        self._signers = signers
        self._ends = ends
        self._signer = signer
        self._standing = standing
        self._stood_at = -1, -1
        self._wall_clock = wall_clock
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock: int | None = None
        self._lease: WorkerLease | None = None
        self._state = "stopped"
        self._last_error: str | None = None
        self._desk: SigningDesk | None = None
        self._leased = database  # as this worker may write to it
        self.submitter: Submitter
        self.follower: Follower
        self.sequencer: Sequencer
        self.signing: BatchSigning

    def start(self) -> None:
        """Starts the thread; where the node does not answer yet, the worker keeps trying."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="ledger worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the step it is in."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            if hasattr(self, "submitter"):
                self.submitter.stop()
            self._thread.join()
            self._thread = None
        self.close()

    def wake(self) -> None:
        """Says that there is something to do."""
        self._wake.set()

    def health(self) -> Mapping[str, object]:
        """What the worker is doing, and what was in its way last."""
        signers = {str(brand_id): error for brand_id, error in self._desk.errors.items()} if self._desk else {}
        return {"state": self._state, "last_error": self._last_error, "silent_signers": signers}

    def open(self) -> None:
        """Makes sure that the ledger is deployed, is the right one and is projected. Raises Unavailable, WrongChain or WrongCode."""
        if self._lock is None:
            self._lock = claim_folder(self._settings.data_dir)
        if self._lease is None:
            self._lease = take_lease(self._database)
        database = self._database.under(self._lease)
        account = load_account(self._settings.operator_key_file)
        chain_id = self._chain.chain_id()
        self.submitter = Submitter(database, self._chain, account, chain_id, self._settings.stuck_after_seconds)
        prepare_deployment(database, self._chain, self.submitter, self._settings, self._wall_clock())
        coalition = check_chain(database, self._chain)
        refuse_other_contract(database, self._chain)  # before a block of it is read
        self.follower = Follower(database, self._chain, coalition, self._completions, self._ends)
        self.sequencer = Sequencer(
            database,
            self.submitter,
            coalition,
            self._settings.batch_lifetime_seconds,
            self._wall_clock,
            ends=self._ends,
        )
        self.sequencer.count_batches()
        self.signing = BatchSigning(
            database,
            self.submitter,
            coalition,
            self._wall_clock,
            self._settings.batch_lifetime_seconds,
            self._settings.not_yet_seconds,
            signers=self._signers,
            ends=self._ends,
        )
        self._desk = SigningDesk(self.signing, self._signer, self.wake)
        self.submitter.drop_dead(self.follower.follow, self._wall_clock())
        if not self._see_mined():
            raise Unavailable("The node does not seal the transactions sent to it")
        check_code(database, self._chain)
        self._leased, self._state = database, "idle"

    def turn(self) -> bool:
        """One round: sees mined what is stored, then packs what is accepted, has it signed and sends it. True if it did anything."""
        worked = self.follower.follow()
        self._accept_standing()
        if not self.sequencer.has_work():
            return worked
        if not self._see_mined():
            return False
        worked = self.sign_and_store() > 0 or worked
        return self._see_mined(self._begin_next) and worked

    def _begin_next(self) -> None:
        """Packs what the next round issues, and asks for signatures. Issues depend on nothing in the round that is being mined."""
        assert self._desk is not None, "open() comes first"
        packed = self.sequencer.pack(self._desk.paused_brands(), issues_alone=True)
        self.signing.note_packed(packed.batches)
        if packed.batches:
            self._desk.ask(self.signing.unsigned())

    def _accept_standing(self) -> None:
        """What features do by themselves, whenever the ledger has gone on, or a minute has passed: days begin without a block."""
        with reading(self._leased, business_clock(self._wall_clock)) as work:
            head = work.session.scalar(select(func.max(LedgerBlockRow.number))) or 0
            stands_at = head, self._wall_clock() // _STAND_SECONDS
            if stands_at == self._stood_at:
                return
            is_due = any(work.of(act).is_due() for act in self._standing)
        if is_due:
            with writing(self._leased, business_clock(self._wall_clock)) as work:
                for act in self._standing:
                    work.of(act).accept()
        self._stood_at = stands_at

    def sign_and_store(self) -> int:
        """Packs what is accepted and stores what signers answer; how many steps that were. Nothing is sent yet."""
        desk = self._desk
        assert desk is not None, "open() comes first"
        base_fee, paused = self.follower.base_fee, desk.paused_brands()
        self._database.await_quiet(GATHER_SECONDS)  # what is accepted at the same time shares a round
        done = self.sequencer.store_admin_transactions(base_fee, paused) + self.signing.give_up_expired()
        packed = self.sequencer.pack(paused)
        self.signing.note_packed(packed.batches)
        done += len(packed.batches) + len(packed.refused) + packed.found
        done += desk.work(self.signing.unsigned(), base_fee)
        if done:
            self._completions.notify()
        return done

    def close(self) -> None:
        """Lets go of what `open()` took."""
        if self._desk is not None:
            self._desk.close()
            self._desk = None
        if self._lease is not None:
            self._lease.close()
            self._lease = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self._state = "stopped"

    def _see_mined(self, meanwhile: Callable[[], None] | None = None) -> bool:
        """Sends what is stored and follows until it is mined. False while the chain does not move: then stuck ones are replaced."""
        if self.submitter.await_mined(self.follower.follow, self._settings.stuck_after_seconds / 3, meanwhile):
            return True
        now = self._wall_clock()
        self.submitter.drop_dead(self.follower.follow, now)
        self.submitter.replace_stuck(self.follower.base_fee, now)
        return False

    def _run(self) -> None:
        delay = 0.1
        is_open = False
        while not self._stopping.is_set():
            try:
                if not is_open:
                    self._state = self._state if self._state == STANDING_BY else "opening"
                    self.open()
                    is_open = True
                self._wake.clear()
                self._state = "working"
                worked = self.turn()
                self._state, self._last_error, delay = "idle", None, 0.1
                if not worked:
                    self._wake.wait(self._settings.poll_seconds)
            except (Unavailable, NodeRefused) as error:
                self._fail(str(error))
                if is_open:
                    self.submitter.node_was_lost()
                    self.follower.node_was_lost()
                self._stopping.wait(delay)
                delay = min(2 * delay, _LONGEST_RETRY_SECONDS)
            except StandsBy:
                self._state, self._last_error = STANDING_BY, None
                self._stopping.wait(_STANDING_BY_SECONDS)
            except (WrongChain, WrongCode, AccountInUse, LedgerUnreadable, UnsafeFile, AnotherWorker) as error:
                log.exception("the ledger worker stops: going on could do harm")
                self._last_error, self._state = f"{type(error).__name__}: {error}", "failed"
                return
            except Exception as error:
                if not isinstance(error, LeaseLost):
                    log.exception("the ledger worker begins afresh")
                self._fail(f"{type(error).__name__}: {error}")
                self.close()
                is_open = False
                self._stopping.wait(delay)
                delay = min(2 * delay, _LONGEST_RETRY_SECONDS)

    def _fail(self, error: str) -> None:
        if error != self._last_error:
            log.warning("%s", error)
        self._state, self._last_error = "waiting", error
