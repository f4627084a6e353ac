"""A transaction of the guardian's own account: what it stops, it stops without the operator, through any node of the chain."""

from __future__ import annotations

import time

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from gateway.chain.artifacts import error_name
from gateway.chain.connection import Chain, NodeRefused
from gateway.values.errors import Invalid, Unavailable
from gateway.values.hex import hex_text, to_int
from gateway.values.ids import Address, Hash

_GAS = 400_000
_PRIORITY_FEE_WEI = 10**9
_PAUSE_SECONDS = 0.1


def send_own(chain: Chain, account: LocalAccount, to: Address, data: bytes, wait_seconds: float = 60.0, gas: int = _GAS) -> Hash:
    """Sends it once it is known to do what it should, and waits for its block. Raises Invalid with the contract's reason."""
    sender = Address.parse(account.address)
    try:
        chain.eth_call(to, data, sender=sender)
    except NodeRefused as refused:
        raise Invalid(f"the ledger would refuse it ({error_name(refused.data)}): nothing was sent") from refused
    base_fee = to_int(chain.call("eth_getBlockByNumber", "latest", False).get("baseFeePerGas", "0x0"))
    signed = account.sign_transaction(
        {
            "type": 2,
            "chainId": chain.chain_id(),
            "nonce": chain.transaction_count(sender),
            "to": to_checksum_address(to),
            "data": data,
            "value": 0,
            "gas": gas,
            "maxFeePerGas": 2 * base_fee + _PRIORITY_FEE_WEI,
            "maxPriorityFeePerGas": _PRIORITY_FEE_WEI,
        }
    )
    try:
        chain.call("eth_sendRawTransaction", hex_text(bytes(signed.raw_transaction)))
    except NodeRefused as refused:
        raise Unavailable(f"the node does not take the transaction ({refused}): does {sender} have ether for it?") from refused
    return _mined(chain, Hash(signed.hash), wait_seconds)


def _mined(chain: Chain, transaction: Hash, wait_seconds: float) -> Hash:
    until = time.monotonic() + wait_seconds
    while time.monotonic() < until:
        (receipt,) = chain.receipts([transaction])
        if receipt is not None:
            if not receipt.succeeded:
                raise Invalid(f"transaction {transaction} was refused by the ledger: see its receipt")
            return transaction
        time.sleep(_PAUSE_SECONDS)
    raise Unavailable(f"transaction {transaction} is in no block yet: look for its receipt before sending another")
