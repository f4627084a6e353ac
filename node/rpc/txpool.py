"""`txpool_` methods: what waits for a block (pending) and what waits for an earlier nonce (queued)."""

from collections.abc import Callable, Sequence

from eth_utils.address import to_checksum_address

from node.chain.budget import Budget
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

    def content(*, budget: Budget) -> dict[str, Grouped]:
        both = split()
        budget.hold(sum(2 * len(item.raw) for items in both for item in items))
        return _both(both, transaction_view)

    def inspect() -> dict[str, Grouped]:
        return _both(split(), _line)

    def content_from(sender: object) -> dict[str, dict[str, object]]:
        wanted = address(sender)
        own = [[item for item in items if item.sender == wanted] for items in split()]
        return {name: grouped.get(to_checksum_address(wanted), {}) for name, grouped in _both(own, transaction_view).items()}

    return {"txpool_status": status, "txpool_content": content, "txpool_contentFrom": content_from, "txpool_inspect": inspect}


def _both(split: Sequence[list[Transaction]], shown: Callable[[Transaction], object]) -> dict[str, Grouped]:
    return {name: _grouped(items, shown) for name, items in zip(("pending", "queued"), split, strict=True)}


def _grouped(items: list[Transaction], shown: Callable[[Transaction], object]) -> Grouped:
    grouped: Grouped = {}
    for item in sorted(items, key=lambda item: item.nonce):
        grouped.setdefault(to_checksum_address(item.sender), {})[str(item.nonce)] = shown(item)
    return grouped


def _line(item: Transaction) -> str:
    to = "contract creation" if item.to is None else to_checksum_address(item.to)
    return f"{to}: {item.signed.value} wei + {item.gas} gas × {item.signed.max_fee_per_gas} wei"
