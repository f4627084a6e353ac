"""How blocks, transactions, receipts and logs look in JSON, field for field as geth writes them."""

from collections.abc import Iterable
from typing import Any

from node.chain.blocks import Block
from node.chain.history import FoundLog
from node.chain.receipts import Log, Receipt
from node.chain.rules import Header
from node.chain.transactions import Transaction, effective_gas_price
from node.rpc.hex import to_data, to_quantity

Json = dict[str, Any]


def block_view(block: Block, *, whole_transactions: bool) -> Json:
    transactions: list[Any] = (
        [transaction_view(item, block.header, index) for index, item in enumerate(block.transactions)]
        if whole_transactions
        else [to_data(item.hash) for item in block.transactions]
    )
    return {
        **header_view(block.header),
        "size": to_quantity(len(block.raw)),
        "transactions": transactions,
        "uncles": [],
        "withdrawals": [],
    }


def pending_block_view(block: Block, *, whole_transactions: bool) -> Json:
    """As geth shows a block that is not sealed: what is not final is null."""
    transactions = [transaction_view(item) for item in block.transactions] if whole_transactions else None
    view = block_view(block, whole_transactions=False) | {"hash": None, "nonce": None, "miner": None}
    return view if transactions is None else {**view, "transactions": transactions}


def header_view(header: Header) -> Json:
    return {
        "number": to_quantity(header.block_number),
        "hash": to_data(header.hash),
        "parentHash": to_data(header.parent_hash),
        "sha3Uncles": to_data(header.uncles_hash),
        "miner": to_data(header.coinbase),
        "stateRoot": to_data(header.state_root),
        "transactionsRoot": to_data(header.transaction_root),
        "receiptsRoot": to_data(header.receipt_root),
        "logsBloom": to_data(header.bloom.to_bytes(256, "big")),
        "difficulty": to_quantity(header.difficulty),
        "gasLimit": to_quantity(header.gas_limit),
        "gasUsed": to_quantity(header.gas_used),
        "timestamp": to_quantity(header.timestamp),
        "extraData": to_data(header.extra_data),
        "mixHash": to_data(header.mix_hash),
        "nonce": to_data(header.nonce),
        "baseFeePerGas": to_quantity(header.base_fee_per_gas),
        "withdrawalsRoot": to_data(header.withdrawals_root),
        "blobGasUsed": to_quantity(header.blob_gas_used),
        "excessBlobGas": to_quantity(header.excess_blob_gas),
        "parentBeaconBlockRoot": to_data(header.parent_beacon_block_root),
        "requestsHash": to_data(header.requests_hash),
    }


def transaction_view(transaction: Transaction, header: Header | None = None, index: int | None = None) -> Json:
    """Without a header the transaction is still waiting in the pool."""
    signed, type_id = transaction.signed, transaction.type_id
    view: Json = {
        "blockHash": None if header is None else to_data(header.hash),
        "blockNumber": None if header is None else to_quantity(header.block_number),
        "blockTimestamp": None if header is None else to_quantity(header.timestamp),
        "transactionIndex": None if index is None else to_quantity(index),
        "hash": to_data(transaction.hash),
        "type": to_quantity(type_id),
        "from": to_data(transaction.sender),
        "to": None if transaction.to is None else to_data(transaction.to),
        "nonce": to_quantity(signed.nonce),
        "gas": to_quantity(signed.gas),
        "value": to_quantity(signed.value),
        "input": to_data(signed.data),
        "chainId": to_quantity(signed.chain_id or 0),
        "r": to_quantity(signed.r),
        "s": to_quantity(signed.s),
    }
    if type_id == 0:
        return {**view, "gasPrice": to_quantity(signed.gas_price), "v": to_quantity(signed.v)}  # type: ignore[attr-defined]
    view["v"] = view["yParity"] = to_quantity(signed.y_parity)
    view["accessList"] = access_list_view(signed.access_list)
    if type_id == 1:
        return {**view, "gasPrice": to_quantity(signed.gas_price)}
    price = signed.max_fee_per_gas if header is None else effective_gas_price(signed, header.base_fee_per_gas)
    view["gasPrice"] = to_quantity(price)
    view["maxFeePerGas"] = to_quantity(signed.max_fee_per_gas)
    view["maxPriorityFeePerGas"] = to_quantity(signed.max_priority_fee_per_gas)
    if type_id == 4:
        view["authorizationList"] = [_authorization_view(item) for item in signed.authorization_list]
    return view


def access_list_view(access_list: Iterable[tuple[bytes, Iterable[int]]]) -> list[Json]:
    return [
        {"address": to_data(address), "storageKeys": [to_data(key.to_bytes(32, "big")) for key in keys]} for address, keys in access_list
    ]


def receipt_view(block: Block, receipts: tuple[Receipt, ...], index: int) -> Json:
    transaction, receipt = block.transactions[index], receipts[index]
    gas_before = receipts[index - 1].cumulative_gas_used if index else 0
    logs_before = sum(len(earlier.logs) for earlier in receipts[:index])
    position = (block.number, block.hash, transaction.hash, index)
    return {
        "type": to_quantity(receipt.type_id),
        "status": to_quantity(int(receipt.succeeded)),
        "transactionHash": to_data(transaction.hash),
        "transactionIndex": to_quantity(index),
        "blockHash": to_data(block.hash),
        "blockNumber": to_quantity(block.number),
        "from": to_data(receipt.sender),
        "to": None if transaction.to is None else to_data(transaction.to),
        "contractAddress": None if receipt.created is None else to_data(receipt.created),
        "cumulativeGasUsed": to_quantity(receipt.cumulative_gas_used),
        "gasUsed": to_quantity(receipt.cumulative_gas_used - gas_before),
        "effectiveGasPrice": to_quantity(effective_gas_price(transaction.signed, block.header.base_fee_per_gas)),
        "logsBloom": to_data(receipt.bloom),
        "logs": [
            log_view(FoundLog(log, *position, logs_before + offset, block.header.timestamp)) for offset, log in enumerate(receipt.logs)
        ],
    }


def log_view(found: FoundLog) -> Json:
    log: Log = found.log
    return {
        "address": to_data(log.address),
        "topics": [to_data(topic) for topic in log.topics],
        "data": to_data(log.data),
        "blockNumber": to_quantity(found.block_number),
        "blockHash": to_data(found.block_hash),
        "blockTimestamp": to_quantity(found.timestamp),
        "transactionHash": to_data(found.transaction_hash),
        "transactionIndex": to_quantity(found.transaction_index),
        "logIndex": to_quantity(found.log_index),
        "removed": False,
    }


def _authorization_view(item: Any) -> Json:
    return {
        "chainId": to_quantity(item.chain_id),
        "address": to_data(item.address),
        "nonce": to_quantity(item.nonce),
        "yParity": to_quantity(item.y_parity),
        "r": to_quantity(item.r),
        "s": to_quantity(item.s),
    }
