"""`debug_getRaw*` and their eth_ relatives: consensus encodings, for whoever checks hashes themselves."""

from node.chain.errors import NotOnChain
from node.rpc.block_tag import existing_number
from node.rpc.dispatch import Handler
from node.rpc.hex import hash32, quantity, to_data
from node.rpc.ports import NodeView


def methods(node: NodeView) -> dict[str, Handler]:
    history = node.history

    def raw_header(block: object) -> str:
        return to_data(history.raw_header(existing_number(history, block)))

    def raw_block(block: object) -> str:
        return to_data(history.block(existing_number(history, block)).raw)

    def raw_receipts(block: object) -> list[str]:
        return [to_data(item) for item in history.raw_receipts(existing_number(history, block))]

    def raw_transaction(transaction_hash: object) -> str:
        wanted = hash32(transaction_hash)
        place = history.place_of(wanted)
        if place is not None:
            return to_data(history.block(place[0]).transactions[place[1]].raw)
        waiting = node.pool.get(wanted)
        return "0x" if waiting is None else to_data(waiting.raw)

    def raw_by_place(block: object, index: object) -> str | None:
        try:
            items = history.block(existing_number(history, block)).transactions
        except NotOnChain:
            return None
        position = quantity(index, "index", bits=32)
        return to_data(items[position].raw) if position < len(items) else None

    return {
        "debug_getRawHeader": raw_header,
        "debug_getRawBlock": raw_block,
        "debug_getRawReceipts": raw_receipts,
        "debug_getRawTransaction": raw_transaction,
        "eth_getRawTransactionByHash": raw_transaction,
        "eth_getRawTransactionByBlockNumberAndIndex": raw_by_place,
        "eth_getRawTransactionByBlockHashAndIndex": raw_by_place,
    }
