"""The main job at full size on one seed, or on the reduced extract: its summary without what is left to chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.end_to_end import demo_run

SEEDS = (1259539051, 1, 20170401, 987654321)
CHANCE_IN_LEDGER = {"entries", "rpc_url", "client", "coalition_id", "genesis_hash", "sealer", "points_address", "blocks", "head_hash"}
CHANCE_IN_RECEIPT = {"file"}
CHANCE = {"seconds", "database", "succession", "witnesses"}  # the last two name keys that are made anew


def collect(folder: Path, seed: int) -> dict[str, Any]:
    return lasting(demo_run.run_once(folder / f"seed-{seed}", "--seed", str(seed)))


def collect_reduced(folder: Path) -> dict[str, Any]:
    return lasting(demo_run.run_once(folder / "reduced", *demo_run.REDUCED, "--seed", demo_run.SEED))


def lasting(summary: dict[str, Any]) -> dict[str, Any]:
    """All of the summary but times, places, keys, hashes, and what follows from times: how many blocks, and steps of extensions."""
    kept = {name: value for name, value in demo_run.totals(summary).items() if name not in CHANCE}
    kept["ledger"] = {name: value for name, value in summary["ledger"].items() if name not in CHANCE_IN_LEDGER}
    kept["receipts"] = {
        which: {name: value for name, value in receipt.items() if name not in CHANCE_IN_RECEIPT}
        for which, receipt in summary["receipts"].items()
    }
    return kept
