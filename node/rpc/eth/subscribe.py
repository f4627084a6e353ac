"""`eth_subscribe` and `eth_unsubscribe`: only on a connection that can push, so these two belong to one WebSocket each."""

import secrets

from node.chain.errors import TooMuch
from node.rpc.dispatch import Handler
from node.rpc.errors import METHOD_NOT_FOUND, SERVER_ERROR, InvalidParams, RpcError
from node.rpc.eth.filter import parse_criteria
from node.rpc.eth.watch import HeadWatch, LogWatch, PendingWatch, Watch
from node.rpc.hex import to_quantity
from node.rpc.ports import NodeView

SUBSCRIPTIONS_MAX = 128  # per connection
ALTERNATIVES_MAX = 10_000  # addresses and topics, per connection


def methods(node: NodeView) -> dict[str, Handler]:
    """Over plain HTTP."""

    def unsupported(*_: object) -> None:
        raise RpcError(METHOD_NOT_FOUND, "notifications not supported")

    return {"eth_subscribe": unsupported, "eth_unsubscribe": unsupported}


class Subscriptions:
    """Those of one connection. One begins to push when `activate` is called: after the answer that names it has gone out."""

    def __init__(self, node: NodeView) -> None:
        self._node = node
        self._new: dict[str, Watch] = {}
        self.active: dict[str, Watch] = {}

    def methods(self) -> dict[str, Handler]:
        return {"eth_subscribe": self.subscribe, "eth_unsubscribe": self.unsubscribe}

    def activate(self) -> bool:
        """True if there was anything to activate."""
        new, self._new = self._new, {}
        self.active.update(new)
        return bool(new)

    def subscribe(self, kind: object, options: object = None) -> str:
        if len(self.active) + len(self._new) >= SUBSCRIPTIONS_MAX:
            raise TooMuch(f"too many subscriptions: at most {SUBSCRIPTIONS_MAX} per connection")
        watch = self._watch(kind, options)
        if sum(map(_size, (watch, *self.active.values(), *self._new.values()))) > ALTERNATIVES_MAX:
            raise TooMuch(f"too many addresses and topics: at most {ALTERNATIVES_MAX} per connection")
        subscription_id = to_quantity(secrets.randbits(128))
        self._new[subscription_id] = watch
        return subscription_id

    def unsubscribe(self, subscription_id: object) -> bool:
        if isinstance(subscription_id, str):
            for held in (self.active, self._new):
                if held.pop(subscription_id, None) is not None:
                    return True
        raise RpcError(SERVER_ERROR, "subscription not found")

    def _watch(self, kind: object, options: object) -> Watch:
        history = self._node.history
        if kind == "newHeads":
            return HeadWatch(history, hashes_only=False)
        if kind == "logs":
            return LogWatch(history, parse_criteria(history, {} if options is None else options))
        if kind == "newPendingTransactions":
            return PendingWatch(history, self._node.pool, whole=options is True)
        if kind == "syncing":
            return list  # never changes: there is nobody to sync from
        if not isinstance(kind, str):
            raise InvalidParams("invalid subscription name: want a string")
        raise RpcError(METHOD_NOT_FOUND, f'no "{kind[:100]}" subscription in eth namespace')


def _size(watch: Watch) -> int:
    return watch.size if isinstance(watch, LogWatch) else 0
