"""On an honest ledger every invariant holds."""

from __future__ import annotations

from gateway.audit.run import audit
from tests.gateway.audit.live_ledger import START, LiveLedger


def test_every_invariant_holds_on_a_ledger_on_which_everything_has_happened(honest: LiveLedger) -> None:
    told: list[str] = []
    report = audit(honest.database, honest.chain, lambda: START, progress=lambda doing, done, total: told.append(doing))
    assert report.as_json()["findings"] == {}
    assert report.failed == []
    assert [verdict.number for verdict in report.verdicts] == list(range(1, 14))
    assert {verdict.summary for verdict in report.verdicts} == {"ok"}
    assert report.entries > 10
    assert "replaying the ledger" in told


def test_one_invariant_alone_can_be_asked_for(honest: LiveLedger) -> None:
    report = audit(honest.database, honest.chain, lambda: START, numbers=(4,))
    assert [verdict.number for verdict in report.verdicts] == [4]
