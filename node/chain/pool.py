"""Transactions waiting for a block. In memory: what was not sealed is lost with the process, and re-sent by its sender."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from eth_typing import Address

from node.chain.bell import Bell
from node.chain.errors import (
    AlreadyKnown,
    InsufficientFunds,
    InvalidSender,
    NonceTooHigh,
    NonceTooLow,
    PoolFull,
    ReplacementUnderpriced,
)
from node.chain.transactions import Transaction

TRANSACTIONS_MAX = 10_000
BYTES_MAX = 64 * 1024 * 1024
NONCE_GAP_MAX = 4_096
PRICE_BUMP_PERCENT = 10
ARRIVALS_KEPT = 20_000


@dataclass(frozen=True)
class SenderState:
    """What the head's state says of a sender."""

    nonce: int
    balance: int
    has_code: bool = False


class Pool:
    """Ordered by arrival across senders and by nonce within one. Safe to use from several threads.

    A full pool refuses what comes; but what a block could take in now drives out what still waits for an earlier nonce.
    """

    def __init__(self, transactions_max: int = TRANSACTIONS_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._transactions_max, self._bytes_max = transactions_max, bytes_max
        self._lock = threading.Lock()
        self._by_sender: dict[Address, dict[int, tuple[int, Transaction]]] = {}
        self._by_hash: dict[bytes, Transaction] = {}
        self._nonce_of: dict[Address, int] = {}  # the first unused one, as last heard, of each sender that has something waiting
        self._wei_of: dict[Address, int] = {}  # the most all of a sender's waiting transactions can cost
        self._bytes = 0
        self._arrivals = 0
        self._arrived: deque[bytes] = deque(maxlen=ARRIVALS_KEPT)  # hashes, the latest last
        self.arrival = Bell()

    def __len__(self) -> int:
        return len(self._by_hash)

    def add(self, transaction: Transaction, sender: SenderState) -> None:
        """The transaction has passed `transactions.check`. Raises a TransactionRefused."""
        with self._lock:
            if transaction.hash in self._by_hash:
                raise AlreadyKnown("already known")
            waiting = self._by_sender.get(transaction.sender, {})
            replaced = waiting.get(transaction.nonce)
            others_cost = self._wei_of.get(transaction.sender, 0) - (replaced[1].cost_max if replaced else 0)
            _check_sender(transaction, sender, others_cost)
            if replaced is not None:
                _check_bump(transaction, replaced[1])
            nonce = max(sender.nonce, self._nonce_of.get(transaction.sender, 0))
            if waiting:
                self._nonce_of[transaction.sender] = nonce
            self._make_room(transaction, _end_of_run(waiting, nonce), None if replaced is None else replaced[1])
            if replaced is not None:
                self._remove(replaced[1])
            self._arrivals += 1
            arrival = self._arrivals if replaced is None else replaced[0]
            self._by_sender.setdefault(transaction.sender, {})[transaction.nonce] = (arrival, transaction)
            self._by_hash[transaction.hash] = transaction
            self._wei_of[transaction.sender] = self._wei_of.get(transaction.sender, 0) + transaction.cost_max
            self._nonce_of[transaction.sender] = nonce
            self._bytes += len(transaction.raw)
            self._arrived.append(transaction.hash)
        self.arrival.ring()

    @property
    def arrivals(self) -> int:
        """How many transactions ever came in."""
        return self._arrivals

    def arrived_since(self, arrivals: int) -> tuple[list[bytes], int]:
        """Hashes of what came in after the count was `arrivals`, and the count now. Who asks late misses the oldest."""
        with self._lock:
            missed = min(self._arrivals - arrivals, len(self._arrived))
            return list(self._arrived)[len(self._arrived) - missed :], self._arrivals

    def get(self, transaction_hash: bytes) -> Transaction | None:
        return self._by_hash.get(transaction_hash)

    def all(self) -> list[Transaction]:
        with self._lock:
            return list(self._by_hash.values())

    def next_nonce(self, sender: Address, state_nonce: int) -> int:
        """The first nonce after the sender's unbroken run of waiting transactions."""
        with self._lock:
            waiting = self._by_sender.get(sender, {})
            return _end_of_run(waiting, state_nonce)

    def candidates(self, nonce_of: Callable[[Address], int]) -> list[Transaction]:
        """What can go into the next block; drops what can go into none any more."""
        with self._lock:
            for sender, waiting in list(self._by_sender.items()):
                nonce = self._nonce_of[sender] = nonce_of(sender)
                for used in [earlier for earlier in waiting if earlier < nonce]:
                    self._remove(waiting[used][1])  # sent again while its block was being sealed
        return self.ready(nonce_of)

    def ready(self, nonce_of: Callable[[Address], int]) -> list[Transaction]:
        """What no earlier nonce keeps waiting: each sender's run in nonce order, placed by arrival."""
        with self._lock:
            placed: list[tuple[int, int, Transaction]] = []
            for sender, waiting in self._by_sender.items():
                nonce, latest = nonce_of(sender), 0
                while nonce in waiting:
                    arrival, transaction = waiting[nonce]
                    latest = max(latest, arrival)  # a nonce never overtakes the one before it
                    placed.append((latest, nonce, transaction))
                    nonce += 1
        placed.sort(key=lambda item: item[:2])
        return [transaction for _, _, transaction in placed]

    def remove(self, transactions: Iterable[Transaction]) -> None:
        """They are in a block: drops them and whatever else their senders had waiting at the same nonces."""
        with self._lock:
            for transaction in transactions:
                if transaction.sender in self._nonce_of:
                    self._nonce_of[transaction.sender] = max(transaction.nonce + 1, self._nonce_of[transaction.sender])
                found = self._by_sender.get(transaction.sender, {}).get(transaction.nonce)
                if found is not None:
                    self._remove(found[1])

    def discard(self, transaction: Transaction) -> None:
        """Drops exactly this one, if it is still there."""
        with self._lock:
            if transaction.hash in self._by_hash:
                self._remove(transaction)

    def _make_room(self, transaction: Transaction, ready: int, replaced: Transaction | None) -> None:
        """Only for what comes no later than `ready`, its sender's first gap: what waits behind gaps is dropped, the latest first.

        Raises PoolFull, and drops nothing, where that is not enough.
        """
        count = len(self._by_hash) + (replaced is None) - self._transactions_max
        size = self._bytes + len(transaction.raw) - (0 if replaced is None else len(replaced.raw)) - self._bytes_max
        if count <= 0 and size <= 0:
            return
        driven_out = []
        if transaction.nonce <= ready:
            for _, waiting in sorted(self._behind_gaps(), key=lambda item: item[0], reverse=True):
                driven_out.append(waiting)
                count, size = count - 1, size - len(waiting.raw)
                if count <= 0 and size <= 0:
                    break
        if count > 0 or size > 0:
            raise PoolFull("txpool is full")
        for waiting in driven_out:
            self._remove(waiting)

    def _behind_gaps(self) -> Iterator[tuple[int, Transaction]]:
        """Arrival, and what no block could take in now."""
        for sender, waiting in self._by_sender.items():
            ready = _end_of_run(waiting, self._nonce_of[sender])
            yield from (item for nonce, item in waiting.items() if nonce > ready)

    def _remove(self, transaction: Transaction) -> None:
        waiting = self._by_sender[transaction.sender]
        del waiting[transaction.nonce]
        self._wei_of[transaction.sender] -= transaction.cost_max
        if not waiting:
            del self._by_sender[transaction.sender], self._wei_of[transaction.sender], self._nonce_of[transaction.sender]
        del self._by_hash[transaction.hash]
        self._bytes -= len(transaction.raw)


def _end_of_run(waiting: Mapping[int, object], nonce: int) -> int:
    """The first nonce from this one on that nothing waits with."""
    while nonce in waiting:
        nonce += 1
    return nonce


def _check_sender(transaction: Transaction, sender: SenderState, others_cost: int) -> None:
    if sender.has_code:
        raise InvalidSender("sender not an eoa")  # EIP-3607
    if transaction.nonce < sender.nonce:
        raise NonceTooLow(f"nonce too low: next nonce {sender.nonce}, tx nonce {transaction.nonce}")
    if transaction.nonce > sender.nonce + NONCE_GAP_MAX:
        raise NonceTooHigh(f"nonce too high: next nonce {sender.nonce}, tx nonce {transaction.nonce}")
    if transaction.cost_max + others_cost > sender.balance:
        raise InsufficientFunds(
            f"insufficient funds for gas * price + value: balance {sender.balance}, "
            f"queued cost {others_cost}, tx cost {transaction.cost_max}"
        )


def _check_bump(new: Transaction, old: Transaction) -> None:
    for field in ("max_fee_per_gas", "max_priority_fee_per_gas"):
        if getattr(new.signed, field) * 100 < getattr(old.signed, field) * (100 + PRICE_BUMP_PERCENT):
            raise ReplacementUnderpriced("replacement transaction underpriced")
