"""What is being committed is not shown: a reader may see a block only when it is on disk."""

from pathlib import Path

import pytest
from eth_hash.auto import keccak

from node.chain.errors import NotOnChain
from node.chain.ports import Table, Writes
from tests.node.own_node import own_node


def test_a_block_is_found_by_no_hash_before_its_commit_has_returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    with own_node(tmp_path / "data", sandbox=False) as node:
        history, raw = node.history, node.transfer(0)
        transaction_hash, commit = keccak(bytes.fromhex(raw[2:])), history.store.commit

        def look_before_it_returns(writes: Writes) -> None:
            commit(writes)  # the rows can be read now, whether they are on disk or not
            (block_hash,) = writes[Table.HASHES]
            with pytest.raises(NotOnChain):
                history.number_of(block_hash)
            assert history.place_of(transaction_hash) is None
            assert node.head() == 0
            seen.append("as yet unseen")

        monkeypatch.setattr(history.store, "commit", look_before_it_returns)
        sent = node.request("eth_sendRawTransaction", raw)["result"]
        while node.head() == 0:
            pass
        assert history.place_of(bytes.fromhex(sent[2:])) == (1, 0)
        assert history.number_of(history.head.hash) == 1
    assert seen == ["as yet unseen"]
