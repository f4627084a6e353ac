"""One audit from beginning to end: a snapshot of the database, the chain at the block it stands on, the checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.audit.case import open_case
from gateway.audit.evidence import Evidence, StoreEvidence
from gateway.audit.gather_chain import gather_chain
from gateway.audit.gather_store import gather_store
from gateway.audit.invariants import NUMBERS, Verdict, check
from gateway.audit.replay import AuditProgress
from gateway.brands.tables import BrandDocumentRow
from gateway.chain.connection import Chain
from gateway.store.session import Database
from gateway.values.errors import Unavailable
from gateway.values.ids import Hash


@dataclass(frozen=True)
class AuditReport:
    """The verdicts, and what they are about."""

    block_number: int
    block_hash: Hash
    entries: int
    batches: int
    holdings: int
    verdicts: tuple[Verdict, ...]

    @property
    def failed(self) -> list[int]:
        """The numbers that do not hold."""
        return [verdict.number for verdict in self.verdicts if not verdict.holds]

    def as_json(self) -> dict[str, Any]:
        """`invariants` by number: `ok` or what fails; `findings` by number where there are any."""
        return {
            "block": {"number": self.block_number, "hash": str(self.block_hash)},
            "entries": self.entries,
            "batches": self.batches,
            "holdings": self.holdings,
            "invariants": {str(verdict.number): verdict.summary for verdict in self.verdicts},
            "findings": {str(verdict.number): list(verdict.findings) for verdict in self.verdicts if verdict.findings},
            "findings_total": {str(verdict.number): verdict.findings_total for verdict in self.verdicts if verdict.findings},
            "not_yet": {str(verdict.number): verdict.not_yet for verdict in self.verdicts if verdict.not_yet},
            "failed": self.failed,
        }


def audit(
    database: Database,
    chain: Chain,
    clock: Callable[[], int],
    *,
    numbers: Sequence[int] = NUMBERS,
    progress: AuditProgress | None = None,
    own_documents: Sequence[BrandDocumentRow] = (),
) -> AuditReport:
    """Checks the invariants on live data. Nothing is written, and no unit of work is open while the node is asked."""
    store = gather_store(database)
    head = _head(store)
    now = head[1] if store.coalition.sandbox else clock()
    evidence = Evidence(gather_chain(chain, store.coalition, head[0], progress), store, now, own_documents)
    case = open_case(evidence, progress)
    return AuditReport(
        block_number=evidence.chain.block_number,
        block_hash=evidence.chain.block_hash,
        entries=len(case.replay.book.entries),
        batches=len(case.replay.batches),
        holdings=len(evidence.chain.holdings),
        verdicts=tuple(check(case, numbers)),
    )


def _head(store: StoreEvidence) -> tuple[int, int]:
    """(number, timestamp) of the last block projected."""
    blocks = store.projection["ledger_blocks"]
    if not blocks:
        raise Unavailable("Nothing is projected yet: there is nothing to audit")
    number, _, timestamp = max(blocks)
    return number, timestamp
