"""What witnesses do about the sealer's clock, on a deployment whose time is not set at will: they see it, and stop nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.brand_signer.key import Key
from gateway.values.ids import Hash
from gateway.witness.log import WitnessLog
from gateway.witness.sealed_headers import NodeHeaders
from gateway.witness.witness_chain import NotNow, Witness
from tests.builders.commanded_coalition import DELAY, CommandedCoalition, commanded_coalition

SKEW = 300


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandedCoalition]:
    with commanded_coalition(tmp_path_factory.mktemp("lasting"), sandbox=False) as made:
        yield made


def test_a_head_whose_time_is_off_is_not_countersigned_and_the_chain_goes_on(lasting: CommandedCoalition, tmp_path: Path) -> None:
    """The chain is honest and the witness's clock an hour behind: to the witness it is a sealer an hour ahead."""
    genesis, key = Hash.parse(lasting.get("/v1/coalition")["genesis_hash"]), Key(b"\x09" * 32)
    log, headers = WitnessLog(tmp_path / "log", genesis, key.address), NodeHeaders(lasting.node.url)

    def witness(clock: Callable[[], int]) -> Witness:
        return Witness(headers, genesis, key, log, SKEW, clock)

    act = lasting.post("/v1/governance/delay", {"delay_seconds": DELAY + 1})["operation_id"]
    lasting.proposed(act)
    with pytest.raises(NotNow, match="s ahead of this clock, at most 300 is signed"):
        witness(lambda: int(time.time()) - 3_600).look()
    assert log.last is None
    lasting.command("cancel", act, person="guardian")
    assert lasting.ended(act, "refused")["reason"] == "cancelled", "nothing was stopped"
    signed = witness(lambda: int(time.time())).look()
    assert signed is not None
    assert abs(signed.block_time - signed.witnessed_at) <= SKEW
    headers.close()
    log.close()
