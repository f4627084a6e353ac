"""Filters a client installs and asks again and again. Bounded in number, and dropped when nobody asks for five minutes."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from node.chain.budget import Budget
from node.chain.errors import TooMuch
from node.rpc.dispatch import Handler
from node.rpc.encoding import Encoded
from node.rpc.errors import SERVER_ERROR, RpcError
from node.rpc.eth.filter import logs_between, parse_criteria
from node.rpc.eth.watch import HeadWatch, LogCriteria, LogWatch, PendingWatch, Watch
from node.rpc.hex import to_quantity
from node.rpc.ports import NodeView

FILTERS_MAX = 1_000
ALTERNATIVES_MAX = 100_000  # addresses and topics of all filters together
IDLE_SECONDS_MAX = 300.0


@dataclass
class InstalledFilter:
    watch: Watch
    criteria: LogCriteria | None = None  # of a log filter
    asked: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def size(self) -> int:
        return 0 if self.criteria is None else self.criteria.wanted.size


class InstalledFilters:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._filters: dict[str, InstalledFilter] = {}

    def install(self, installed: InstalledFilter) -> str:
        with self._lock:
            now = installed.asked = self._clock()
            self._filters = {key: item for key, item in self._filters.items() if now - item.asked <= IDLE_SECONDS_MAX}
            if len(self._filters) >= FILTERS_MAX:
                raise TooMuch(f"too many filters: at most {FILTERS_MAX}")
            if installed.size + sum(item.size for item in self._filters.values()) > ALTERNATIVES_MAX:
                raise TooMuch(f"too many addresses and topics: at most {ALTERNATIVES_MAX} in all filters")
            filter_id = to_quantity(secrets.randbits(128))
            self._filters[filter_id] = installed
        return filter_id

    def find(self, filter_id: object) -> InstalledFilter:
        with self._lock:
            found = self._filters.get(filter_id) if isinstance(filter_id, str) else None
            now = self._clock()
            if found is None or now - found.asked > IDLE_SECONDS_MAX:
                raise RpcError(SERVER_ERROR, "filter not found")
            found.asked = now
        return found

    def uninstall(self, filter_id: object) -> bool:
        with self._lock:
            return isinstance(filter_id, str) and self._filters.pop(filter_id, None) is not None


def methods(node: NodeView) -> dict[str, Handler]:
    history, filters = node.history, InstalledFilters()

    def new_filter(request: object) -> str:
        criteria = parse_criteria(history, request)
        return filters.install(InstalledFilter(LogWatch(history, criteria), criteria))

    def new_block_filter() -> str:
        return filters.install(InstalledFilter(HeadWatch(history, hashes_only=True)))

    def new_pending_transaction_filter(whole: object = False) -> str:
        return filters.install(InstalledFilter(PendingWatch(history, node.pool, whole=whole is True)))

    def changes(filter_id: object) -> list[Any]:
        found = filters.find(filter_id)
        with found.lock:  # two askers at once each get a part, nothing twice
            return found.watch()

    def filter_logs(filter_id: object, *, budget: Budget) -> Encoded:
        criteria = filters.find(filter_id).criteria
        if criteria is None:
            raise RpcError(SERVER_ERROR, "filter not found")  # as geth: only a log filter has logs
        return logs_between(history, criteria, budget)

    return {
        "eth_newFilter": new_filter,
        "eth_newBlockFilter": new_block_filter,
        "eth_newPendingTransactionFilter": new_pending_transaction_filter,
        "eth_getFilterChanges": changes,
        "eth_getFilterLogs": filter_logs,
        "eth_uninstallFilter": filters.uninstall,
    }
