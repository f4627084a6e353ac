"""`--trie` chooses how tries are kept, never what is on the chain."""

from pathlib import Path

import pytest
from eth.db.account import AccountDB

from node.chain.execution import Scene
from node.chain.proofs import prove_account
from node.chain.trie.accounts import BatchedAccounts
from node.chain.trie.source import NodeSource
from node.chain.verification import verify_chain
from node.config import DataDirectory
from node.opening import sole_user
from tests.node.running_node import RunningNode
from tests.node.sealed_chain import OPERATOR, seal_chain, send_some_of_everything

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present:DeprecationWarning")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("switch") / "data"
    seal_chain(data, wide=True)
    return data


@pytest.mark.parametrize("batched", [True, False])
def test_a_chain_sealed_on_batched_tries_verifies_on_either(sealed: Path, batched: bool) -> None:
    with sole_user(DataDirectory(sealed), batched_trie=batched) as history:
        accounts = Scene(history, history.head).state()._account_db
        assert type(accounts) is (BatchedAccounts if batched else AccountDB)
        assert list(verify_chain(history)) == list(range(history.head.block_number + 1))


def test_a_chain_sealed_on_stock_tries_verifies_on_batched_ones(tmp_path: Path) -> None:
    with RunningNode(tmp_path / "data", ("--operator", OPERATOR.address, "--trie", "stock")) as node:
        send_some_of_everything(node)
        assert node.stop() == 0
    with sole_user(DataDirectory(tmp_path / "data")) as history:
        assert len(list(verify_chain(history))) > 10


def test_proofs_do_not_depend_on_the_cache(sealed: Path) -> None:
    with sole_user(DataDirectory(sealed)) as history:
        for number in range(history.head.block_number + 1):
            root = history.header(number).state_root
            shared, alone = NodeSource(history.read_node, history.nodes), NodeSource(history.read_node)
            for account in (bytes(20), history.config.sealer, (1_007).to_bytes(20, "big")):
                assert prove_account(shared, root, account, [0, 1]) == prove_account(alone, root, account, [0, 1])
