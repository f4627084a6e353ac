"""One sandbox node for the tests that only need a chain to talk to."""

from collections.abc import Iterator

import pytest

from tests.node.cell_contract import CREATION
from tests.node.running_node import RunningNode, throwaway_account


@pytest.fixture(scope="package")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    operators = [throwaway_account(name).address for name in ("operator", "second operator")]
    arguments = ("--sandbox", *(part for address in operators for part in ("--operator", address)))
    with RunningNode(tmp_path_factory.mktemp("node") / "data", arguments) as running:
        yield running


@pytest.fixture(scope="package")
def cell(node: RunningNode) -> str:
    """Address of the cell contract."""
    return str(node.send(throwaway_account("operator"), data=CREATION)["contractAddress"])
