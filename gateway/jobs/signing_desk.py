"""Asks brands' signers side by side: a slow or silent one holds up nobody but its own brand, and is asked again later."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from time import monotonic

from gateway.domain.errors import Unavailable
from gateway.jobs.sequencer import Sequencer, UnsignedBatch, WrongSignature
from gateway.operations.signer_port import BatchSigner, NumberTaken, Signed, SignerRefusal

ANSWERS_AWAITED_SECONDS = 0.5
_FIRST_DELAY_SECONDS = 0.25
_LONGEST_DELAY_SECONDS = 30.0

log = logging.getLogger(__name__)


class SigningDesk:
    """One question per batch at a time. `errors` says, by brand, why its signer did not answer last.

    `on_answer` is called, from another thread, when an answer comes in.
    """

    def __init__(self, sequencer: Sequencer, signer: BatchSigner, on_answer: Callable[[], None], threads: int = 16) -> None:
        self.errors: dict[int, str] = {}
        self._sequencer = sequencer
        self._signer = signer
        self._on_answer = on_answer
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="signer")
        self._asked: dict[int, tuple[UnsignedBatch, Future[Signed | SignerRefusal]]] = {}
        self._delays: dict[int, tuple[float, float]] = {}

    def work(self, unsigned: Iterable[UnsignedBatch], base_fee: int) -> int:
        """Asks about batches whose turn has come, waits a moment for them, and stores what was answered; how many were settled."""
        asked_now = [self._ask(batch) for batch in unsigned if self._is_due(batch)]
        wait(asked_now, timeout=ANSWERS_AWAITED_SECONDS)
        answered = sorted(batch_id for batch_id, (_, future) in self._asked.items() if future.done())
        return sum(self._settle(*self._asked.pop(batch_id), base_fee) for batch_id in answered)

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

    def _settle(self, batch: UnsignedBatch, future: Future[Signed | SignerRefusal], base_fee: int) -> int:
        brand_id = batch.request.brand_id
        try:
            answer = future.result()
            if isinstance(answer, Signed):
                self._sequencer.store_signed(batch.batch_id, answer.signature, base_fee)
            else:
                self._sequencer.refuse_entries(batch.batch_id, answer.reasons)
        except NumberTaken:
            self._sequencer.renumber(batch.batch_id)
        except (Unavailable, WrongSignature) as error:
            _, delay = self._delays.get(batch.batch_id, (0.0, _FIRST_DELAY_SECONDS))
            self._delays[batch.batch_id] = monotonic() + delay, min(2 * delay, _LONGEST_DELAY_SECONDS)
            self.errors[brand_id] = str(error)
            log.warning("brand %s: batch %s waits: %s", brand_id, batch.request.number, error)
            return 0
        self._delays.pop(batch.batch_id, None)
        self.errors.pop(brand_id, None)
        return 1
