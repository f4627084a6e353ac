"""`txpool_` methods: what waits for a block (pending) and what waits for an earlier nonce (queued)."""

from collections.abc import Callable

from eth_utils.address import to_checksum_address

from node.chain.execution import state_of
from node.chain.transactions import Transaction
from node.rpc.dispatch import Handler
from node.rpc.hex import address, to_quantity
from node.rpc.ports import NodeView
from node.rpc.shapes import transaction_view

Grouped = dict[str, dict[str, object]]  # sender → nonce, in decimal → what is shown of it


def methods(node: NodeView) -> dict[str, Handler]:
    def split() -> tuple[list[Transaction], list[Transaction]]:
        waiting = node.pool.all()
        ready = {item.hash for item in node.pool.ready(state_of(node.history, node.history.head).get_nonce)}
        return [item for item in waiting if item.hash in ready], [item for item in waiting if item.hash not in ready]

    def status() -> dict[str, str]:
        pending, queued = split()
        return {"pending": to_quantity(len(pending)), "queued": to_quantity(len(queued))}

    def content() -> dict[str, Grouped]:
        return _both(split(), transaction_view)

    def inspect() -> dict[str, Grouped]:
        return _both(split(), _line)

    def content_from(sender: object) -> dict[str, dict[str, object]]:
        wanted = to_checksum_address(address(sender))
        return {name: grouped.get(wanted, {}) for name, grouped in content().items()}

    return {"txpool_status": status, "txpool_content": content, "txpool_contentFrom": content_from, "txpool_inspect": inspect}


def _both(split: tuple[list[Transaction], list[Transaction]], shown: Callable[[Transaction], object]) -> dict[str, Grouped]:
    return {name: _grouped(items, shown) for name, items in zip(("pending", "queued"), split, strict=True)}


def _grouped(items: list[Transaction], shown: Callable[[Transaction], object]) -> Grouped:
    grouped: Grouped = {}
    for item in sorted(items, key=lambda item: item.nonce):
        grouped.setdefault(to_checksum_address(item.sender), {})[str(item.nonce)] = shown(item)
    return grouped


def _line(item: Transaction) -> str:
    to = "contract creation" if item.to is None else to_checksum_address(item.to)
    return f"{to}: {item.signed.value} wei + {item.gas} gas × {item.signed.max_fee_per_gas} wei"
