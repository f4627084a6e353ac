"""What witnesses countersigned, anchored by the operator with the product's command: a stranger finds it in the state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from eth_hash.auto import keccak

from gateway.brand_signer.key import Key
from gateway.chain.anchored import AnchorSequence
from gateway.checkpoints.record_checkpoint import record_checkpoint
from gateway.checkpoints.rows import SqlCheckpoints
from gateway.commands.checkpoints import checkpoints
from gateway.ledger.checkpoints import Checkpoint
from gateway.store.unit_of_work import writing
from gateway.values.hex import to_bytes
from gateway.values.ids import Address, Hash
from tests.builders.checkpoints import ANN, BOB, EVE, countersigned
from tests.builders.coalition import CoalitionBuilder, running_coalition

KIND = 5


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path_factory.mktemp("anchored"), members=1) as made:
        assert isinstance(made, CoalitionBuilder)
        made.work_off()
        yield made


def run(coalition: CoalitionBuilder, *arguments: str) -> Result:
    return CliRunner().invoke(checkpoints, arguments, obj=coalition.settings)


def anchored(coalition: CoalitionBuilder) -> dict[str, Any]:
    """What is answered once nothing is left to anchor."""
    assert run(coalition, "anchor").exit_code == 0
    coalition.work_off()
    answer: dict[str, Any] = json.loads(run(coalition, "anchor", "--json").output)
    assert answer["handed_over"] == 0
    return answer


def look(coalition: CoalitionBuilder, witness: Key, **other: Any) -> Checkpoint:
    """At the head; with `other` fields, at another one."""
    head = coalition.chain.call("eth_getBlockByNumber", "latest", False)
    genesis = Hash(to_bytes(coalition.chain.call("eth_getBlockByNumber", "0x0", False)["hash"]))
    number, time = int(head["number"], 16), int(head["timestamp"], 16)
    fields = {
        "genesis_hash": genesis,
        "number": number,
        "block_hash": Hash.parse(head["hash"]),
        "block_time": time,
        "witnessed_at": time + 1,
    }
    given = countersigned(witness, **{**fields, **other})
    with writing(coalition.database, lambda: time) as work:
        record_checkpoint(given, checkpoints=work.of(SqlCheckpoints), now=time)
    return given


def root_of(checkpoint: Checkpoint) -> Hash:
    """As docs/ledger-format.md says."""
    return Hash(keccak(checkpoint.digest + checkpoint.signature))


def a_strangers(coalition: CoalitionBuilder, genesis: Hash) -> list[tuple[int, Hash]]:
    """Block and root of each anchored checkpoint."""
    operator = Address.parse(json.loads(run(coalition, "anchor", "--json").output)["signer"])
    sequence = AnchorSequence(coalition.chain, coalition.coalition.anchors_address, operator, KIND, genesis)
    return [(each.count, each.root) for each in map(sequence.at, range(sequence.length()))]


def test_before_anybody_looked_there_is_nothing_to_anchor(tmp_path: Path) -> None:
    with running_coalition(tmp_path / "unseen", members=1) as unseen:
        assert isinstance(unseen, CoalitionBuilder)
        refused = run(unseen, "anchor")
    assert refused.exit_code == 1
    assert "No witness has countersigned" in refused.stderr


def test_the_newest_of_each_witness_is_found_in_the_state_and_no_other(coalition: CoalitionBuilder) -> None:
    first = [look(coalition, witness) for witness in (ANN, BOB)]
    genesis = first[0].genesis_hash
    look(coalition, EVE, block_hash=Hash(b"\x0e" * 32))  # another story is for the audit, not for the operator to sign
    answer = anchored(coalition)
    assert (answer["block"], answer["countersigned_by"], answer["anchored"]) == (first[0].number, 2, 2)
    expected = [(each.number, root_of(each)) for each in sorted(first, key=lambda each: str(each.witness))]
    assert a_strangers(coalition, genesis) == expected
    assert anchored(coalition)["anchored"] == 2, "what stands is not anchored twice"
    later = look(coalition, BOB)
    assert later.number > first[1].number
    assert anchored(coalition)["countersigned_by"] == 1
    assert a_strangers(coalition, genesis) == [*expected, (later.number, root_of(later))]
    coalition.worker.follower.follow()
    too_late = look(coalition, ANN, number=later.number, block_hash=later.block_hash, block_time=later.block_time)
    anchored(coalition)
    assert a_strangers(coalition, genesis) == [*expected, (later.number, root_of(later)), (later.number, root_of(too_late))]


def test_the_list_shows_who_contradicts(coalition: CoalitionBuilder) -> None:
    rows = {each["witness"]: each["agrees"] for each in json.loads(run(coalition, "list", "--json").output)}
    assert rows == {str(ANN.address): True, str(BOB.address): True, str(EVE.address): False}
    assert "NO" in run(coalition, "list").output
