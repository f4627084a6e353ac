"""What a visitor looks at after a run: a member's page, and receipts that the offline verifier has just checked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from scripts.demo.client import Refused
from scripts.demo.world import World

VERIFIER = Path(__file__).resolve().parent.parent / "verify_receipt.py"


def member_page(world: World) -> str:
    """The path of a signed link to the page of a member who holds points of every brand, or of the most there are."""
    best = max(world.members[:40], key=lambda member: len(_brands_held(world, member)))
    path: str = world.operator.ask(f"/v1/members/{best}/view-links", {})["path"]
    return path


def processes_of_gateway(world: World) -> dict[str, int]:
    """The gateway's process forks one ledger worker, and beside it those that answer requests."""
    pid = world.supervisor.pid("gateway")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {"ledger_worker": 1, "api": len(children) - 1}


def processes_line(told: dict[str, int]) -> str:
    return f"Processes: the gateway answers requests in {told['api']}; its ledger worker is another, apart from it"


def keep_receipts(world: World, summary: dict[str, Any]) -> dict[str, Any]:
    """Fetches the receipt of the last confirmed entry and of a member's points, writes both down and has them verified."""
    redeemed = [one for one in _confirmed(world) if one["entry_index"] is not None]
    world.directory.receipts.mkdir(parents=True, exist_ok=True)
    paths = {"member": f"/v1/members/{world.members[0]}/receipt", "entry": f"/v1/operations/{redeemed[0]['operation_id']}/receipt"}
    brand_ids = [brand["brand_id"] for brand in summary["brands"].values()]
    return {name: _keep_receipt(world, name, path, summary["ledger"], brand_ids) for name, path in paths.items()}


def _keep_receipt(world: World, name: str, path: str, ledger: dict[str, Any], brand_ids: list[int]) -> dict[str, Any]:
    """Where it was written and whether it is genuine; on an engine that seals no blocks, why there is none."""
    try:
        document = world.operator.get(path)
    except Refused as refusal:
        if refusal.problem.get("code") != "no_seal":
            raise
        return {"file": None, "verified": None, "reason": refusal.problem["detail"]}
    file = world.directory.receipts / f"{name}.json"
    file.write_text(json.dumps(document, indent=1) + "\n")
    return {"file": str(file), "verified": verify(file, ledger, brand_ids)}


def verify(receipt: Path, ledger: dict[str, Any], brand_ids: list[int]) -> bool:
    """Whether `scripts/verify_receipt.py` finds the receipt genuine and no lot left out, given what a stranger would trust."""
    trusted = ["--genesis-hash", ledger["genesis_hash"], "--sealer", ledger["sealer"], "--points-address", ledger["points_address"]]
    trusted += [word for brand_id in brand_ids for word in ("--brand", str(brand_id))]
    return subprocess.run([sys.executable, str(VERIFIER), str(receipt), *trusted], capture_output=True, check=False).returncode == 0


def _confirmed(world: World) -> list[dict[str, Any]]:
    operations: list[dict[str, Any]] = world.operator.get("/v1/operations", status="confirmed", limit=50)["operations"]
    return operations


def _brands_held(world: World, member: str) -> list[dict[str, Any]]:
    brands: list[dict[str, Any]] = world.operator.get(f"/v1/members/{member}/points")["brands"]
    return brands
