"""Invariant 6: the projection equals a replay of the ledger, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from gateway.audit.case import Case
from gateway.audit.expected_rows import expected_rows
from gateway.values.hex import hex_text


def findings(case: Case) -> Iterator[str]:
    chain = case.evidence.chain
    found_blocks = {row[0]: row[1] for row in case.evidence.store.projection["ledger_blocks"]}
    if found_blocks.get(chain.block_number) != chain.block_hash:
        yield f"the projection stands on a block {chain.block_number} that is not the chain's"
    for table, due_rows in expected_rows(chain, case.replay).items():
        found = Counter(case.evidence.store.projection[table])
        due = Counter(due_rows)
        for row in (found - due).elements():
            yield f"{table} has a row that the ledger does not give: {_shown(row)}"
        for row in (due - found).elements():
            yield f"{table} lacks a row that the ledger gives: {_shown(row)}"


def _shown(row: tuple[Any, ...]) -> str:
    return ", ".join(hex_text(value)[:18] + "…" if isinstance(value, bytes) else str(value) for value in row)
