"""Call objects, state overrides and block overrides: from JSON to the chain's types, as geth reads them."""

from typing import Any

from eth.constants import CREATE_CONTRACT_ADDRESS, ZERO_ADDRESS
from eth.vm.forks.prague.transactions import Authorization

from node.chain.errors import TooMuch
from node.chain.execution import CALL_GAS_MAX, Call
from node.chain.overrides import AccountOverride, Overrides
from node.chain.rules import Header
from node.rpc.errors import InvalidParams
from node.rpc.hex import address, data, hash32, quantity, slot

ACCOUNTS_MAX = 256
SLOTS_MAX = 4_096
_KNOWN = {
    "from", "to", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value", "data", "input",
    "nonce", "accessList", "type", "chainId", "authorizationList",
}  # fmt: skip
_HEADER_FIELDS = {
    "number": ("block_number", 63),
    "time": ("timestamp", 63),
    "gasLimit": ("gas_limit", 63),
    "baseFeePerGas": ("base_fee_per_gas", 256),
}


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
        authorizations=_authorizations(given.get("authorizationList", [])),
    )


def _access_list(items: object) -> tuple[tuple[bytes, tuple[int, ...]], ...]:
    if not isinstance(items, list) or any(not isinstance(item, dict) for item in items):
        raise InvalidParams("accessList must be an array of objects")
    return tuple((address(item.get("address"), "accessList address"), _storage_keys(item.get("storageKeys"))) for item in items)


def _storage_keys(keys: object) -> tuple[int, ...]:
    if keys is None:
        return ()
    if not isinstance(keys, list):
        raise InvalidParams("storageKeys must be an array")
    return tuple(int.from_bytes(hash32(key, "storage key"), "big") for key in keys)


def parse_overrides(given: object) -> Overrides:
    accounts = _object(given, "state overrides")
    if len(accounts) > ACCOUNTS_MAX:
        raise TooMuch(f"too many state overrides: at most {ACCOUNTS_MAX} accounts")
    return {address(name): _account_override(_object(change, "an account's overrides")) for name, change in accounts.items()}


def overridden(header: Header, given: object) -> Header:
    """The header with what the caller's block overrides say."""
    changes = header_changes(given)
    return header.copy(**changes) if changes else header


def header_changes(given: object) -> dict[str, Any]:
    """Block overrides, by the header's own names."""
    changes: dict[str, Any] = {}
    for name, value in _object(given, "block overrides").items():
        if name in _HEADER_FIELDS:
            field, bits = _HEADER_FIELDS[name]
            changes[field] = quantity(value, name, bits=bits)
        elif name in ("feeRecipient", "coinbase"):
            changes["coinbase"] = address(value, name)
        elif name in ("prevRandao", "random"):
            changes["mix_hash"] = hash32(value, name)
        elif name != "withdrawals" or value != []:
            raise InvalidParams(f"unknown block override: {name[:100]!r}")
    return changes


def _account_override(change: dict[str, Any]) -> AccountOverride:
    unknown = sorted(set(change) - {"balance", "nonce", "code", "state", "stateDiff"})
    if unknown:
        raise InvalidParams(f"unknown state override: {unknown[0][:100]!r}")
    if "state" in change and "stateDiff" in change:
        raise InvalidParams('account has both "state" and "stateDiff"')
    slots = _object(change.get("state", change.get("stateDiff")), "storage overrides")
    if len(slots) > SLOTS_MAX:
        raise TooMuch(f"too many storage overrides: at most {SLOTS_MAX} slots an account")
    return AccountOverride(
        balance=quantity(change["balance"], "balance") if "balance" in change else None,
        nonce=quantity(change["nonce"], "nonce", bits=64) if "nonce" in change else None,
        code=data(change["code"], "code") if "code" in change else None,
        storage={slot(key): slot(value, "storage value") for key, value in slots.items()},
        whole_storage="state" in change,
    )


def _authorizations(items: object) -> tuple[Authorization, ...]:
    if not isinstance(items, list):
        raise InvalidParams("authorizationList must be an array of objects")
    return tuple(
        Authorization(
            chain_id=quantity(item.get("chainId"), "chainId"),
            address=address(item.get("address")),
            nonce=quantity(item.get("nonce"), "nonce", bits=64),
            y_parity=quantity(item.get("yParity"), "yParity", bits=8),
            r=quantity(item.get("r"), "r"),
            s=quantity(item.get("s"), "s"),
        )
        for item in (_object(item, "an authorization") for item in items)
    )


def _object(given: object, name: str) -> dict[str, Any]:
    """Without the fields that are null."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InvalidParams(f"{name} must be an object")
    return {key: value for key, value in given.items() if value is not None}
