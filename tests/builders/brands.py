"""Brand signers as brands run them: a process each, with its own key file, sales register and journal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.brand_signer.key import Key
from gateway.brand_signer.register_writer import RegisterWriter
from gateway.coalition.coalition import Coalition
from gateway.secret_files import read_or_make
from gateway.values.ids import Address

ROOT = Path(__file__).parents[2]
RULE_POINTS, RULE_PER_MINOR = 1, 100


@dataclass
class BrandBuilder:
    """A brand's own side: its folder, its till's register, and its signer, which can be stopped and started."""

    brand_id: int
    folder: Path
    process: subprocess.Popen[str] | None = None
    port: int = 0

    @property
    def key_address(self) -> Address:
        return Key(read_or_make(self.folder / "key")).address

    @property
    def reference_secret(self) -> bytes:
        return read_or_make(self.folder / "reference_secret")

    @property
    def token(self) -> str:
        return read_or_make(self.folder / "token").hex()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write_config(self, coalition: Coalition, validity_months: int, unlisted_points_max: int) -> None:
        programme = {
            "rules": [{"version": 1, "points": RULE_POINTS, "per_minor": RULE_PER_MINOR, "valid_from": 0}],
            "earn_on_tax": False,
            "lot_validity_months": validity_months,
            "unlisted_points_max": unlisted_points_max,
            "redemption": {"minor": 1, "points": 1},
        }
        ledger = {
            "coalition_id": str(coalition.coalition_id),
            "chain_id": coalition.chain_id,
            "points_address": str(coalition.points_address),
            "utc_offset_seconds": coalition.utc_offset_seconds,
            "sandbox": coalition.sandbox,
        }
        listen = {"host": "127.0.0.1", "port": self.port}
        written = {"brand_id": self.brand_id, "listen": listen, "coalition": ledger, "programme": programme}
        (self.folder / "signer.json").write_text(json.dumps(written))

    def start(self) -> None:
        """Serves; the first start takes a free port, later ones the same again."""
        config = self.folder / "signer.json"
        command = [sys.executable, "-m", "gateway.brand_signer", "--config", str(config)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the signer of brand {self.brand_id} did not start"
        self.port = int(line.rsplit(":", 1)[1])
        written = json.loads(config.read_text())
        written["listen"]["port"] = self.port
        config.write_text(json.dumps(written))

    def stop(self) -> None:
        """Killed, as a signer may be at any time."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def till(self, *records: Mapping[str, Any]) -> None:
        """The till writes to its register."""
        writer = RegisterWriter(self.folder / "sales.jsonl")
        writer.append(records)
        writer.close()
