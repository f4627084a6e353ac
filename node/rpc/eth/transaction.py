"""Transactions and receipts by hash or position; a waiting transaction has no block yet."""

from typing import Any

from node.chain.errors import NotOnChain
from node.rpc.block_tag import block_number
from node.rpc.dispatch import Handler, NotYet
from node.rpc.hex import hash32, quantity
from node.rpc.ports import NodeView
from node.rpc.shapes import receipt_view, transaction_view


def methods(node: NodeView) -> dict[str, Handler]:
    history = node.history

    def by_hash(transaction_hash: object) -> dict[str, Any] | None:
        wanted = hash32(transaction_hash)
        waiting = node.pool.get(wanted)  # looked up first: a block's commit comes before its removal from the pool
        place = history.place_of(wanted)
        if place is not None and place[0] <= history.head.block_number:
            return _at(*place)
        return None if waiting is None else transaction_view(waiting)

    def by_number_and_index(tag: object, index: object) -> dict[str, Any] | None:
        try:
            number = block_number(history, tag)
        except NotOnChain:
            return None
        return _at(number, quantity(index, "index", bits=32))

    def by_hash_and_index(block_hash: object, index: object) -> dict[str, Any] | None:
        return by_number_and_index({"blockHash": block_hash}, index)

    def receipt(transaction_hash: object) -> dict[str, Any] | None:
        wanted = hash32(transaction_hash)
        waits = node.pool.get(wanted) is not None and node.producer.seals_at_once
        place = history.place_of(wanted)
        if place is None or place[0] > history.head.block_number:
            if waits:
                raise NotYet
            return None
        number, index = place
        return receipt_view(history.block(number), history.receipts(number), index)

    def _at(number: int, index: int) -> dict[str, Any] | None:
        if number > history.head.block_number:
            return None
        block = history.block(number)
        return transaction_view(block.transactions[index], block.header, index) if index < len(block.transactions) else None

    return {
        "eth_getTransactionByHash": by_hash,
        "eth_getTransactionByBlockNumberAndIndex": by_number_and_index,
        "eth_getTransactionByBlockHashAndIndex": by_hash_and_index,
        "eth_getTransactionReceipt": receipt,
    }
