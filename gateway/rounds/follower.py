"""Follows the chain: reads blocks and logs into the projection and marks what ended, one unit of work per range of blocks.

The checkpoint is the highest row of ledger_blocks. Where the chain no longer has that block, or its parent, the chain was reorganized:
the whole projection is dropped and rebuilt, and what had ended in the lost blocks is open again.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.chain.artifacts import brands, error_name, governance, members, points_ledger, settlement
from gateway.chain.connection import Chain, NodeRefused
from gateway.chain.shapes import Block, Log, block_of, log_of
from gateway.coalition.coalition import Coalition
from gateway.projection.batch_reading import read_block
from gateway.projection.project import drop_projection, project
from gateway.projection.tables import LedgerBlockRow
from gateway.rounds.completion import Completions
from gateway.rounds.outcomes import OUT_OF_GAS, MinedTransaction, mark_outcomes, reopen_after
from gateway.rounds.ports import OperationEnds
from gateway.rounds.tables import TransactionRow
from gateway.store.session import Database
from gateway.values.hex import hex_text
from gateway.values.ids import Hash

BLOCKS_IN_ONE_RANGE = 50


class Reorganized(Exception):
    """The chain has other blocks than those projected."""


class Follower:
    """One thread at a time. `head` is the newest block that was projected, with its base fee."""

    def __init__(self, database: Database, chain: Chain, coalition: Coalition, completions: Completions, ends: OperationEnds) -> None:
        self._database = database
        self._chain = chain
        self._coalition = coalition
        self._completions = completions
        self._ends = ends
        self._contracts = {
            coalition.governance_address: governance(),
            coalition.points_address: points_ledger(),
            coalition.brands_address: brands(),
            coalition.members_address: members(),
            coalition.settlement_address: settlement(),
        }
        self._checkpoint: LedgerBlockRow | None = None
        self._is_checked = False
        self.base_fee = 0

    def follow(self) -> bool:
        """Projects every block that the node has; True if there was any."""
        try:
            return self._follow()
        except Reorganized:
            self.rebuild()
            return True

    def node_was_lost(self) -> None:
        """After a failed call: the node that comes back may have other blocks, even at the same height."""
        self._is_checked = False

    def rebuild(self) -> None:
        """Drops the projection and reads the chain again from its beginning."""
        fork = self._fork_block()
        with self._database.write() as session:
            reopen_after(session, fork)
            drop_projection(session)
        self._checkpoint, self._is_checked = None, False
        self._follow()

    def _follow(self) -> bool:
        head = self._chain.head_number()
        self._check(head)
        first = 0 if self._checkpoint is None else self._checkpoint.number + 1
        for start in range(first, head + 1, BLOCKS_IN_ONE_RANGE):
            self._read(start, min(start + BLOCKS_IN_ONE_RANGE - 1, head))
        return head >= first

    def _read(self, first: int, last: int) -> None:
        """A range, in halves where the node will not give so much at once: every node has bounds of its own."""
        try:
            self._read_range(first, last)
        except NodeRefused:
            if first == last:
                raise
            middle = (first + last) // 2
            self._read(first, middle)
            self._read(middle + 1, last)
        else:
            self._completions.notify()

    def _check(self, head: int) -> None:
        """The block at the checkpoint must still be the chain's; asked once, later ranges are linked by parent hash."""
        if self._checkpoint is None:
            with self._database.read() as session:
                self._checkpoint = session.scalars(select(LedgerBlockRow).order_by(LedgerBlockRow.number.desc()).limit(1)).one_or_none()
        if self._checkpoint is None:
            return
        if head < self._checkpoint.number:
            raise Reorganized(f"the node's head is {head}, projected is {self._checkpoint.number}")
        if not self._is_checked:
            if self._chain.block_hash(self._checkpoint.number) != self._checkpoint.block_hash:
                raise Reorganized(f"block {self._checkpoint.number} is another one now")
            self._is_checked = True

    def _read_range(self, first: int, last: int) -> None:
        span = {"address": [hex_text(address) for address in self._contracts], "fromBlock": hex(first), "toBlock": hex(last)}
        calls = [("eth_getBlockByNumber", (hex(number), True)) for number in range(first, last + 1)]
        *found, found_logs = self._chain.call_all([*calls, ("eth_getLogs", (span,))])
        blocks = self._linked(found)
        if isinstance(found_logs, NodeRefused):
            raise found_logs
        logs: dict[int, list[Log]] = {}
        for log in map(log_of, found_logs):
            logs.setdefault(log.block_number, []).append(log)
        read = [read_block(block, logs.get(block.number, []), self._contracts) for block in blocks]
        mined = self._mined(blocks)
        with self._database.write() as session:
            project(session, read, self._coalition.signing_domain, self._coalition.utc_offset_seconds)
            mark_outcomes(session, read, mined, self._ends)
        self._checkpoint = LedgerBlockRow(number=last, block_hash=blocks[-1].hash, timestamp=blocks[-1].timestamp)
        self._is_checked = True
        self.base_fee = blocks[-1].base_fee

    def _linked(self, found: Sequence[object]) -> list[Block]:
        """The blocks of a range, each the child of the one before, the first the child of the checkpoint."""
        blocks = []
        parent = self._checkpoint.block_hash if self._checkpoint else None
        for each in found:
            if isinstance(each, NodeRefused):
                raise each  # which says nothing of what the chain holds
            if each is None:
                raise Reorganized("a block of the range is gone")
            block = block_of(each)  # type: ignore[arg-type]
            if parent is not None and block.parent_hash != parent:
                raise Reorganized(f"block {block.number} has another parent than the block projected before it")
            blocks.append(block)
            parent = block.hash
        return blocks

    def _mined(self, blocks: Sequence[Block]) -> list[MinedTransaction]:
        """What became of the gateway's own transactions in these blocks."""
        places = {transaction.hash: block for block in blocks for transaction in block.transactions}
        with self._database.read() as session:
            own = self._own(session, list(places))
        mined = []
        for receipt in self._chain.receipts(list(own)):
            if receipt is None or receipt.block_hash != places[receipt.transaction_hash].hash:
                raise Reorganized("a transaction of the range moved to another block")
            reason = None if receipt.succeeded else self._why_reverted(places[receipt.transaction_hash], receipt.transaction_hash)
            block = places[receipt.transaction_hash]
            mined.append(MinedTransaction(receipt.transaction_hash, block.number, block.timestamp, receipt.gas_used, reason))
        return mined

    def _own(self, session: Session, hashes: list[Hash]) -> list[Hash]:
        rows: list[Hash] = []
        for start in range(0, len(hashes), 500):
            named = TransactionRow.transaction_hash.in_(hashes[start : start + 500])
            rows += session.scalars(select(TransactionRow.transaction_hash).where(named, TransactionRow.status.in_(("stored", "replaced"))))
        return rows

    def _why_reverted(self, block: Block, transaction_hash: Hash) -> str:
        """The contract's error, found by calling again on the block's state; a call that now succeeds had run out of gas."""
        transaction = next(each for each in block.transactions if each.hash == transaction_hash)
        if transaction.to is None:
            return "not_created"
        try:
            self._chain.eth_call(transaction.to, transaction.input, block.number, transaction.sender)
        except NodeRefused as refused:
            return error_name(refused.data)
        return OUT_OF_GAS

    def _fork_block(self) -> int:
        """The highest projected block that the chain still has; -1 if none."""
        with self._database.read() as session:
            projected = dict(session.execute(select(LedgerBlockRow.number, LedgerBlockRow.block_hash)).all())
        low, high = -1, max(projected, default=-1)
        while low < high:
            middle = (low + high + 1) // 2
            if self._chain.block_hash(middle) == projected[middle]:
                low = middle
            else:
                high = middle - 1
        return low
