"""The JSON-RPC surface over a real process: blocks, transactions, receipts, state at past blocks, logs, fees, seals."""

import rlp
from eth_hash.auto import keccak

from node.chain.sealing import seal_holds
from tests.node.cell_contract import CREATION, RUNTIME, word
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def test_a_sent_transaction_is_found_whichever_way_it_is_asked_for(node: RunningNode, cell: str) -> None:
    receipt = node.send(OPERATOR, to=cell, data=word(5))
    transaction = node.call("eth_getTransactionByHash", receipt["transactionHash"])
    assert transaction["from"] == OPERATOR.address.lower()
    assert transaction["input"] == word(5)
    number, block_hash, index = receipt["blockNumber"], receipt["blockHash"], receipt["transactionIndex"]
    assert transaction == node.call("eth_getTransactionByBlockNumberAndIndex", number, index)
    assert transaction == node.call("eth_getTransactionByBlockHashAndIndex", block_hash, index)
    assert transaction in node.call("eth_getBlockByNumber", number, True)["transactions"]
    assert receipt in node.call("eth_getBlockReceipts", number)
    assert node.call("eth_getBlockTransactionCountByHash", block_hash) == node.call("eth_getBlockTransactionCountByNumber", number)
    assert keccak(_bytes(node.call("debug_getRawTransaction", receipt["transactionHash"]))) == _bytes(receipt["transactionHash"])


def test_a_transaction_tells_the_time_of_its_block_whichever_way_it_is_asked_for(node: RunningNode, cell: str) -> None:
    receipt = node.send(OPERATOR, to=cell, data=word(4))
    number, block_hash, index = receipt["blockNumber"], receipt["blockHash"], receipt["transactionIndex"]
    timestamp = node.call("eth_getBlockByNumber", number, False)["timestamp"]
    found = [
        node.call("eth_getTransactionByHash", receipt["transactionHash"]),
        node.call("eth_getTransactionByBlockNumberAndIndex", number, index),
        node.call("eth_getTransactionByBlockHashAndIndex", block_hash, index),
        *node.call("eth_getBlockByNumber", number, True)["transactions"],
        *node.call("eth_getBlockByHash", block_hash, True)["transactions"],
    ]
    assert [item["blockTimestamp"] for item in found] == [timestamp] * 5
    simulated = {"blockStateCalls": [{"calls": [{"to": cell}]}], "returnFullTransactions": True}
    [block] = node.call("eth_simulateV1", simulated, "latest")
    assert [item["blockTimestamp"] for item in block["transactions"]] == [block["timestamp"]]


def test_what_does_not_exist_is_null(node: RunningNode) -> None:
    nothing = "0x" + "99" * 32
    head = int(node.call("eth_blockNumber"), 16)
    for method, *params in (
        ("eth_getTransactionByHash", nothing),
        ("eth_getTransactionReceipt", nothing),
        ("eth_getBlockByHash", nothing, False),
        ("eth_getBlockByNumber", hex(head + 1_000), False),
        ("eth_getBlockReceipts", hex(head + 1_000)),
        ("eth_getTransactionByBlockNumberAndIndex", "0x0", "0x0"),
    ):
        assert node.call(method, *params) is None


def test_headers_hash_to_their_block_hashes_and_chain_up_to_the_genesis(node: RunningNode, cell: str) -> None:
    node.send(OPERATOR, to=cell, data=word(6))
    parent = "0x" + "00" * 32
    for number in range(int(node.call("eth_blockNumber"), 16) + 1):
        block = node.call("eth_getBlockByNumber", hex(number), False)
        assert keccak(_bytes(node.call("debug_getRawHeader", hex(number)))) == _bytes(block["hash"])
        assert block["parentHash"] == parent
        raw = rlp.decode(_bytes(node.call("debug_getRawBlock", block["hash"])))
        assert len(raw[1]) == len(block["transactions"])
        parent = block["hash"]
    assert node.ready is not None
    genesis = node.call("eth_getBlockByNumber", "earliest", False)
    assert genesis["hash"] == node.ready["genesis_hash"]
    assert genesis["extraData"] == node.ready["coalition_id"] == node.call("splittally_getGenesis")["coalitionId"]


