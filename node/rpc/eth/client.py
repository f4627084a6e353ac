"""What the node is: chain id, head number, accounts (none), and whether it seals or follows."""

from typing import Protocol, runtime_checkable

from node.rpc.dispatch import Handler
from node.rpc.hex import to_data, to_quantity
from node.rpc.ports import NodeView


@runtime_checkable
class CatchingUp(Protocol):
    """What a replica has in the producer's place."""

    starting_block: int
    highest_block: int


def methods(node: NodeView) -> dict[str, Handler]:
    def chain_id() -> str:
        return to_quantity(node.history.config.chain_id)

    def block_number() -> str:
        return to_quantity(node.history.head.block_number)

    def syncing() -> bool | dict[str, str]:
        follower, head = node.producer, int(node.history.head.block_number)
        if not isinstance(follower, CatchingUp) or head >= follower.highest_block:
            return False
        blocks = {"startingBlock": follower.starting_block, "currentBlock": head, "highestBlock": follower.highest_block}
        return {name: to_quantity(number) for name, number in blocks.items()}

    def accounts() -> list[str]:
        return []  # the node keeps no member's or brand's keys

    def coinbase() -> str:
        return to_data(node.history.config.sealer)

    def mining() -> bool:
        return not isinstance(node.producer, CatchingUp)

    return {
        "eth_chainId": chain_id,
        "eth_blockNumber": block_number,
        "eth_syncing": syncing,
        "eth_accounts": accounts,
        "eth_coinbase": coinbase,
        "eth_mining": mining,
    }
