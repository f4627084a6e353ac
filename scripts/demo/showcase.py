"""What a visitor looks at after a run: a member's page, and receipts that the offline verifier has just checked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from scripts.demo.world import World

VERIFIER = Path(__file__).resolve().parent.parent / "verify_receipt.py"


def member_page(world: World) -> str:
    """The path of a signed link to the page of a member who holds points of every brand, or of the most there are."""
    best = max(world.members[:40], key=lambda member: len(_brands_held(world, member)))
    path: str = world.operator.ask(f"/v1/members/{best}/view-links", {})["path"]
    return path


def keep_receipts(world: World, summary: dict[str, Any]) -> dict[str, Any]:
    """Fetches the receipt of the last confirmed entry and of a member's points, writes both down and has them verified."""
    redeemed = [one for one in _confirmed(world) if one["entry_index"] is not None]
    documents = {
        "member": world.operator.get(f"/v1/members/{world.members[0]}/receipt"),
        "entry": world.operator.get(f"/v1/operations/{redeemed[0]['operation_id']}/receipt"),
    }
    world.directory.receipts.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = {}
    for name, document in documents.items():
        path = world.directory.receipts / f"{name}.json"
        path.write_text(json.dumps(document, indent=1) + "\n")
        kept[name] = {"file": str(path), "verified": verify(path, summary["ledger"])}
    return kept


def verify(receipt: Path, ledger: dict[str, Any]) -> bool:
    """Whether `scripts/verify_receipt.py` finds the receipt genuine, given what a stranger would trust."""
    trusted = ["--genesis-hash", ledger["genesis_hash"], "--sealer", ledger["sealer"], "--points-address", ledger["points_address"]]
    return subprocess.run([sys.executable, str(VERIFIER), str(receipt), *trusted], capture_output=True, check=False).returncode == 0


def _confirmed(world: World) -> list[dict[str, Any]]:
    operations: list[dict[str, Any]] = world.operator.get("/v1/operations", status="confirmed", limit=50)["operations"]
    return operations


def _brands_held(world: World, member: str) -> list[dict[str, Any]]:
    brands: list[dict[str, Any]] = world.operator.get(f"/v1/members/{member}/points")["brands"]
    return brands
