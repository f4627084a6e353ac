"""Of an agent with a node of its own: when it says that the node, or the gateway, has to be looked after."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from gateway.brand_agent.forwarder import Reach
from gateway.brand_agent.ledger_check import LedgerStanding
from gateway.brand_agent.standing import Parts, standing
from gateway.brand_agent.till_journal import TillJournal
from tests.builders.publishers import DOMAIN

NOW = 1_000_000
BEHIND = "since 61 seconds the node stands at block 5, behind what the gateway tells"


@pytest.mark.parametrize(
    ("ledger", "told"),
    [
        (LedgerStanding(5), []),
        (LedgerStanding(5, behind_since=NOW - 60), []),
        (LedgerStanding(5, behind_since=NOW - 61), [("ledger_behind", BEHIND)]),
        (LedgerStanding(failing_since=NOW - 3, reason="it is not there"), [("ledger_silent", "since 3 seconds: it is not there")]),
    ],
)
def test_a_node_that_is_long_behind_or_silent_is_an_alarm(tmp_path: Path, ledger: LedgerStanding, told: list[tuple[str, str]]) -> None:
    parts = Parts(feed=None, ledger=ledger, rules=(), refused_rules={}, told={}, partners=(), month="2017-03", is_sandbox=True)
    with closing(TillJournal(tmp_path / "agent.sqlite", DOMAIN, 1)) as journal:
        found = journal.write(lambda connection: standing(connection, Reach(), parts, NOW))
    assert [(alarm.code, alarm.detail) for alarm in found.alarms] == told
