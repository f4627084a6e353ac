"""The operator's transactions: signed and stored in one unit of work with what they carry, and sent only after that.

Sending is safe to repeat: the nonce makes a stored transaction happen once, whoever is killed when.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from gateway.chain.connection import Chain, NodeRefused
from gateway.rounds.outcomes import ask_again
from gateway.rounds.tables import BatchRow, OperationRow, TransactionRow
from gateway.store.counters import next_number, note_given
from gateway.store.session import Database
from gateway.values.errors import Unavailable
from gateway.values.hex import hex_text
from gateway.values.ids import Address, Hash

PRIORITY_FEE_WEI = 10**9
BUMP_PERCENT = 25  # nodes ask for 10 % more to replace a transaction
FILLER = "filler"
NONCE_COUNTER = "nonce"  # nonces begin at 0, counters at 1
RESEND_SECONDS = 1.0
TRANSACTIONS_IN_ONE_REQUEST = 16  # each up to some 100 KB; nodes bound the size of a request
_PLAIN_TRANSFER_GAS = 21_000
_FIRST_PAUSE_SECONDS = 0.002
_STORED = (
    select(TransactionRow.transaction_id, TransactionRow.raw)
    .where(TransactionRow.status == "stored")
    .order_by(TransactionRow.nonce, TransactionRow.transaction_id)
)


class Submitter:
    """The only sender of the operator's account; one thread at a time."""

    def __init__(self, database: Database, chain: Chain, account: LocalAccount, chain_id: int, stuck_after_seconds: float = 30.0) -> None:
        self._database = database
        self._chain = chain
        self._account = account
        self._chain_id = chain_id
        self._stuck_after_seconds = stuck_after_seconds
        self._sent_at: dict[int, float] = {}
        self._first_sent_at: dict[int, float] = {}
        self._underpriced: set[int] = set()
        self._pause = threading.Event()

    @property
    def address(self) -> Address:
        return Address.parse(self._account.address)

    def store(self, session: Session, purpose: str, to: Address | None, data: bytes, gas: int, base_fee: int, at: int) -> TransactionRow:
        """The next transaction of the account, signed; it is sent once the unit of work is committed."""
        nonce = next_number(session, NONCE_COUNTER) - 1
        return self._sign(session, nonce, purpose, to, data, gas, 2 * base_fee + PRIORITY_FEE_WEI, PRIORITY_FEE_WEI, None, at)

    def send_open(self) -> int:
        """Sends what is stored and was not sent lately; how many transactions wait to be mined."""
        with self._database.read() as session:
            waiting = session.execute(_STORED).all()
        self._underpriced &= {each for each, _ in waiting}
        now = monotonic()
        unsent = [(each, raw) for each, raw in waiting if now - self._sent_at.get(each, -RESEND_SECONDS) >= RESEND_SECONDS]
        for start in range(0, len(unsent), TRANSACTIONS_IN_ONE_REQUEST):
            self._send(unsent[start : start + TRANSACTIONS_IN_ONE_REQUEST], now)
        return len(waiting)

    def _send(self, transactions: Sequence[tuple[int, bytes]], now: float) -> None:
        answers = self._chain.call_all([("eth_sendRawTransaction", (hex_text(raw),)) for _, raw in transactions])
        for (transaction_id, _), answer in zip(transactions, answers, strict=True):
            if isinstance(answer, NodeRefused) and _is_fee_too_low(answer):
                self._underpriced.add(transaction_id)
            elif isinstance(answer, NodeRefused) and not _is_there_already(answer):
                raise Unavailable(f"The node does not take transaction {transaction_id}: {answer}")
            self._sent_at[transaction_id] = now
            self._first_sent_at.setdefault(transaction_id, now)

    def await_mined(self, follow: Callable[[], bool], timeout_seconds: float = 10.0, meanwhile: Callable[[], object] | None = None) -> bool:
        """Follows the chain until every stored transaction is mined, sending again what a node may have lost; False when time is over.

        `meanwhile` is done once what is stored has been sent, while the node works on it.
        """
        until = monotonic() + timeout_seconds
        while self.send_open():
            if meanwhile is not None:
                meanwhile()
                meanwhile = None
            if self._underpriced or not self._await_block(follow, until):
                return False
        return True

    def _await_block(self, follow: Callable[[], bool], until: float) -> bool:
        """Whether there is time left: returns at the next block, or when it is time to send again."""
        send_again = monotonic() + RESEND_SECONDS
        pause = _FIRST_PAUSE_SECONDS
        while not follow():
            now = monotonic()
            if now > until or self._pause.is_set():
                return False
            if now > send_again:
                break
            self._pause.wait(pause)
            pause = min(pause * 1.5, 0.1)
        return True

    def replace_stuck(self, base_fee: int, at: int) -> int:
        """Signs what waits too long again, at the same nonce with a higher fee, and stores it beside the first; how many."""
        before = monotonic() - self._stuck_after_seconds
        with self._database.write() as session:
            stored = session.scalars(select(TransactionRow).where(TransactionRow.status == "stored").order_by(TransactionRow.nonce)).all()
            stuck = [row for row in stored if self._is_stuck(row.transaction_id, before)]
            for row in stuck:
                row.status = "replaced"  # it may still be the one that is mined: the follower looks for both
                terms = signed_terms(row.raw)
                priority_fee = _bumped(terms.priority_fee)
                fees = max(_bumped(terms.max_fee), 2 * base_fee + priority_fee), priority_fee
                new = self._sign(session, row.nonce, row.purpose, terms.to, terms.data, terms.gas, *fees, row.transaction_id, at)
                batches = update(BatchRow).where(BatchRow.transaction_id == row.transaction_id)
                session.execute(batches.values(transaction_id=new.transaction_id))
                operations = update(OperationRow).where(OperationRow.transaction_id == row.transaction_id)
                session.execute(operations.values(transaction_id=new.transaction_id))
        self._underpriced.clear()
        return len(stuck)

    def drop_dead(self, follow: Callable[[], bool], at: int) -> int:
        """Gives up transactions whose nonce another transaction used; what they carried goes out again. Fills gaps of nonces."""
        used = self._chain.transaction_count(self.address)
        follow()
        with self._database.write() as session:
            note_given(session, {NONCE_COUNTER: used})  # a gateway from a backup has sent more than it knows
            is_stored = TransactionRow.status == "stored"
            dead = session.scalars(select(TransactionRow).where(is_stored, TransactionRow.nonce < used)).all()
            for row in dead:
                row.status = "failed"
                for batch in session.scalars(
                    select(BatchRow).where(BatchRow.transaction_id == row.transaction_id, BatchRow.status == "signed")
                ):
                    ask_again(batch, batch.deadline)
                own = OperationRow.transaction_id == row.transaction_id, OperationRow.batch_id.is_(None), OperationRow.status == "packed"
                session.execute(update(OperationRow).where(*own).values(status="accepted", transaction_id=None))
            waiting = set(session.scalars(select(TransactionRow.nonce).where(is_stored)))
            for nonce in range(used, max(waiting, default=used)):
                if nonce not in waiting:
                    fee = 2 * PRIORITY_FEE_WEI
                    self._sign(session, nonce, FILLER, self.address, b"", _PLAIN_TRANSFER_GAS, fee, PRIORITY_FEE_WEI, None, at)
        return len(dead)

    def node_was_lost(self) -> None:
        """After a failed call: the node may have forgotten what was sent to it."""
        self._sent_at.clear()

    def stop(self) -> None:
        """Cuts a wait short."""
        self._pause.set()

    def _is_stuck(self, transaction_id: int, before: float) -> bool:
        return transaction_id in self._underpriced or self._first_sent_at.get(transaction_id, before) < before

    def _sign(
        self,
        session: Session,
        nonce: int,
        purpose: str,
        to: Address | None,
        data: bytes,
        gas: int,
        max_fee: int,
        priority_fee: int,
        replaces: int | None,
        at: int,
    ) -> TransactionRow:
        terms: dict[str, Any] = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": nonce,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": priority_fee,
            "gas": gas,
            "value": 0,
            "data": data,
            **({"to": to_checksum_address(hex_text(to))} if to else {}),
        }
        signed = self._account.sign_transaction(terms)
        row = TransactionRow(
            nonce=nonce,
            purpose=purpose,
            raw=bytes(signed.raw_transaction),
            transaction_hash=Hash(signed.hash),
            status="stored",
            replaces=replaces,
            created_at=at,
        )
        session.add(row)
        session.flush()
        return row


@dataclass(frozen=True, slots=True)
class SignedTerms:
    """What a raw EIP-1559 transaction says."""

    priority_fee: int
    max_fee: int
    gas: int
    to: Address | None
    data: bytes


def signed_terms(raw: bytes) -> SignedTerms:
    """Reads a raw transaction that we signed ourselves."""
    _chain_id, _nonce, priority_fee, max_fee, gas, to, _value, data, *_ = rlp.decode(raw[1:])
    as_int = int.from_bytes
    return SignedTerms(as_int(priority_fee), as_int(max_fee), as_int(gas), Address(to) if to else None, data)


def _bumped(fee: int) -> int:
    return fee + fee * BUMP_PERCENT // 100 + 1


def _is_there_already(refused: NodeRefused) -> bool:
    """The node has the transaction, or a block has its nonce: following the chain will tell which."""
    message = refused.message.lower()
    return any(words in message for words in ("already known", "known transaction", "already imported", "nonce too low"))


def _is_fee_too_low(refused: NodeRefused) -> bool:
    """The base fee has risen above what the transaction offers, or another at its nonce is in the way."""
    message = refused.message.lower()
    return "less than block base fee" in message or "underpriced" in message
