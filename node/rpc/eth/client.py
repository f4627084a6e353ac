"""What the node is: chain id, head number, accounts (none)."""

from node.rpc.dispatch import Handler
from node.rpc.hex import to_data, to_quantity
from node.rpc.ports import NodeView


def methods(node: NodeView) -> dict[str, Handler]:
    def chain_id() -> str:
        return to_quantity(node.history.config.chain_id)

    def block_number() -> str:
        return to_quantity(node.history.head.block_number)

    def syncing() -> bool:
        return False

    def accounts() -> list[str]:
        return []  # the node keeps no member's or brand's keys

    def coinbase() -> str:
        return to_data(node.history.config.sealer)

    def mining() -> bool:
        return True

    return {
        "eth_chainId": chain_id,
        "eth_blockNumber": block_number,
        "eth_syncing": syncing,
        "eth_accounts": accounts,
        "eth_coinbase": coinbase,
        "eth_mining": mining,
    }
