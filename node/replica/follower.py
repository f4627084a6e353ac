"""The replica's one writing thread: fetch, check, execute again, commit, show. At the first thing that is wrong it stops for good."""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from eth_hash.auto import keccak

from node.chain.checkpoints import Checkpoint, compare
from node.chain.errors import BadBlock, ChainError
from node.chain.following import SealedBlock, adopt
from node.chain.history import History
from node.replica.primary import Primary, PrimaryUnreachable

BLOCKS_AT_ONCE = 8
POLL_SECONDS = 0.1
RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


class ReplicaReadOnly(ChainError):
    """What only the primary does."""


class ReplicaFailed(ChainError):
    """A defect of the replica's own, which says nothing about its primary."""


class Follower:
    """Stands where a sealing node has its producer, and takes no transactions.

    Raises BadBlock when it is made, if the chain so far contradicts a checkpoint. `on_refusal` is called once, on the
    follower's thread, when it stops for good: the primary is refused, or this node cannot go on. `refusal` then says why.
    """

    def __init__(
        self, history: History, primary: Primary, evidence: Path, checkpoints: Sequence[Checkpoint], on_refusal: Callable[[], None]
    ) -> None:
        self._history = history
        self._primary = primary
        self._evidence = evidence
        self._checkpoints = [item for item in checkpoints if not compare(history, item)]
        self._on_refusal = on_refusal
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self.refusal: ChainError | None = None
        self.starting_block = self.highest_block = int(history.head.block_number)  # where it began to catch up, what its primary has shown

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """A primary that never ends its answer does not hold it up."""
        self._stopping.set()
        self._primary.interrupt()
        self._thread.join()

    @property
    def seals_at_once(self) -> bool:
        return False

    def submit(self, raw: bytes) -> NoReturn:
        self._read_only()

    def set_next_timestamp(self, timestamp: int) -> NoReturn:
        self._read_only()

    def increase_time(self, seconds: int) -> NoReturn:
        self._read_only()

    def set_pace(self, seconds: float | None) -> NoReturn:
        self._read_only()

    def mine(self, blocks: int, timestamp: int | None) -> NoReturn:
        self._read_only()

    def _read_only(self) -> NoReturn:
        raise ReplicaReadOnly(f"this node is a replica and seals nothing; send it to {self._primary.shown_url}")

    def _run(self) -> None:
        reachable = True
        while not self._stopping.is_set():
            try:
                caught_up = self._step()
                reachable = True
            except PrimaryUnreachable as error:
                if reachable and not self._stopping.is_set():
                    log.warning("%s; trying again", error)
                reachable, caught_up = False, True
            except ChainError as error:
                log.critical("%s; the replica stops", error)
                self._stop_for_good(error)
                return
            except Exception as error:  # or it would serve on as if it still followed
                log.critical("the replica failed and stops", exc_info=True)
                self._stop_for_good(ReplicaFailed(f"the replica failed after block {self._history.head.block_number}: {error!r}"))
                return
            if caught_up:
                self._stopping.wait(POLL_SECONDS if reachable else RETRY_SECONDS)

    def _stop_for_good(self, reason: ChainError) -> None:
        self.refusal = reason
        self._on_refusal()

    def _step(self) -> bool:
        """Takes over a few blocks; True once there are no more. Raises BadBlock, with the evidence on disk."""
        own = int(self._history.head.block_number)
        last, header = self._primary.head_and_header(own)
        if last < own or header is None:
            self._refuse(own, f"the primary's head is block {last}, but it showed block {own} before: it rewrote or lost history", None)
        if keccak(header) != self._history.head.hash:
            try:
                theirs = self._primary.blocks(own, 1)[0]
            except PrimaryUnreachable:  # it may well not want to show it
                theirs = None
            reason = f"the primary rewrote history: its block is 0x{keccak(header).hex()}, it was 0x{self._history.head.hash.hex()}"
            self._refuse(own, reason, theirs)
        if own >= self.highest_block:
            self.starting_block = own
        self.highest_block = last
        for sealed in self._primary.blocks(own + 1, min(BLOCKS_AT_ONCE, last - own)) if last > own else ():
            if self._stopping.is_set():
                break
            try:
                adopted, writes = adopt(self._history, sealed, time.time())
                self._hold_against_checkpoints(sealed.number, adopted.hash)
            except BadBlock as error:
                self._refuse(sealed.number, str(error).removeprefix(f"block {sealed.number}: "), sealed)
            self._history.store.commit(writes)
            self._history.advance(adopted)
        return int(self._history.head.block_number) >= last

    def _hold_against_checkpoints(self, number: int, block_hash: bytes) -> None:
        for item in self._checkpoints:
            if item.number == number and item.block_hash != block_hash:
                raise BadBlock(f"two stories: 0x{item.signer.hex()} countersigned 0x{item.block_hash.hex()}")

    def _refuse(self, number: int, reason: str, theirs: SealedBlock | None) -> NoReturn:
        """Two sealed blocks of one number prove what the sealer did, so both are kept. What cannot be kept is refused all the same."""
        try:
            document = {
                "primary": self._primary.shown_url,
                "genesisHash": "0x" + self._history.genesis_hash.hex(),
                "number": number,
                "reason": reason,
                "theirs": None if theirs is None else {"block": "0x" + theirs.raw.hex(), "seal": "0x" + theirs.seal.hex()},
                "ours": _own(self._history, number) if number <= self._history.head.block_number else None,
            }
            _write_whole(self._evidence, json.dumps(document, indent=1) + "\n")
            kept = f"kept in {self._evidence}"
        except (OSError, ChainError) as error:
            kept = f"it could not be kept in {self._evidence}: {error}"
        raise BadBlock(f"block {number}: {reason} ({kept})")


def _own(history: History, number: int) -> dict[str, str]:
    return {"block": "0x" + history.block(number).raw.hex(), "seal": "0x" + history.seal(number).hex()}


def _write_whole(path: Path, content: str) -> None:
    """Or not at all: what is there from an earlier refusal stays."""
    aside = path.with_suffix(".new")
    try:
        with aside.open("w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
