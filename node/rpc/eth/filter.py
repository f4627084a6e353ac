"""eth_getLogs: over a range of blocks or one block by hash, within limits."""

from typing import Any

from node.chain.errors import NotOnChain, TooMuch
from node.chain.logs import LogFilter
from node.rpc.block_tag import block_number
from node.rpc.dispatch import Handler
from node.rpc.errors import InvalidParams
from node.rpc.hex import address, hash32
from node.rpc.ports import NodeView
from node.rpc.shapes import log_view

BLOCKS_MAX = 100_000
LOGS_MAX = 50_000


def methods(node: NodeView) -> dict[str, Handler]:
    history = node.history

    def get_logs(request: object) -> list[dict[str, Any]]:
        if not isinstance(request, dict):
            raise InvalidParams("the filter must be an object")
        wanted = parse_filter(request)
        first, last = _range(request)
        return [log_view(found) for found in history.logs(wanted, first, last, logs_max=LOGS_MAX)]

    def _range(request: dict[str, Any]) -> tuple[int, int]:
        head = int(history.head.block_number)
        if request.get("blockHash") is not None:
            if request.get("fromBlock") is not None or request.get("toBlock") is not None:
                raise InvalidParams("cannot specify both blockHash and fromBlock/toBlock, choose one or the other")
            try:
                number = history.number_of(hash32(request["blockHash"], "blockHash"))
            except NotOnChain as error:
                raise NotOnChain("unknown block") from error
            return number, number
        first = block_number(history, request.get("fromBlock"))
        last = block_number(history, request.get("toBlock"))
        if first > last:
            raise InvalidParams("invalid block range params")
        last = min(last, head)
        if last - first >= BLOCKS_MAX:
            raise TooMuch(f"block range too large: at most {BLOCKS_MAX} blocks")
        return first, last

    return {"eth_getLogs": get_logs}


def parse_filter(request: dict[str, Any]) -> LogFilter:
    given = request.get("address")
    addresses = [] if given is None else given if isinstance(given, list) else [given]
    topics = request.get("topics") or []
    if not isinstance(topics, list) or len(topics) > 4:
        raise InvalidParams("topics must be an array of at most 4")
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
