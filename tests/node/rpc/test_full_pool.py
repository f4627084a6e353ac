"""A full pool, as clients meet it: what waits for an earlier nonce does not keep that one out."""

from pathlib import Path

from node.chain.pool import Pool
from tests.node.own_node import OPERATOR
from tests.node.rpc.limited_node import limited_node


def test_the_transaction_that_everything_waits_for_gets_into_a_full_pool(tmp_path: Path) -> None:
    with limited_node(tmp_path / "data", Pool(transactions_max=3)) as node:

        def send(nonce: int) -> dict[str, object]:
            return node.request("eth_sendRawTransaction", node.transaction(to=OPERATOR.address, nonce=nonce))

        sent = [send(nonce)["result"] for nonce in (1, 2, 3)]
        assert send(4)["error"] == {"code": -32000, "message": "txpool is full"}
        sent = [send(0)["result"], *sent[:2]]
        assert [node.request("eth_getTransactionReceipt", item)["result"]["status"] for item in sent] == ["0x1"] * 3
        assert node.request("txpool_status")["result"] == {"pending": "0x0", "queued": "0x0"}
