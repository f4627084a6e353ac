"""Sending transactions. The answer comes after validation, before the block: the receipt is the proof of sealing."""

from node.rpc.dispatch import Handler
from node.rpc.hex import data, to_data
from node.rpc.ports import NodeView


def methods(node: NodeView) -> dict[str, Handler]:
    def send_raw_transaction(raw: object) -> str:
        return to_data(node.producer.submit(data(raw, "transaction")))

    return {"eth_sendRawTransaction": send_raw_transaction}
