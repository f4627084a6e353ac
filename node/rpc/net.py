"""`net_` methods."""

from node.rpc.dispatch import Handler
from node.rpc.ports import NodeView


def methods(node: NodeView) -> dict[str, Handler]:
    def version() -> str:
        return str(node.history.config.chain_id)

    def listening() -> bool:
        return False  # there is no peer-to-peer network

    def peer_count() -> str:
        return "0x0"

    return {"net_version": version, "net_listening": listening, "net_peerCount": peer_count}
