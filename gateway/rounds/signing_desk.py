"""Asks brands' signers side by side: a slow or silent one holds up nobody but its own brand, and is asked again later."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from time import monotonic

from sqlalchemy.exc import InterfaceError, OperationalError

from gateway.rounds.batch_signing import BatchSigning, UnsignedBatch
from gateway.rounds.signed_earlier import SignedEarlier
from gateway.rounds.signer_port import NotReached, NumberTaken, Signed, SignerClient, SignerRefusal
from gateway.values.errors import Unavailable
from gateway.values.printing import printable

ANSWERS_AWAITED_SECONDS = 0.5
THREADS = 256  # a thread waits for each question: enough for 128 brands that all hang at once
_QUESTIONS_OF_A_BRAND = 2  # a round's two batches
_QUICK_SECONDS = 0.1
_QUICK_ANSWERS_OWED = 10  # by a brand that a round has waited for in vain
_CLOSING_SECONDS = 2.0
_BATCHES_LOOKED_UP = 2  # after one answer; each question takes its time, and what is left is named again
_FIRST_DELAY_SECONDS = 0.25
_LONGEST_DELAY_SECONDS = 30.0
_FIRST_MISS_SECONDS, _LONGEST_MISS_SECONDS = 60.0, 3_600.0
_OF_NO_BRAND = (OperationalError, InterfaceError, Unavailable)  # database or node: the worker's own loop deals with it

log = logging.getLogger(__name__)


class TooLate(Exception):
    """A signer answered when the batch's deadline was over."""


_Answer = tuple[Signed | SignerRefusal, Sequence[SignedEarlier]]


@dataclass(slots=True)
class _Question:
    batch: UnsignedBatch
    future: Future[_Answer]
    asked_at: float
    answered_at: float = 0.0


