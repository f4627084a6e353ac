"""Accounts a sandbox node signs for, as anvil's do: for trying things out. Any other chain's node holds no keys but its seal's."""

from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_typing import Address
from eth_utils.address import to_checksum_address
from eth_utils.exceptions import ValidationError

from node.chain.budget import Budget
from node.chain.errors import TransactionRefused
from node.chain.execution import Scene, estimate_gas, state_of
from node.chain.fees import PRIORITY_FEE_SUGGESTED, next_base_fee
from node.chain.transactions import decode
from node.rpc.dispatch import Handler
from node.rpc.errors import SERVER_ERROR, InvalidParams, RpcError
from node.rpc.eth.message import parse_call
from node.rpc.hex import address, data, quantity, to_data
from node.rpc.ports import NodeView
from node.rpc.shapes import access_list_view, transaction_view


def methods(node: NodeView) -> dict[str, Handler]:
    unlocked: dict[Address, LocalAccount] = {
        Address(bytes.fromhex(account.address[2:])): account for account in map(Account.from_key, node.sandbox_keys)
    }

    def accounts() -> list[str]:
        return [to_data(item) for item in unlocked]

    def send_transaction(request: object, *, budget: Budget) -> str:
        return to_data(node.producer.submit(_signed(request, budget)))

    def sign_transaction(request: object, *, budget: Budget) -> dict[str, Any]:
        raw = _signed(request, budget)
        return {"raw": to_data(raw), "tx": transaction_view(decode(raw))}

    def sign(account: object, message: object) -> str:
        signature = _signer(account).sign_message(encode_defunct(data(message, "message"))).signature
        return to_data(signature)

    def sign_typed_data(account: object, message: object) -> str:
        signer = _signer(account)
        if not isinstance(message, dict):
            raise InvalidParams("typed data must be an object")
        try:
            encoded = encode_typed_data(full_message=message)
        except Exception as error:  # the libraries under it raise whatever odd data makes them
            raise InvalidParams(f"typed data cannot be encoded: {error}") from error
        return to_data(signer.sign_message(encoded).signature)

    def _signer(account: object) -> LocalAccount:
        try:
            return unlocked[address(account)]
        except KeyError:
            raise RpcError(SERVER_ERROR, "unknown account") from None

    def _signed(request: object, budget: Budget) -> bytes:
        if not isinstance(request, dict):
            raise InvalidParams("the transaction must be an object")
        signer = _signer(request.get("from"))
        fields = _with_defaults(node, {name: value for name, value in request.items() if value is not None}, budget)
        try:
            return bytes(signer.sign_transaction(fields).raw_transaction)
        except (TypeError, ValueError, KeyError, AttributeError, ValidationError) as error:
            raise TransactionRefused(f"transaction cannot be signed: {error}") from error

    return {
        "eth_accounts": accounts,
        "eth_sendTransaction": send_transaction,
        "eth_signTransaction": sign_transaction,
        "eth_sign": sign,
        "eth_signTypedData": sign_typed_data,
        "eth_signTypedData_v4": sign_typed_data,
    }


def _with_defaults(node: NodeView, given: dict[str, Any], budget: Budget) -> dict[str, Any]:
    """A transaction's fields as the signer takes them; what the caller left out is filled in as geth does."""
    history, call = node.history, parse_call(given)
    head = history.head
    state_nonce = state_of(history, head).get_nonce(call.sender)
    fields: dict[str, Any] = {
        "chainId": quantity(given["chainId"], "chainId") if "chainId" in given else history.config.chain_id,
        "nonce": quantity(given["nonce"], "nonce", bits=64) if "nonce" in given else node.pool.next_nonce(call.sender, state_nonce),
        "value": call.value,
        "data": call.data,
    }
    if fields["chainId"] != history.config.chain_id:
        raise InvalidParams(f"chainId does not match node's (have={fields['chainId']}, want={history.config.chain_id})")
    if call.to:
        fields["to"] = to_checksum_address(call.to)
    if "accessList" in given:
        fields["accessList"] = access_list_view(call.access_list)
    if call.authorizations:
        fields["authorizationList"] = given["authorizationList"]
    fields["gas"] = call.gas if "gas" in given else estimate_gas(Scene(history, head, pulse=budget.call_limit()), call)
    if "gasPrice" in given:
        return {**fields, "gasPrice": call.max_fee_per_gas}
    tip = call.max_priority_fee_per_gas if "maxPriorityFeePerGas" in given else PRIORITY_FEE_SUGGESTED
    fee = call.max_fee_per_gas if "maxFeePerGas" in given else tip + 2 * next_base_fee(head)
    if fee < tip:
        raise InvalidParams(f"maxFeePerGas ({fee}) < maxPriorityFeePerGas ({tip})")
    return {**fields, "type": 4 if call.authorizations else 2, "maxFeePerGas": fee, "maxPriorityFeePerGas": tip}
