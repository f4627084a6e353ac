"""eth_call and eth_estimateGas, on the named block's own header."""

from eth.constants import CREATE_CONTRACT_ADDRESS, ZERO_ADDRESS

from node.chain.execution import CALL_GAS_MAX, Call, call, estimate_gas
from node.rpc.block_tag import header_at
from node.rpc.dispatch import Handler
from node.rpc.errors import InvalidParams
from node.rpc.hex import address, data, hash32, quantity, to_data, to_quantity
from node.rpc.ports import NodeView

_KNOWN = {
    "from", "to", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value", "data", "input",
    "nonce", "accessList", "type", "chainId",
}  # fmt: skip


def methods(node: NodeView) -> dict[str, Handler]:
    history = node.history

    def eth_call(request: object, block: object = None, overrides: object = None) -> str:
        _refuse_overrides(overrides)
        return to_data(call(history, header_at(history, block), parse_call(request)))

    def eth_estimate_gas(request: object, block: object = None, overrides: object = None) -> str:
        _refuse_overrides(overrides)
        return to_quantity(estimate_gas(history, header_at(history, block), parse_call(request)))

    return {"eth_call": eth_call, "eth_estimateGas": eth_estimate_gas}


def parse_call(request: object) -> Call:
    if not isinstance(request, dict):
        raise InvalidParams("the call must be an object")
    given = {name: value for name, value in request.items() if value is not None}
    unknown = sorted(set(given) - _KNOWN)
    if unknown:
        raise InvalidParams(f"unknown field in call: {unknown[0]!r}")
    payload = [data(given[name], name) for name in ("input", "data") if name in given]
    if len(payload) == 2 and payload[0] != payload[1]:
        raise InvalidParams('both "data" and "input" are set and not equal; use "input"')
    if "gasPrice" in given and ("maxFeePerGas" in given or "maxPriorityFeePerGas" in given):
        raise InvalidParams("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    price = quantity(given.get("gasPrice", "0x0"), "gasPrice")
    return Call(
        sender=address(given["from"], "from") if "from" in given else ZERO_ADDRESS,
        to=address(given["to"], "to") if "to" in given else CREATE_CONTRACT_ADDRESS,
        data=payload[0] if payload else b"",
        value=quantity(given.get("value", "0x0"), "value"),
        gas=min(quantity(given["gas"], "gas", bits=64), CALL_GAS_MAX) if "gas" in given else CALL_GAS_MAX,
        max_fee_per_gas=quantity(given["maxFeePerGas"], "maxFeePerGas") if "maxFeePerGas" in given else price,
        max_priority_fee_per_gas=(
            quantity(given["maxPriorityFeePerGas"], "maxPriorityFeePerGas") if "maxPriorityFeePerGas" in given else price
        ),
        access_list=_access_list(given.get("accessList", [])),
    )


def _access_list(items: object) -> tuple[tuple[bytes, tuple[int, ...]], ...]:
    if not isinstance(items, list) or any(not isinstance(item, dict) for item in items):
        raise InvalidParams("accessList must be an array of objects")
    return tuple(
        (
            address(item.get("address"), "accessList address"),
            tuple(int.from_bytes(hash32(key, "storage key"), "big") for key in item.get("storageKeys") or []),
        )
        for item in items
    )


def _refuse_overrides(overrides: object) -> None:
    if overrides:
        raise InvalidParams("state overrides are not supported")
