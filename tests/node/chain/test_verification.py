"""Verification remembers the nodes it has seen, and yet no node that the disk lost goes unnoticed."""

import shutil
from pathlib import Path

import pytest

from node.chain.errors import BadBlock
from node.chain.ports import Table
from node.chain.verification import verify_chain
from node.config import DataDirectory
from node.opening import sole_user
from tests.node.sealed_chain import seal_chain

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("verification") / "data"
    seal_chain(data)
    return data


@pytest.mark.parametrize("number", [0, 1, 5])
def test_a_state_node_that_is_another_on_disk_is_named_at_the_block_that_wrote_it(sealed: Path, tmp_path: Path, number: int) -> None:
    directory = DataDirectory(Path(shutil.copytree(sealed, tmp_path / "data")))
    with sole_user(directory) as history:
        root = history.header(number).state_root
        node = history.read_node(root)
        assert node is not None
        history.store.commit({Table.STATE: {root: node[:-1] + bytes([node[-1] ^ 1])}})
    with pytest.raises(BadBlock) as refused, sole_user(directory) as history:
        list(verify_chain(history))
    assert str(refused.value).startswith(f"block {number}: state node 0x{root.hex()} is corrupt")


def test_nodes_that_a_running_node_has_seen_are_not_believed(sealed: Path, tmp_path: Path) -> None:
    """The history's own cache answers for what the disk had; verification reads the disk."""
    directory = DataDirectory(Path(shutil.copytree(sealed, tmp_path / "data")))
    with sole_user(directory) as history:
        assert len(list(verify_chain(history))) == history.head.block_number + 1
        root = history.header(3).state_root
        history.store.commit({Table.STATE: {root: b"\x80"}})
        with pytest.raises(BadBlock, match=f"block 3: state node 0x{root.hex()} is corrupt"):
            list(verify_chain(history))
