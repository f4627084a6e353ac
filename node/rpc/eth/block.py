"""Blocks and their receipts. A block above the head is null, as Ethereum clients answer it."""

from typing import Any

from node.chain.budget import Budget
from node.chain.errors import NotOnChain
from node.chain.upcoming import upcoming_block
from node.rpc.block_tag import block_number
from node.rpc.dispatch import Handler
from node.rpc.encoding import Encoded, encode_list
from node.rpc.errors import InvalidParams
from node.rpc.hex import hash32, to_quantity
from node.rpc.ports import NodeView
from node.rpc.shapes import block_view, pending_block_view, receipt_view


def methods(node: NodeView) -> dict[str, Handler]:
    history = node.history

    def by_number(tag: object, whole: object = False, *, budget: Budget) -> dict[str, Any] | None:
        if tag == "pending":
            return pending_block_view(upcoming_block(history, node.pool, budget.call_limit()).block, whole_transactions=_flag(whole))
        number = _found(tag)
        return None if number is None else block_view(history.block(number), whole_transactions=_flag(whole))

    def by_hash(block_hash: object, whole: object = False) -> dict[str, Any] | None:
        number = _of_hash(block_hash)
        return None if number is None else block_view(history.block(number), whole_transactions=_flag(whole))

    def count_by_number(tag: object, *, budget: Budget) -> str | None:
        if tag == "pending":
            return to_quantity(len(upcoming_block(history, node.pool, budget.call_limit()).transactions))
        number = _found(tag)
        return None if number is None else to_quantity(len(history.receipts(number)))

    def count_by_hash(block_hash: object) -> str | None:
        number = _of_hash(block_hash)
        return None if number is None else to_quantity(len(history.receipts(number)))

    def receipts(tag: object) -> Encoded | None:
        number = _found(tag)
        if number is None:
            return None
        block, items = history.block(number), history.receipts(number)
        return encode_list(receipt_view(block, items, index) for index in range(len(items)))

    def uncle_count(block: object) -> str | None:
        return None if _found(block) is None else to_quantity(0)

    def uncle(block: object, index: object) -> None:
        return None

    def _found(tag: object) -> int | None:
        try:
            number = block_number(history, tag)
        except NotOnChain:
            return None
        return number if number <= history.head.block_number else None

    def _of_hash(block_hash: object) -> int | None:
        try:
            return history.number_of(hash32(block_hash))
        except NotOnChain:
            return None

    return {
        "eth_getBlockByNumber": by_number,
        "eth_getBlockByHash": by_hash,
        "eth_getBlockTransactionCountByNumber": count_by_number,
        "eth_getBlockTransactionCountByHash": count_by_hash,
        "eth_getBlockReceipts": receipts,
        "eth_getUncleCountByBlockNumber": uncle_count,
        "eth_getUncleCountByBlockHash": uncle_count,
        "eth_getUncleByBlockNumberAndIndex": uncle,
        "eth_getUncleByBlockHashAndIndex": uncle,
    }


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidParams("the second parameter must be true or false")
    return value