class SigningDesk:
    """One question per batch at a time, two per brand. `errors` says, by brand, why its signer did not answer last.

    `on_answer` is called, from another thread, when an answer comes in.
    """

    def __init__(self, signing: BatchSigning, signer: SignerClient, on_answer: Callable[[], None], threads: int = THREADS) -> None:
        self.errors: dict[int, str] = {}
        self._signing = signing
        self._signer = signer
        self._on_answer = on_answer
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="signer")
        self._asked: dict[int, _Question] = {}
        self._delays: dict[int, tuple[float, float]] = {}
        self._pauses: dict[int, tuple[float, float]] = {}
        self._misses: dict[int, tuple[float, float]] = {}
        self._refused_last: set[int] = set()
        self._quick_answers_owed: dict[int, int] = {}
        self._maybe_signed = {batch.batch_id for batch in signing.unsigned()}  # an earlier process may have asked

    def work(self, unsigned: Iterable[UnsignedBatch], base_fee: int) -> int:
        """Asks about batches whose turn has come, waits a moment for them, and stores what was answered; how many are done with."""
        self._await(self.ask(unsigned))
        answered = sorted(batch_id for batch_id, question in self._asked.items() if question.future.done())
        signed: dict[int, tuple[UnsignedBatch, Signed]] = {}
        done = 0
        for batch_id in answered:
            question = self._asked.pop(batch_id)
            self._note_speed(question)
            try:
                done += self._take(question, signed)
            except _OF_NO_BRAND:
                raise
            except Exception as error:
                self._contain(question.batch, error)
        return done + self._store(signed, base_fee)

    def ask(self, unsigned: Iterable[UnsignedBatch]) -> list[_Question]:
        """Asks about batches whose turn has come, and waits for nobody."""
        return [self._ask(batch) for batch in unsigned if self._is_due(batch)]

    def paused_brands(self) -> frozenset[int]:
        """Brands whose signers are not there, or refuse again and again: until they are tried again nothing of theirs is packed."""
        return frozenset(brand_id for brand_id, (not_before, _) in self._pauses.items() if monotonic() < not_before)

    def close(self) -> None:
        """Breaks off the questions under way; their answers are asked for again at the next start."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._signer.close()
        wait([question.future for question in self._asked.values()], timeout=_CLOSING_SECONDS)

    # Questions

    def _is_due(self, batch: UnsignedBatch) -> bool:
        not_before, _ = self._delays.get(batch.batch_id, (0.0, 0.0))
        if batch.batch_id in self._asked or monotonic() < not_before:
            return False
        under_way = Counter(question.batch.request.brand_id for question in self._asked.values())
        return under_way[batch.request.brand_id] < _QUESTIONS_OF_A_BRAND

    def _ask(self, batch: UnsignedBatch) -> _Question:
        question = _Question(batch, self._threads.submit(_asked, self._signer, batch), monotonic())
        self._asked[batch.batch_id] = question

        def answered(_: object) -> None:
            question.answered_at = monotonic()
            self._on_answer()

        question.future.add_done_callback(answered)
        return question

    def _await(self, asked: Iterable[_Question]) -> None:
        """For brands that answer quickly: no round waits a second time for one that does not."""
        quick = [each.future for each in asked if each.batch.request.brand_id not in self._quick_answers_owed]
        wait(quick, timeout=ANSWERS_AWAITED_SECONDS)
        for each in asked:
            if not each.future.done():
                self._quick_answers_owed[each.batch.request.brand_id] = _QUICK_ANSWERS_OWED

    def _note_speed(self, question: _Question) -> None:
        brand_id = question.batch.request.brand_id
        owed = self._quick_answers_owed.pop(brand_id, 0)
        if question.answered_at - question.asked_at > _QUICK_SECONDS:
            owed = _QUICK_ANSWERS_OWED
        else:
            owed -= 1
        if owed > 0:
            self._quick_answers_owed[brand_id] = owed

    # Answers

    def _take(self, question: _Question, signed: dict[int, tuple[UnsignedBatch, Signed]]) -> int:
        """Notes a signature in `signed`, deals with every other answer; 1 where the batch is done with."""
        batch = question.batch
        try:
            answer, earlier = question.future.result()
        except NotReached as error:
            self._not_reached(batch, error)
            return 0
        except Unavailable as error:
            self._ask_later(batch, error)
            return 0
        except NumberTaken:
            self._signing.pack_again(batch.batch_id)
            return self._refused(batch)
        if isinstance(answer, SignerRefusal):
            for_good = self._signing.refuse_entries(batch.batch_id, answer, earlier)
            return self._refused(batch) if for_good else self._answered(batch)  # what waits for its line has a pause of its own
        if self._signing.was_late(batch):
            self._ask_anew(batch)
        else:
            signed[batch.batch_id] = batch, answer
        return 0

    def _store(self, signed: Mapping[int, tuple[UnsignedBatch, Signed]], base_fee: int) -> int:
        if not signed:
            return 0
        try:
            wrong = self._signing.store_signed({batch_id: answer.signature for batch_id, (_, answer) in signed.items()}, base_fee)
        except _OF_NO_BRAND:
            raise
        except Exception as error:
            if len(signed) > 1:
                return sum(self._store({batch_id: found}, base_fee) for batch_id, found in signed.items())
            for batch, _ in signed.values():
                self._contain(batch, error)
            return 0
        for batch_id, wrong_signature in wrong.items():
            self._ask_later(signed[batch_id][0], wrong_signature)
        stored = [batch for batch_id, (batch, _) in signed.items() if batch_id not in wrong]
        for batch in stored:
            self._refused_last.discard(batch.request.brand_id)
            self._pauses.pop(batch.request.brand_id, None)
            self._answered(batch)
        return len(stored)

    def _contain(self, batch: UnsignedBatch, error: Exception) -> None:
        """Whatever else an answer led to is a fault of ours; it stays with the batch, and other brands' answers are dealt with."""
        log.error("brand %s: the answer for batch %s could not be dealt with", batch.request.brand_id, batch.request.number, exc_info=error)
        self._ask_later(batch, error)

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

    def _ask_later(self, batch: UnsignedBatch, error: Exception) -> None:
        self._maybe_signed.add(batch.batch_id)
        self._put_off(batch, error, self._delays, batch.batch_id)

    def _put_off(self, batch: UnsignedBatch, error: Exception, until: dict[int, tuple[float, float]], what: int) -> None:
        self.errors[batch.request.brand_id] = printable(str(error))
        log.warning("brand %s: batch %s waits: %s", batch.request.brand_id, batch.request.number, printable(str(error)))
        _double(until, what)

    def _refused(self, batch: UnsignedBatch) -> int:
        """Refused once, the rest is packed again at once; twice without a signature between, the brand waits."""
        brand_id = batch.request.brand_id
        if brand_id in self._refused_last:
            _double(self._pauses, brand_id)
        else:
            self._pauses.pop(brand_id, None)
        self._refused_last.add(brand_id)
        return self._answered(batch)

    def _answered(self, batch: UnsignedBatch) -> int:
        self._delays.pop(batch.batch_id, None)
        self._maybe_signed.discard(batch.batch_id)
        self._misses.pop(batch.request.brand_id, None)
        self.errors.pop(batch.request.brand_id, None)
        return 1


def _asked(signer: SignerClient, batch: UnsignedBatch) -> _Answer:
    """The answer, and what was signed before in some of the batches that it names."""
    answer = signer.sign(batch.signer, batch.request)
    if isinstance(answer, Signed):
        return answer, ()
    numbers = sorted(set(answer.signed_under.values()))[:_BATCHES_LOOKED_UP]
    return answer, [SignedEarlier(number, signer.signed(batch.signer, number)) for number in numbers]


def _double(until: dict[int, tuple[float, float]], what: int) -> None:
    """Twice as long as the last time."""
    _, delay = until.get(what, (0.0, _FIRST_DELAY_SECONDS))
    until[what] = monotonic() + delay, min(2 * delay, _LONGEST_DELAY_SECONDS)
