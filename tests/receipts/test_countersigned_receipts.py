"""Receipts of a coalition on which witnesses look, and whose sealing key is rotated: proven at what was countersigned, by who seals now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.audit.run import audit
from gateway.brand_signer.key import Key
from gateway.checkpoints.record_checkpoint import record_checkpoint
from gateway.checkpoints.rows import SqlCheckpoints
from gateway.ledger.checkpoints import Checkpoint
from gateway.receipts.prove import receipt_of_operation, receipt_of_points
from gateway.store.unit_of_work import writing
from gateway.values.ids import Hash
from gateway.witness.log import WitnessLog
from gateway.witness.sealed_headers import NodeHeaders
from gateway.witness.witness_chain import Witness
from node.config import DataDirectory
from node.rotation import rotate
from scripts.verify_receipt import Refused, Trust, verify
from tests.builders.checkpoints import ANN, BOB
from tests.builders.coalition import CoalitionBuilder, running_coalition
from tests.receipts.lived_coalition import FUEL, GROCER, LivedCoalition, live


@dataclass(frozen=True)
class Seen:
    """`before`: an entry's receipt before anybody looked. `first` and `second` are the trusted values before and after the rotation."""

    lived: LivedCoalition
    before: dict[str, object]
    first: Trust
    second: Trust
    rotated_at: int


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    place = tmp_path_factory.mktemp("seen")
    with running_coalition(place / "coalition", members=2) as coalition:
        assert isinstance(coalition, CoalitionBuilder)
        lived = live(coalition)
        before = receipt_of_operation(coalition.database, coalition.chain, lived.operations["issue"])
        look(coalition, ANN, place)
        coalition.node.stop()
        handover = rotate(DataDirectory(coalition.node.data))
        coalition.restart_stopped_node()
        coalition.worker.follower.follow()
        look(coalition, BOB, place)
        coalition.set_time(coalition.now + 60)
        coalition.worker.follower.follow()
        second = replace(lived.trust, sealer=handover.sealer)
        yield Seen(lived, before, lived.trust, second, handover.number)


def look(coalition: CoalitionBuilder, key: Key, place: Path) -> Checkpoint:
    """The witness signs the head, and the gateway records it."""
    genesis_hash = Hash.parse((coalition.node.ready or {})["genesis_hash"])
    log = WitnessLog(place / f"{key.address}.jsonl", genesis_hash, key.address)
    headers = NodeHeaders(coalition.node.url)
    checkpoint = Witness(headers, genesis_hash, key, log, 300, lambda: coalition.now).look()
    log.close()
    headers.close()
    assert checkpoint is not None
    with writing(coalition.database, lambda _: coalition.now) as work:
        record_checkpoint(checkpoint, checkpoints=work.of(SqlCheckpoints), now=work.now)
    return checkpoint


def test_an_entry_is_proven_at_what_was_countersigned_by_who_seals_now(seen: Seen) -> None:
    for operation in seen.lived.operations.values():
        document = receipt_of_operation(seen.lived.coalition.database, seen.lived.coalition.chain, operation)
        for trust in (seen.first, seen.second):
            asked = replace(trust, witnesses=frozenset({BOB.address}), witnesses_needed=1)
            proven = verify(json.dumps(document), asked)
            assert proven["block"]["number"] == seen.rotated_at
            assert [each["witness"] for each in proven["witnesses"]] == [str(BOB.address)]
            assert proven["sandbox"] is True
    with pytest.raises(Refused, match="0 of the 1 needed"):
        verify(json.dumps(document), replace(seen.first, witnesses=frozenset({ANN.address}), witnesses_needed=1))


def test_what_was_handed_out_before_stays_genuine_for_who_trusted_the_sealer_of_then(seen: Seen) -> None:
    assert verify(json.dumps(seen.before), seen.first)["witnesses"] == []
    with pytest.raises(Refused) as refused:
        verify(json.dumps(seen.before), seen.second)
    assert refused.value.code == "sealer_not_trusted"


def test_points_at_a_block_name_the_first_checkpoints_above_it(seen: Seen) -> None:
    coalition, both = seen.lived.coalition, frozenset({ANN.address, BOB.address})
    document = receipt_of_points(coalition.database, coalition.chain, str(seen.lived.anna), seen.lived.first_block)
    trust = replace(seen.first, witnesses=both, witnesses_needed=2)
    proven = verify(json.dumps(document), trust, brands=(GROCER, FUEL))
    assert [each["block_number"] for each in proven["witnesses"]] == [seen.rotated_at - 1, seen.rotated_at]
    assert (proven["block"]["number"], proven["held_total"]) == (seen.lived.first_block, 200)
    assert len(document["checkpoints"]["headers"]) == seen.rotated_at - seen.lived.first_block


def test_points_now_are_complete_and_nobody_has_countersigned_them_yet(seen: Seen) -> None:
    coalition = seen.lived.coalition
    document = receipt_of_points(coalition.database, coalition.chain, str(seen.lived.anna))
    proven = verify(json.dumps(document), seen.second, brands=(GROCER, FUEL))
    assert proven["complete_for"] == [GROCER, FUEL]
    assert proven["witnesses"] == []
    assert any("no witness that you trust" in each for each in proven["not_shown"])


def test_a_checkpoint_that_contradicts_is_in_no_receipt_and_in_the_audit(seen: Seen) -> None:
    coalition = seen.lived.coalition
    report = audit(coalition.database, coalition.chain, lambda: coalition.now)
    assert report.as_json()["findings"] == {}
    assert coalition.chain.sealer is not None
    assert coalition.chain.sealer == seen.second.sealer
