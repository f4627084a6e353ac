"""Receipts outlive the blocks that follow: what was handed out a thousand blocks ago, and what is asked for now of that block."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.receipts.prove import receipt_of_operation, receipt_of_points
from scripts.verify_receipt import Refused, verify
from tests.builders.coalition import running_coalition
from tests.receipts.lived_coalition import LivedCoalition, live

BLOCKS = 1_000


@dataclass(frozen=True)
class OldReceipts:
    """`handed_out` before BLOCKS blocks were sealed on top, `asked_now` after; the last of each is of points."""

    lived: LivedCoalition
    handed_out: list[dict[str, Any]]
    asked_now: list[dict[str, Any]]
    head: int


@pytest.fixture(scope="module")
def receipts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OldReceipts]:
    with running_coalition(tmp_path_factory.mktemp("old"), members=2) as coalition:
        lived = live(coalition)
        block = coalition.chain.head_number()
        handed_out = _receipts(lived, block)
        coalition.node.call("evm_mine", {"blocks": BLOCKS})
        yield OldReceipts(lived, handed_out, _receipts(lived, block), coalition.chain.head_number())


def _receipts(lived: LivedCoalition, block: int) -> list[dict[str, Any]]:
    database, chain = lived.coalition.database, lived.coalition.chain
    entries = [receipt_of_operation(database, chain, operation) for operation in lived.operations.values()]
    return [*entries, receipt_of_points(database, chain, str(lived.anna), block)]


def test_receipts_of_a_thousand_blocks_ago_are_genuine(receipts: OldReceipts) -> None:
    for document in (*receipts.handed_out, *receipts.asked_now):
        proven = verify(json.dumps(document), receipts.lived.trust, may_omit=True)
        assert receipts.head - proven["block"]["number"] >= BLOCKS


def test_the_node_proves_the_old_block_as_it_did_then(receipts: OldReceipts) -> None:
    assert receipts.asked_now == receipts.handed_out


def test_an_old_receipt_does_not_pass_for_one_of_the_head(receipts: OldReceipts) -> None:
    chain = receipts.lived.coalition.chain
    document = json.loads(json.dumps(receipts.asked_now[-1]))
    document["block"]["header"] = chain.call("debug_getRawHeader", hex(receipts.head))
    with pytest.raises(Refused, match="the header's hash is not the stated block hash"):
        verify(json.dumps(document), receipts.lived.trust)
