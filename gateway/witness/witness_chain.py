"""Follows sealed headers from the last checkpoint to the head, and signs the head: never two of one number, never off its own story.

What contradicts that story is refused for good (`ChainRefused`), with both sides kept. A head whose time is too far off the witness's own
clock is not signed now (`NotNow`); a later one may be. In a sandbox, where time is set at will, only the order of blocks is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from eth_hash.auto import keccak

from gateway.brand_signer.key import Key
from gateway.ledger.checkpoints import Checkpoint, checkpoint_digest
from gateway.ledger.seals import NotSealed, Sealers
from gateway.values.ids import Hash
from gateway.witness.log import LoggedCheckpoint, WitnessLog
from gateway.witness.sealed_headers import BadHeader, SealedHeader


class Headers(Protocol):
    def head_number(self) -> int: ...
    def genesis_configuration(self) -> Any: ...
    def headers(self, first: int, last: int) -> list[SealedHeader]: ...


class ChainRefused(Exception):
    """The chain that is shown is not the one that this witness has seen. `shown` is the header that says so, where there is one."""

    def __init__(self, number: int, reason: str, shown: SealedHeader | None = None) -> None:
        super().__init__(f"block {number}: {reason}")
        self.number = number
        self.shown = shown


class NotNow(Exception):
    """Nothing is wrong with the chain's order, but this head is not signed."""


@dataclass(frozen=True, slots=True)
class _Tip:
    """The last block that was followed, and who sealed up to it."""

    number: int
    hash: Hash
    timestamp: int
    sealers: Sealers


class Witness:
    """One thread at a time. `clock` gives Unix seconds."""

    def __init__(self, chain: Headers, genesis_hash: Hash, key: Key, log: WitnessLog, skew_seconds: int, clock: Callable[[], int]) -> None:
        self._chain, self._genesis_hash, self._key, self._log = chain, genesis_hash, key, log
        self._skew_seconds, self._clock = skew_seconds, clock
        self._sandbox: bool | None = None
        self._tip: _Tip | None = None
        if log.last is not None:
            last = log.last.checkpoint
            self._tip = _Tip(last.number, last.block_hash, last.block_time, log.last.sealers)

    @property
    def last(self) -> Checkpoint | None:
        return None if self._log.last is None else self._log.last.checkpoint

    def look(self) -> Checkpoint | None:
        """A new checkpoint of the head, on disk already; None if the head was signed before. Raises ChainRefused, NotNow or NodeSilent."""
        head = self._chain.head_number()
        tip = self._follow(self._tip or self._genesis(), head)
        self._tip = tip
        if self.last is not None and self.last.number == tip.number:
            return None
        now = self._clock()
        if not self._sandbox:
            self._check_time(tip, now)
        digest = checkpoint_digest(self._genesis_hash, tip.number, tip.hash, tip.timestamp, now)
        signature = self._key.sign(digest)
        detached = signature[:64] + bytes([signature[64] - 27])
        checkpoint = Checkpoint(self._genesis_hash, tip.number, tip.hash, tip.timestamp, now, self._key.address, detached)
        self._log.append(LoggedCheckpoint(checkpoint, tip.sealers))
        return checkpoint

    def _genesis(self) -> _Tip:
        (genesis,) = self._headers(0, 0)
        if genesis.hash != self._genesis_hash or genesis.number != 0:
            raise ChainRefused(0, f"it is {genesis.hash}, trusted is genesis {self._genesis_hash}", genesis)
        return _Tip(0, genesis.hash, genesis.timestamp, self._sealed(Sealers(genesis.sealer), genesis))

    def _follow(self, tip: _Tip, head: int) -> _Tip:
        if head < tip.number:
            raise ChainRefused(tip.number, f"the head is block {head} now, but this block was shown before: history was rewritten or lost")
        (again,) = self._headers(tip.number, tip.number)
        if again.hash != tip.hash:
            raise ChainRefused(tip.number, f"two stories: it is {again.hash} now, it was {tip.hash}", again)
        if self._sandbox is None:
            self._sandbox = self._is_sandbox()
        while tip.number < head:
            for shown in self._headers(tip.number + 1, head):
                tip = self._next(tip, shown)
        return tip

    def _next(self, tip: _Tip, shown: SealedHeader) -> _Tip:
        number = tip.number + 1
        if shown.number != number:
            raise ChainRefused(number, f"its header says {shown.number}", shown)
        if shown.parent_hash != tip.hash:
            raise ChainRefused(number, f"a fork: its parent is {shown.parent_hash}, block {tip.number} was {tip.hash}", shown)
        if shown.timestamp < tip.timestamp:
            raise ChainRefused(number, "its time is before its parent's", shown)
        return _Tip(number, shown.hash, shown.timestamp, self._sealed(tip.sealers, shown))

    def _sealed(self, sealers: Sealers, shown: SealedHeader) -> Sealers:
        try:
            return sealers.after(shown.number, self._genesis_hash, shown.hash, shown.seal)
        except NotSealed as wrong:
            raise ChainRefused(shown.number, f"it {wrong}", shown) from wrong

    def _check_time(self, tip: _Tip, now: int) -> None:
        off = tip.timestamp - now
        if off > self._skew_seconds:
            raise NotNow(
                f"the time of block {tip.number} is {off} s ahead of this clock, at most {self._skew_seconds} is signed: compare both"
            )
        if -off > self._skew_seconds:
            raise NotNow(f"block {tip.number} is {-off} s old, at most {self._skew_seconds} is signed: the next block is waited for")

    def _is_sandbox(self) -> bool:
        """By the genesis configuration, which the genesis block commits to. Whatever proves nothing is taken for no sandbox."""
        config = self._chain.genesis_configuration()
        (genesis,) = self._headers(0, 0)
        try:
            canonical = json.dumps(config, sort_keys=True, separators=(",", ":")).encode("ascii")
        except (TypeError, ValueError, RecursionError):
            return False
        committed = genesis.hash == self._genesis_hash and keccak(canonical) == genesis.extra_data
        return committed and isinstance(config, dict) and config.get("sandbox") is True

    def _headers(self, first: int, last: int) -> list[SealedHeader]:
        try:
            found = self._chain.headers(first, last)
        except BadHeader as wrong:
            self._refuse(first, str(wrong))
        if not found:
            self._refuse(first, "the node shows none")
        return found

    def _refuse(self, number: int, reason: str) -> NoReturn:
        raise ChainRefused(number, reason)
