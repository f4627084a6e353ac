"""`web3_` methods."""

from eth_hash.auto import keccak

from node.rpc.dispatch import Handler
from node.rpc.hex import data, to_data
from node.rpc.ports import NodeView


def methods(node: NodeView) -> dict[str, Handler]:
    def client_version() -> str:
        return node.client_version

    def sha3(value: object) -> str:
        return to_data(keccak(data(value)))

    return {"web3_clientVersion": client_version, "web3_sha3": sha3}
