"""eth_getLogs: over a range of blocks or one block by hash, within limits."""

from typing import Any

from node.chain.budget import Budget
from node.chain.errors import BeyondHead, NotOnChain, TooMuch
from node.chain.history import History
from node.chain.logs import LogFilter
from node.rpc.block_tag import HEAD_TAGS, block_number
from node.rpc.dispatch import Handler
from node.rpc.encoding import Encoded, encode_list
from node.rpc.errors import InvalidParams
from node.rpc.eth.watch import LogCriteria
from node.rpc.hex import address, hash32
from node.rpc.ports import NodeView
from node.rpc.shapes import log_view

BLOCKS_MAX = 100_000
LOGS_MAX = 50_000
ALTERNATIVES_MAX = 1_000  # addresses, and topics of each position: as geth


def methods(node: NodeView) -> dict[str, Handler]:
    history = node.history

    def get_logs(request: object, *, budget: Budget) -> Encoded:
        given = _object(request)
        if given.get("blockHash") is None:
            return logs_between(history, parse_criteria(history, given), budget)
        if given.get("fromBlock") is not None or given.get("toBlock") is not None:
            raise InvalidParams("cannot specify both blockHash and fromBlock/toBlock, choose one or the other")
        try:
            number = history.number_of(hash32(given["blockHash"], "blockHash"))
        except NotOnChain as error:
            raise NotOnChain("unknown block") from error
        return logs_between(history, LogCriteria(parse_filter(given), number, number), budget)

    return {"eth_getLogs": get_logs}


def logs_between(history: History, criteria: LogCriteria, budget: Budget) -> Encoded:
    """All logs within the bounds; a bound that moves with the head is the head. Raises BeyondHead if one lies past it."""
    head = int(history.head.block_number)
    first = head if criteria.first is None else criteria.first
    last = head if criteria.last is None else criteria.last
    if last > head:
        raise BeyondHead("block range extends beyond current head block")
    if first > last:
        raise InvalidParams("invalid block range params")
    if last - first >= BLOCKS_MAX:
        raise TooMuch(f"block range too large: at most {BLOCKS_MAX} blocks")
    return encode_list(map(log_view, history.logs(criteria.wanted, first, last, logs_max=LOGS_MAX, budget=budget)))


def parse_criteria(history: History, request: object) -> LogCriteria:
    """Of a range of blocks. `latest` and its like stand for a bound that moves."""
    given = _object(request)
    if given.get("blockHash") is not None:
        raise InvalidParams("blockHash names one block; a filter or subscription goes on: use eth_getLogs")
    first, last = (_bound(history, given.get(name)) for name in ("fromBlock", "toBlock"))
    if first is not None and last is not None and first > last:
        raise InvalidParams("invalid block range params")
    return LogCriteria(parse_filter(given), first, last)


def _bound(history: History, tag: object) -> int | None:
    return None if tag is None or tag in HEAD_TAGS else block_number(history, tag)


def _object(request: object) -> dict[str, Any]:
    if not isinstance(request, dict):
        raise InvalidParams("the filter must be an object")
    return request


def parse_filter(request: dict[str, Any]) -> LogFilter:
    given = request.get("address")
    addresses = [] if given is None else given if isinstance(given, list) else [given]
    topics = request.get("topics") or []
    if not isinstance(topics, list) or len(topics) > 4:
        raise InvalidParams("topics must be an array of at most 4")
    if any(isinstance(items, list) and len(items) > ALTERNATIVES_MAX for items in (addresses, *topics)):
        raise InvalidParams("exceed max addresses or topics per search position")
    return LogFilter(
        frozenset(address(item) for item in addresses),
        tuple(frozenset(hash32(item, "topic") for item in _alternatives(position)) for position in topics),
    )


def _alternatives(position: object) -> list[object]:
    if position is None:
        return []
    if isinstance(position, list):
        return [] if None in position else position
    return [position]
