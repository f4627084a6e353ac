"""What docs/brand-agent.md prints for a till runs as printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import update

from gateway.rounds.tables import OperationRow
from tests.builders.brands import ROOT
from tests.builders.offline_coalition import START
from tests.documents.printed import blocks
from tests.gateway.brand_agent.conftest import Shop


def test_every_printed_call_runs_as_printed(shop: Shop) -> None:
    with shop.agent.till() as till:
        for payment_id, reason in (("p-2", "signer_refused: unknown_sale"), ("p-3", "IssueRefused")):
            till.post("/v1/purchases", json=shop.sale(payment_id))
            _refused(shop, payment_id, reason)
    printed = [block for block in blocks("docs/brand-agent.md") if block.language == "till"]
    statements = [statement for block in printed for statement in block.statements()]
    assert len(statements) == 14
    script = "\n".join(["set -euo pipefail", *(f"{statement}; echo" for statement in statements)])
    known = {"AGENT": f"http://127.0.0.1:{shop.agent.port}", "MEMBER": shop.member.member_id, "PYTHONPATH": str(ROOT)}
    environment = {**os.environ, **known, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=shop.agent.folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    ended = shop.ended("/v1/purchases/p-1", "/v1/payment-refunds/b-1", "/v1/purchases/p-2")
    assert [one["outcome"] for one in ended] == ["confirmed"] * 3
    with shop.agent.till() as till:
        assert till.get("/v1/refused").json()["refused"] == []


def _refused(shop: Shop, payment_id: str, reason: str) -> None:
    shop.arrived(f"/v1/purchases/{payment_id}")
    with shop.gateway.coalition.database.write() as session:
        ended = {"status": "refused", "reason": reason, "finished_at": START}
        session.execute(update(OperationRow).where(OperationRow.status == "accepted").values(**ended))
    assert shop.ended(f"/v1/purchases/{payment_id}")[0]["outcome"] == "refused"