def test_every_block_carries_its_sealers_seal(node: RunningNode, cell: str) -> None:
    node.send(OPERATOR, to=cell, data=word(7))
    assert node.ready is not None
    genesis_hash = _bytes(node.ready["genesis_hash"])
    for number in range(int(node.call("eth_blockNumber"), 16) + 1):
        seal = node.call("splittally_getSeal", hex(number))
        assert seal["blockHash"] == node.call("eth_getBlockByNumber", hex(number), False)["hash"]
        assert seal["sealer"] == node.ready["sealer"]
        assert seal_holds(_bytes(seal["signature"]), _bytes(seal["sealer"]), genesis_hash, _bytes(seal["blockHash"]))
        assert seal == node.call("splittally_getSeal", seal["blockHash"])


def test_state_is_readable_as_it_was_at_every_past_block(node: RunningNode) -> None:
    created = node.send(OPERATOR, data=CREATION)
    address, born = created["contractAddress"], int(created["blockNumber"], 16)
    blocks = [node.send(OPERATOR, to=address, data=word(value))["blockNumber"] for value in (11, 12)]
    assert node.call("eth_getCode", address, hex(born - 1)) == "0x"
    assert node.call("eth_getCode", address, hex(born)) == "0x" + RUNTIME.hex()
    for number, value in zip([hex(born), *blocks, "latest"], [0, 11, 12, 12], strict=True):
        assert node.call("eth_call", {"to": address}, number) == word(value)
        assert node.call("eth_getStorageAt", address, "0x0", number) == word(value)
    nonces = [int(node.call("eth_getTransactionCount", OPERATOR.address, number), 16) for number in (hex(born), *blocks)]
    assert nonces == [nonces[0], nonces[0] + 1, nonces[0] + 2]
    by_hash = {"blockHash": node.call("eth_getBlockByNumber", blocks[0], False)["hash"]}
    assert node.call("eth_call", {"to": address}, by_hash) == word(11)


def test_a_call_sees_the_named_blocks_own_header(node: RunningNode) -> None:
    number_code = "0x4360005260206000f3"  # NUMBER, returned; run as a contract creation
    timestamp_code = "0x4260005260206000f3"
    receipt = node.send(OPERATOR, to=OPERATOR.address, value=1)
    node.send(OPERATOR, to=OPERATOR.address, value=1)
    block = node.call("eth_getBlockByNumber", receipt["blockNumber"], False)
    assert int(node.call("eth_call", {"data": number_code}, block["number"]), 16) == int(block["number"], 16)
    assert int(node.call("eth_call", {"data": timestamp_code}, block["number"]), 16) == int(block["timestamp"], 16)


def test_code_can_read_past_block_hashes(node: RunningNode) -> None:
    node.send(OPERATOR, to=OPERATOR.address, value=1)
    head = node.call("eth_getBlockByNumber", "latest", False)
    for depth in (1, 2):  # BLOCKHASH(NUMBER − depth)
        found = node.call("eth_call", {"data": f"0x60{depth:02x}43034060005260206000f3"}, head["number"])
        assert found == node.call("eth_getBlockByNumber", hex(int(head["number"], 16) - depth), False)["hash"]


def test_logs_are_found_by_address_topic_range_and_block_hash(node: RunningNode) -> None:
    address = node.send(OPERATOR, data=CREATION)["contractAddress"]
    receipts = [node.send(OPERATOR, to=address, data=word(value)) for value in (21, 22, 23)]
    logs = [receipt["logs"][0] for receipt in receipts]
    everything = {"fromBlock": "0x0", "toBlock": "latest"}
    assert node.call("eth_getLogs", {**everything, "address": address}) == logs
    assert node.call("eth_getLogs", {**everything, "topics": [word(22)]})[-1] == logs[1]
    assert node.call("eth_getLogs", {**everything, "address": [address], "topics": [[word(21), word(23)]]}) == [logs[0], logs[2]]
    assert node.call("eth_getLogs", {"address": address, "fromBlock": receipts[1]["blockNumber"]}) == logs[1:]
    assert node.call("eth_getLogs", {"blockHash": receipts[2]["blockHash"], "address": address}) == [logs[2]]


