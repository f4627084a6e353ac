"""Asks brands' signers side by side: a slow or silent one holds up nobody but its own brand, and is asked again later."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from time import monotonic

from gateway.rounds.batch_signing import BatchSigning, UnsignedBatch, WrongSignature
from gateway.rounds.signer_port import NotReached, NumberTaken, Signed, SignerClient, SignerRefusal
from gateway.values.errors import Unavailable

ANSWERS_AWAITED_SECONDS = 0.5
_FIRST_DELAY_SECONDS = 0.25
_LONGEST_DELAY_SECONDS = 30.0
_FIRST_MISS_SECONDS, _LONGEST_MISS_SECONDS = 60.0, 3_600.0

log = logging.getLogger(__name__)


class TooLate(Exception):
    """A signer answered when the batch's deadline was over."""


class SigningDesk:
    """One question per batch at a time. `errors` says, by brand, why its signer did not answer last.

    `on_answer` is called, from another thread, when an answer comes in.
    """

    def __init__(self, signing: BatchSigning, signer: SignerClient, on_answer: Callable[[], None], threads: int = 16) -> None:
        self.errors: dict[int, str] = {}
        self._signing = signing
        self._signer = signer
        self._on_answer = on_answer
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="signer")
        self._asked: dict[int, tuple[UnsignedBatch, Future[Signed | SignerRefusal]]] = {}
        self._delays: dict[int, tuple[float, float]] = {}
        self._pauses: dict[int, tuple[float, float]] = {}
        self._misses: dict[int, tuple[float, float]] = {}
        self._maybe_signed = {batch.batch_id for batch in signing.unsigned()}  # an earlier process may have asked

    def work(self, unsigned: Iterable[UnsignedBatch], base_fee: int) -> int:
        """Asks about batches whose turn has come, waits a moment for them, and stores what was answered; how many are done with."""
        asked_now = [self._ask(batch) for batch in unsigned if self._is_due(batch)]
        wait(asked_now, timeout=ANSWERS_AWAITED_SECONDS)
        answered = sorted(batch_id for batch_id, (_, future) in self._asked.items() if future.done())
        signed: dict[int, tuple[UnsignedBatch, Signed]] = {}
        done = 0
        for batch_id in answered:
            batch, future = self._asked.pop(batch_id)
            try:
                answer = future.result()
            except NotReached as error:
                self._not_reached(batch, error)
                continue
            except Unavailable as error:
                self._ask_later(batch, error)
                continue
            except NumberTaken:
                self._signing.pack_again(batch_id)
            else:
                if isinstance(answer, Signed):
                    if self._signing.was_late(batch):
                        self._ask_anew(batch)
                        continue
                    signed[batch_id] = batch, answer
                    continue
                self._signing.refuse_entries(batch_id, answer.reasons)
            done += self._answered(batch)
        return done + self._store(signed, base_fee)

    def paused_brands(self) -> frozenset[int]:
        """Brands whose signers are not there: until they are tried again nothing of theirs is packed that would hold members."""
        return frozenset(brand_id for brand_id, (not_before, _) in self._pauses.items() if monotonic() < not_before)

    def _is_due(self, batch: UnsignedBatch) -> bool:
        not_before, _ = self._delays.get(batch.batch_id, (0.0, 0.0))
        return batch.batch_id not in self._asked and monotonic() >= not_before

    def _ask(self, batch: UnsignedBatch) -> Future[Signed | SignerRefusal]:
        future = self._threads.submit(self._signer.sign, batch.signer, batch.request)
        future.add_done_callback(lambda _: self._on_answer())
        self._asked[batch.batch_id] = batch, future
        return future

    def close(self) -> None:
        """Waits for the questions under way; their answers are asked for again at the next start."""
        self._threads.shutdown(cancel_futures=True)
        self._signer.close()

    def _store(self, signed: Mapping[int, tuple[UnsignedBatch, Signed]], base_fee: int) -> int:
        if not signed:
            return 0
        wrong = self._signing.store_signed({batch_id: answer.signature for batch_id, (_, answer) in signed.items()}, base_fee)
        for batch_id, error in wrong.items():
            self._ask_later(signed[batch_id][0], error)
        return sum(self._answered(batch) for batch_id, (batch, _) in signed.items() if batch_id not in wrong)

    def _not_reached(self, batch: UnsignedBatch, error: NotReached) -> None:
        """Lets go of members in a batch that cannot have been signed; what may have been keeps its number and entries."""
        if not batch.blocks_members or batch.batch_id in self._maybe_signed:
            self._put_off(batch, error, self._delays, batch.batch_id)
            return
        self._signing.pack_again(batch.batch_id)
        self._put_off(batch, error, self._pauses, batch.request.brand_id)

    def _ask_anew(self, batch: UnsignedBatch) -> None:
        """Its signer is there, too late: members wait for its answer once more, the next time after twice as long."""
        self._maybe_signed.add(batch.batch_id)
        not_before, delay = self._misses.get(batch.request.brand_id, (0.0, _FIRST_MISS_SECONDS))
        if monotonic() < not_before:
            self._put_off(batch, TooLate("signed after the deadline"), self._delays, batch.batch_id)
            return
        self._misses[batch.request.brand_id] = monotonic() + delay, min(2 * delay, _LONGEST_MISS_SECONDS)
        self._delays.pop(batch.batch_id, None)
        self._signing.ask_again(batch.batch_id)

    def _ask_later(self, batch: UnsignedBatch, error: Unavailable | WrongSignature) -> None:
        self._maybe_signed.add(batch.batch_id)
        self._put_off(batch, error, self._delays, batch.batch_id)

    def _put_off(self, batch: UnsignedBatch, error: Exception, until: dict[int, tuple[float, float]], what: int) -> None:
        """Twice as long as the last time."""
        _, delay = until.get(what, (0.0, _FIRST_DELAY_SECONDS))
        until[what] = monotonic() + delay, min(2 * delay, _LONGEST_DELAY_SECONDS)
        self.errors[batch.request.brand_id] = str(error)
        log.warning("brand %s: batch %s waits: %s", batch.request.brand_id, batch.request.number, error)

    def _answered(self, batch: UnsignedBatch) -> int:
        self._delays.pop(batch.batch_id, None)
        self._maybe_signed.discard(batch.batch_id)
        self._pauses.pop(batch.request.brand_id, None)
        self._misses.pop(batch.request.brand_id, None)
        self.errors.pop(batch.request.brand_id, None)
        return 1
