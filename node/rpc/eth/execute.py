"""eth_call, eth_estimateGas and eth_createAccessList, on the named block's own header."""

from typing import Any

from node.chain.budget import Budget
from node.chain.execution import Call, Scene, call, estimate_gas
from node.chain.tracing.access_list import access_list_of
from node.rpc.block_tag import header_at
from node.rpc.dispatch import Handler
from node.rpc.eth.message import overridden, parse_call, parse_overrides
from node.rpc.hex import to_data, to_quantity
from node.rpc.ports import NodeView
from node.rpc.shapes import access_list_view


def methods(node: NodeView) -> dict[str, Handler]:
    def eth_call(request: object, block: object = None, state: object = None, header: object = None, *, budget: Budget) -> str:
        return to_data(call(*_scene_and_call(request, block, state, header, budget)))

    def eth_estimate_gas(request: object, block: object = None, state: object = None, header: object = None, *, budget: Budget) -> str:
        return to_quantity(estimate_gas(*_scene_and_call(request, block, state, header, budget)))

    def create_access_list(request: object, block: object = None, state: object = None, *, budget: Budget) -> dict[str, Any]:
        found = access_list_of(*_scene_and_call(request, block, state, None, budget))
        view: dict[str, Any] = {"accessList": access_list_view(found.access_list), "gasUsed": to_quantity(found.gas_used)}
        return view if found.failure is None else {**view, "error": found.failure}

    def _scene_and_call(request: object, block: object, state: object, header: object, budget: Budget) -> tuple[Scene, Call]:
        base = overridden(header_at(node.history, block), header)
        return Scene(node.history, base, parse_overrides(state), pulse=budget.call_limit()), parse_call(request)

    return {"eth_call": eth_call, "eth_estimateGas": eth_estimate_gas, "eth_createAccessList": create_access_list}
