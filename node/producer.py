"""The one thread that writes: it takes what waits in the pool, builds a block, commits it, and only then shows it.

While a block is built, what arrives gathers for the next one: many transactions a block under load, one at rest.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from eth_keys.datatypes import PrivateKey
from eth_typing import Address

from node.chain.blocks import Environment, Execution, execute_block
from node.chain.clock import ChainClock
from node.chain.errors import ChainError, ClockBehind, ExecutionCrashed, StoreFailed
from node.chain.execution import state_of
from node.chain.history import History, block_writes
from node.chain.pool import Pool, SenderState
from node.chain.ports import Table
from node.chain.rules import sealed_gas_max
from node.chain.sealing import encode_handovers, seal, sealed_by_the_next
from node.chain.transactions import check, decode
from node.store.recovery import clock_writes, load_clock

log = logging.getLogger(__name__)
EMPTY_BLOCKS_MAX = 1_000  # per evm_mine
REST_SECONDS_MAX = 3_600.0  # a thread cannot wait for centuries


class ProducerFailed(ChainError):
    """A defect of the producer's own: it seals no more until the node is restarted."""


class BlockProducer:
    """`submit` and the clock methods may be called from any thread; blocks are built on the producer's own."""

    def __init__(self, history: History, pool: Pool, sealer_key: PrivateKey, wall_clock: Callable[[], float]) -> None:
        self._history = history
        self._pool = pool
        self._key = sealer_key
        self._next_key: PrivateKey | None = None
        self._wall_clock = wall_clock
        self._clock = load_clock(history.store, history.config)
        self._wake = threading.Condition()
        self._work = False
        self._pace: float | None = None
        self._last_beat = 0.0
        self._stopping = False
        self._commands: deque[tuple[Callable[[], object], Future[object]]] = deque()
        self._fault: ChainError | None = None
        self._thread = threading.Thread(target=self._run, name="block producer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finishes the block in the making, then returns."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def hand_over(self, to: PrivateKey) -> None:
        """Seals an empty block by `to`'s key, with this sealer's signature over it. Instead of `start`, on the caller's thread."""
        self._next_key = to
        self._seal_block(allow_empty=True)
        self._key, self._next_key = to, None

    def submit(self, raw: bytes) -> bytes:
        """Validates a raw transaction, puts it into the pool and returns its hash. Raises a TransactionRefused."""
        self._refuse_after_fault()
        transaction = decode(raw)
        head = self._history.head
        check(transaction, self._history.config.chain_id, head.base_fee_per_gas)
        self._pool.add(transaction, self._sender_state(transaction.sender))
        with self._wake:
            self._work = True
            self._wake.notify()
        return transaction.hash

    def set_next_timestamp(self, timestamp: int) -> None:
        self._command(lambda: self._keep(self._clock.set_next(timestamp, self._history.head.timestamp)))

    def increase_time(self, seconds: int) -> int:
        """Returns by how many seconds chain time now differs from the wall clock."""
        self._command(lambda: self._keep(self._clock.increase(seconds)))
        return self._clock.offset_seconds

    def set_pace(self, seconds: float | None) -> None:
        """Seal at once (None, the only way off the sandbox), only when `mine` says so (0), or every so often, even an empty block."""

        def take_up() -> None:
            self._pace, self._last_beat = seconds, time.monotonic()

        self._command(take_up)

    @property
    def seals_at_once(self) -> bool:
        """Whether what waits is about to be in a block."""
        return self._pace is None and self._fault is None

    def mine(self, blocks: int, timestamp: int | None) -> None:
        def seal_blocks() -> None:
            if timestamp is not None:
                self._keep(self._clock.set_next(timestamp, self._history.head.timestamp))
            for _ in range(min(blocks, EMPTY_BLOCKS_MAX)):
                self._seal_block(allow_empty=True)

        self._command(seal_blocks)

    def _command(self, action: Callable[[], object]) -> None:
        self._refuse_after_fault()
        done: Future[object] = Future()
        with self._wake:
            if self._stopping:
                raise StoreFailed("the node is shutting down")
            self._commands.append((action, done))
            self._wake.notify()
        done.result()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(self._has_work, self._until_beat())
                if self._stopping:
                    for _, done in self._commands:
                        done.set_exception(StoreFailed("the node is shutting down"))
                    return
                self._work = False
                commands = list(self._commands)
                self._commands.clear()
            for action, done in commands:
                self._perform(action, done)
            try:
                self._seal_what_is_due()
            except ClockBehind as behind:
                log.warning("%s", behind)
                with self._wake:
                    self._wake.wait(timeout=min(behind.seconds, 1))
                    self._work = True
            except StoreFailed as error:
                self._fail(error)
            except Exception as error:  # or what is sent would be taken and never sealed
                log.critical("the block producer failed", exc_info=True)
                self._fail(ProducerFailed(f"the block producer failed: {error!r}"))

    def _has_work(self) -> bool:
        return bool((self._work and self._pace is None) or self._commands or self._stopping)

    def _until_beat(self) -> float | None:
        """Seconds until an empty block would be due; None if none ever is."""
        if not self._pace or self._fault is not None:
            return None
        return min(REST_SECONDS_MAX, max(0.0, self._last_beat + self._pace - time.monotonic()))

    def _seal_what_is_due(self) -> None:
        if self._pace is None:
            while self._fault is None and not self._stopping and self._seal_block(allow_empty=False):
                pass
        elif self._fault is None and self._until_beat() == 0.0:
            self._last_beat = time.monotonic()
            self._seal_block(allow_empty=True)

    def _perform(self, action: Callable[[], object], done: Future[object]) -> None:
        try:
            done.set_result(action())
        except StoreFailed as error:
            self._fail(error)
            done.set_exception(error)
        except Exception as error:  # handed to the caller, who waits for it
            done.set_exception(error)

    def _seal_block(self, *, allow_empty: bool) -> bool:
        """Seals one block of what waits; False if there was nothing to seal."""
        head = self._history.head
        candidates = self._pool.candidates(state_of(self._history, head).get_nonce)
        if not candidates and not allow_empty:
            return False
        timestamp, clock = self._clock.timestamp_after(head.timestamp, self._wall_clock())
        config = self._history.config
        environment = Environment(config.chain_id, head, self._history.read_node, self._history.previous_hashes, self._history.nodes)
        try:
            execution = execute_block(
                environment,
                candidates,
                timestamp=timestamp,
                coinbase=config.sealer,
                gas_max=sealed_gas_max(config.gas_limit),
            )
        except ExecutionCrashed as crash:
            log.critical("%s; it is dropped", crash, exc_info=True)
            self._pool.discard(next(item for item in candidates if item.hash == crash.transaction_hash))
            return True
        self._drop_refused(execution)
        if not execution.transactions and not allow_empty:
            return False
        self._commit(execution, clock)
        return True

    def _commit(self, execution: Execution, clock: ChainClock) -> None:
        genesis_hash, number, block_hash = self._history.genesis_hash, int(execution.header.block_number), execution.header.hash
        if self._next_key is None:
            writes = block_writes(execution, seal(self._key, genesis_hash, block_hash))
        else:
            signature = sealed_by_the_next(self._key, self._next_key, number, genesis_hash, block_hash)
            sealers = self._history.sealers.after(number, genesis_hash, block_hash, signature)
            writes = block_writes(execution, signature, encode_handovers(sealers.handovers))
        if clock != self._clock:
            writes[Table.META].update(clock_writes(clock)[Table.META])
        self._history.store.commit(writes)
        self._clock = clock
        self._history.advance(execution.header)
        self._pool.remove(execution.transactions)

    def _drop_refused(self, execution: Execution) -> None:
        for transaction, reason in execution.refused:
            log.warning("dropped from the pool: 0x%s: %s", transaction.hash.hex(), reason)
            self._pool.discard(transaction)

    def _keep(self, clock: ChainClock) -> None:
        self._history.store.commit(clock_writes(clock))
        self._clock = clock

    def _sender_state(self, sender: Address) -> SenderState:
        state = state_of(self._history, self._history.head)
        code = state.get_code(sender)
        has_code = bool(code) and not code.startswith(b"\xef\x01\x00")  # a delegated account may send (EIP-7702)
        return SenderState(state.get_nonce(sender), state.get_balance(sender), has_code)

    def _fail(self, error: ChainError) -> None:
        log.critical("%s; the node goes on answering reads and refuses writes until it is restarted", error)
        self._fault = error

    def _refuse_after_fault(self) -> None:
        if self._fault is not None:
            raise self._fault
