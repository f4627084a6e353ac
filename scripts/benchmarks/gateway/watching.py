"""Follows the ledger by its events while the load runs, and says afterwards when each entry was there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scripts.benchmarks.gateway.connection import Connections

LOOK_SECONDS = 0.02
_ASKED_AT_ONCE = 100


@dataclass(frozen=True)
class SeenBatch:
    """`seen_at` by this process's clock."""

    block: int
    seen_at: float
    transaction: str
    brand_id: int
    entries: int
    refused: int


class LedgerWatch:
    """Counts what batches recorded, from the block after the present head on."""

    def __init__(self, connections: Connections, port: int, points_address: str, clock: Callable[[], float]) -> None:
        self._connections = connections
        self._port = port
        self._address = points_address
        self._clock = clock
        self._next = 0
        self._topic = ""
        self.batches: list[SeenBatch] = []
        self.confirmed = 0
        self.heard: Callable[[], None] = lambda: None

    async def start(self) -> None:
        from gateway.chain.artifacts import points_ledger

        event = points_ledger().contract.events.BatchRecorded()
        self._topic = str(event.topic)
        self._next = int(await self._call("eth_blockNumber"), 16) + 1

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        asked = {"fromBlock": hex(self._next), "toBlock": "latest", "address": self._address, "topics": [self._topic]}
        try:
            logs = await self._call("eth_getLogs", asked)
        except LookupError:
            return  # some engines refuse a beginning above their head
        now = self._clock()
        for log in logs:
            words = log["data"]
            count, refused = int(words[66:130], 16), int(words[130:194], 16)
            block = int(log["blockNumber"], 16)
            self.batches.append(SeenBatch(block, now, log["transactionHash"], int(log["topics"][1], 16), count, refused))
            self.confirmed += count - refused
            self._next = max(self._next, block + 1)
        if logs:
            self.heard()

    async def entries(self) -> dict[bytes, float]:
        """When each entry that the ledger took was seen, by its reference. Asked for after the load: it is much to read."""
        from gateway.chain.artifacts import points_ledger
        from gateway.ledger.entries import decode_entry
        from gateway.ledger.framing import unpack_entries

        artifact, found = points_ledger(), {}
        for batch in self.batches:
            transaction = await self._call("eth_getTransactionByHash", batch.transaction)
            _, packed, _ = artifact.arguments("submitBatch", bytes.fromhex(transaction["input"][2:]))
            for raw in unpack_entries(packed):
                entry: Any = decode_entry(raw)
                if hasattr(entry, "reference"):
                    found[bytes(entry.reference)] = batch.seen_at
        return found

    async def _call(self, method: str, *parameters: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)})
        head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        status, answer = await self._connections.ask(self._port, (head + body).encode())
        found = json.loads(answer)
        if status != 200 or "error" in found:
            raise LookupError(f"{method}: {status} {answer[:300]!r}")
        return found["result"]
