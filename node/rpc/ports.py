"""What the RPC methods need of a running node."""

from dataclasses import dataclass
from typing import Protocol

from node.chain.history import History
from node.chain.pool import Pool


class Producer(Protocol):
    """Takes transactions in; on a sandbox chain also turns the clock."""

    @property
    def seals_at_once(self) -> bool: ...
    def submit(self, raw: bytes) -> bytes: ...
    def set_next_timestamp(self, timestamp: int) -> None: ...
    def increase_time(self, seconds: int) -> int: ...
    def set_pace(self, seconds: float | None) -> None: ...
    def mine(self, blocks: int, timestamp: int | None) -> None: ...


@dataclass(frozen=True)
class NodeView:
    history: History
    pool: Pool
    producer: Producer
    client_version: str
    sandbox_keys: tuple[bytes, ...] = ()  # of accounts a sandbox node signs for
