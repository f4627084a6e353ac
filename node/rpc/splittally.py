"""Methods of our own: the detached seal of a block, who sealed from which block on, and the genesis configuration."""

import json

from node.chain.genesis import canonical_json
from node.chain.rules import RULES
from node.rpc.block_tag import existing_number
from node.rpc.dispatch import Handler
from node.rpc.hex import to_data
from node.rpc.ports import NodeView


def methods(node: NodeView) -> dict[str, Handler]:
    def get_seal(block: object) -> dict[str, str]:
        number = existing_number(node.history, block)
        return {
            "blockHash": to_data(node.history.header(number).hash),
            "signature": to_data(node.history.seal(number)),
            "sealer": to_data(node.history.sealers.at(number)),
        }

    def sealers() -> list[dict[str, object]]:
        known = node.history.sealers
        first: dict[str, object] = {"fromBlock": "0x0", "sealer": to_data(known.first), "signature": None}
        handed: list[dict[str, object]] = [
            {"fromBlock": hex(each.number), "sealer": to_data(each.sealer), "signature": to_data(each.signature)}
            for each in known.handovers
        ]
        return [first, *handed]

    def genesis() -> dict[str, object]:
        config = node.history.config
        return {
            "config": json.loads(canonical_json(config)),
            "coalitionId": to_data(config.coalition_id),
            "genesisHash": to_data(node.history.genesis_hash),
            "rules": RULES,
        }

    return {"splittally_getSeal": get_seal, "splittally_getSealers": sealers, "splittally_getGenesis": genesis}
