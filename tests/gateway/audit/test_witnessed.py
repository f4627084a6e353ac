"""Invariant 13 over a story that the test tells: seals, handovers, and what witnesses countersigned."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from gateway.audit.checks.witnessed import findings
from gateway.checkpoints.tables import CheckpointRow
from gateway.values.calendar import moment
from gateway.values.ids import Hash
from tests.builders.checkpoints import countersigned
from tests.gateway.witness.following import FIRST_SECOND, NEXT_SEALER, SEALER, STRANGER, Story


def told() -> Story:
    """Three blocks after the genesis, of which the second hands over."""
    story = Story()
    story.add(FIRST_SECOND + 1)
    story.add(FIRST_SECOND + 2, to=NEXT_SEALER)
    story.add(FIRST_SECOND + 3)
    return story


def checkpoint_row(story: Story, number: int, **fields: Any) -> CheckpointRow:
    block = story.blocks[number]
    seen = {"block_hash": block.hash, "block_time": block.timestamp, **fields}
    signed = countersigned(genesis_hash=story.genesis_hash, number=number, witnessed_at=FIRST_SECOND, **seen)
    return CheckpointRow(
        witness=signed.witness,
        number=number,
        block_hash=signed.block_hash,
        block_time=signed.block_time,
        witnessed_at=signed.witnessed_at,
        signature=signed.signature,
        received_at=FIRST_SECOND,
    )


def found(story: Story, *rows: CheckpointRow, sealed: bool = True) -> list[str]:
    blocks = dict(enumerate(story.blocks))
    chain = SimpleNamespace(
        first_sealer=SEALER.address,
        seals={number: block.seal for number, block in blocks.items()} if sealed else {},
        block_hashes={number: block.hash for number, block in blocks.items()},
        timestamps={number: block.timestamp for number, block in blocks.items()},
        block_number=len(blocks) - 1,
    )
    case: Any = SimpleNamespace(evidence=SimpleNamespace(chain=chain, store=SimpleNamespace(checkpoints=rows)))
    return list(findings(case))


def test_an_honest_chain_with_a_handover_and_its_witnesses_has_no_findings() -> None:
    story = told()
    assert found(story, checkpoint_row(story, 1), checkpoint_row(story, 3)) == []
    assert found(story, sealed=False) == []


def test_a_block_by_another_sealer_is_named() -> None:
    story = told()
    story.blocks[1] = replace(story.blocks[1], seal=bytes(65))
    assert found(story) == ["block 1 does not carry the seal of its sealer"]
    story = told()
    story.sealer = STRANGER
    story.add(FIRST_SECOND + 4)
    assert found(story) == ["block 4 does not carry the seal of its sealer"]


def test_a_handover_that_was_not_signed_is_named_with_all_that_follows() -> None:
    story = Story()
    story.sealer = STRANGER
    story.add(FIRST_SECOND + 1, to=NEXT_SEALER)
    story.add(FIRST_SECOND + 2)
    first, second = found(story)
    assert first.startswith("block 1 is sealed by somebody to whom")
    assert second == "block 2 does not carry the seal of its sealer"


def test_a_witness_that_saw_another_block_or_time_is_named() -> None:
    story = told()
    (other,) = found(story, checkpoint_row(story, 2, block_hash=Hash(b"\x09" * 32)))
    assert other.endswith(f"as block 2, the node shows {story.blocks[2].hash}")
    (time,) = found(story, checkpoint_row(story, 2, block_time=FIRST_SECOND + 50))
    assert f"that block 2 is of {moment(FIRST_SECOND + 50)}, the node says {moment(story.blocks[2].timestamp)}" in time


def test_a_stored_checkpoint_that_no_witness_signed_is_named() -> None:
    story = told()
    for name, value in (("witnessed_at", 5), ("block_time", 5), ("signature", bytes(65)), ("signature", b"")):
        row = checkpoint_row(story, 2)
        setattr(row, name, value)
        (none,) = found(story, row)
        assert none.startswith("the stored checkpoint of block 2 by")


def test_a_checkpoint_beyond_the_block_that_is_audited_is_no_finding() -> None:
    story = told()
    ahead = checkpoint_row(story, 3)
    story.blocks.pop()
    assert found(story, ahead) == []
