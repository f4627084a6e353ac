"""After the walk: the provider files come in, every brand is reconciled, and the breaks are held against the answer file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from scripts.demo.coalition import BRANDS, UTC_OFFSET_SECONDS
from scripts.demo.column_mappings import column_mapping_for
from scripts.demo.generator.files import write_files
from scripts.demo.generator.planning import Plan
from scripts.demo.scorer import FoundBreak, Score, found_break, read_answers, score
from scripts.demo.till import Till
from scripts.demo.walk import Actuals
from scripts.demo.world import World


@dataclass
class Reconciled:
    """What the payment files and the reconciliations of all brands came to."""

    payment_records: int
    line_errors: int
    summaries: dict[str, dict[str, Any]]
    found: Counter[str]
    score: Score


def reconcile_all(world: World, plan: Plan, actuals: Actuals, seed: int, progress: Callable[[str], None]) -> Reconciled:
    """Files in, matches and breaks out. The answer file is read by the scorer alone, after everything was reported."""
    run = f"{seed}-{plan.cut_off}"
    written = write_files(plan, actuals.sales, actuals.refunds, world.directory.payment_files / run, UTC_OFFSET_SECONDS)
    records = errors = 0
    found: list[FoundBreak] = []
    kinds: Counter[str] = Counter()
    summaries: dict[str, dict[str, Any]] = {}
    for brand in BRANDS:
        till = world.tills[brand.slug]
        progress(f"{brand.name}: payment files")
        _save_mapping(till)
        for path in written.by_brand[brand.slug]:
            file = _import(till, path, run)
            records += file["row_count"]
            errors += file["error_count"]
        progress(f"{brand.name}: reconciliation")
        reconciliation = till.client.post(
            "/v1/reconciliations", {"cut_off_date": plan.cut_off.isoformat()}, f"reconcile-{run}", wait_seconds=0
        )
        summaries[brand.slug] = reconciliation["summary"]
        for one in _breaks(till, reconciliation["reconciliation_id"]):
            kinds[one["kind"]] += 1
            found.append(found_break(one))
    return Reconciled(records, errors, summaries, kinds, score(read_answers(written.answers), found))


def cut_off_of(last_day: date) -> date:
    """The reconciliation speaks up to the end of the walk."""
    return last_day


def _save_mapping(till: Till) -> None:
    mapping = column_mapping_for(till.brand.slug, UTC_OFFSET_SECONDS)
    if mapping is not None:
        name = till.brand.layout.removeprefix("mapped:")
        till.client.post("/v1/column-mappings", {"name": name, "definition": mapping}, f"mapping-{name}", wait_seconds=0)


def _import(till: Till, path: Path, run: str) -> dict[str, Any]:
    file: dict[str, Any] = till.client.upload(
        "/v1/payment-files", path.read_bytes(), f"file-{run}-{path.name}", layout=till.brand.layout, file_name=path.name
    )
    return file


def _breaks(till: Till, reconciliation_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query: dict[str, str | int] = {"limit": 200}
    while True:
        page = till.client.get(f"/v1/reconciliations/{reconciliation_id}/breaks", **query)
        found += page["breaks"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]