def test_logs_of_another_address_topic_or_range_are_not(node: RunningNode) -> None:
    address = node.send(OPERATOR, data=CREATION)["contractAddress"]
    receipt = node.send(OPERATOR, to=address, data=word(31))
    everything = {"fromBlock": "0x0", "toBlock": "latest"}
    assert node.call("eth_getLogs", {**everything, "address": OPERATOR.address}) == []
    assert node.call("eth_getLogs", {**everything, "address": address, "topics": [word(32)]}) == []
    assert node.call("eth_getLogs", {**everything, "address": address, "topics": [None, word(31)]}) == []
    earlier = hex(int(receipt["blockNumber"], 16) - 1)
    assert node.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": earlier, "address": address}) == []


def test_a_burst_of_transactions_shares_blocks_and_keeps_its_order(node: RunningNode, cell: str) -> None:
    first = node.nonce(OPERATOR)
    signed = [node.signed(OPERATOR, nonce=first + offset, to=cell, data=word(offset)) for offset in range(40)]
    requests = [{"jsonrpc": "2.0", "id": n, "method": "eth_sendRawTransaction", "params": [raw]} for n, raw in enumerate(signed)]
    assert node.client is not None
    answers = node.client.post("/", json=requests).json()
    receipts = [node.receipt(answer["result"]) for answer in answers]
    places = [(int(item["blockNumber"], 16), int(item["transactionIndex"], 16)) for item in receipts]
    assert places == sorted(places)
    assert len({number for number, _ in places}) < 40
    block_gas: dict[str, int] = {}
    for receipt in receipts:
        block_gas[receipt["blockNumber"]] = block_gas.get(receipt["blockNumber"], 0) + int(receipt["gasUsed"], 16)
        assert int(receipt["cumulativeGasUsed"], 16) == block_gas[receipt["blockNumber"]]
    assert node.call("eth_call", {"to": cell}, "latest") == word(39)


def test_fees_stand_still_and_the_fee_history_says_so(node: RunningNode, cell: str) -> None:
    receipt = node.send(OPERATOR, to=cell, data=word(41))
    assert receipt["effectiveGasPrice"] == "0x8"  # base fee 7 and a tip of 1
    history = node.call("eth_feeHistory", "0x3", "latest", [0, 100])
    assert history["baseFeePerGas"] == ["0x7"] * 4
    assert history["reward"][-1] == ["0x1", "0x1"]
    assert len(history["gasUsedRatio"]) == 3
    assert node.call("eth_gasPrice") == "0x8"
    assert node.call("eth_maxPriorityFeePerGas") == "0x1"


def test_gas_estimates_suffice_and_are_close(node: RunningNode, cell: str) -> None:
    request = {"from": OPERATOR.address, "to": cell, "data": word(2**200 + 1)}
    estimate = int(node.call("eth_estimateGas", request), 16)
    receipt = node.send(OPERATOR, to=cell, data=request["data"], gas=estimate)
    assert receipt["status"] == "0x1"
    assert estimate <= int(receipt["gasUsed"], 16) * 1.3
    assert node.call("eth_estimateGas", {"to": OPERATOR.address, "value": "0x0"}) == "0x5208"


def test_the_p256_precompile_answers_at_0x100(node: RunningNode) -> None:
    assert node.call("eth_call", {"to": "0x" + "0" * 37 + "100", "data": "0x" + "00" * 160}, "latest") == "0x"
    gas = int(node.call("eth_estimateGas", {"to": "0x" + "0" * 37 + "100", "data": "0x"}), 16)
    assert 21_000 + 6_900 <= gas <= (21_000 + 6_900) * 1.02


def test_simple_questions(node: RunningNode) -> None:
    assert int(node.call("eth_chainId"), 16) == int(node.call("net_version")) == 7_951
    assert node.call("eth_syncing") is False
    assert node.call("eth_accounts") == []
    assert node.call("web3_clientVersion").startswith("splittally-node/")
    assert node.call("web3_sha3", "0x") == "0x" + keccak(b"").hex()
    assert node.call("eth_getBalance", throwaway_account("nobody").address) == "0x0"
