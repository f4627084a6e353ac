"""What a call took is free again when it is answered, without the collector of cycles: one call may hold megabytes."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from eth.vm.computation import BaseComputation

from tests.node.rpc.limited_node import limited_node, on_code

MEGABYTE = "5f620fffff52"
ENDINGS = {"stops": "00", "returns": "5f5ff3", "reverts": "5f5ffd", "fails": "fe", "runs out of gas": "5b600656"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_call_of_hot_code_leaves_no_computation(tmp_path: Path, ending: str) -> None:
    with limited_node(tmp_path / "data") as node:
        asked = [("eth_call", on_code("0x" + MEGABYTE + ENDINGS[ending], gas=hex(3_000_000)))] * 5
        gc.collect()
        gc.disable()
        try:
            answers = node.batch(*asked)
            left = [type(each) for each in gc.get_objects() if isinstance(each, BaseComputation)]
        finally:
            gc.enable()
    assert ("error" in answers[-1]) == (ending not in ("stops", "returns"))
    assert left == []
