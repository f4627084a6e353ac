"""Brand signers as brands run them: real key files, register and journal, served in this process on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.brand_signer.checks import Books
from gateway.brand_signer.config import load_config
from gateway.brand_signer.journal import Journal
from gateway.brand_signer.json_server import JsonServer, serve_on
from gateway.brand_signer.key import Key
from gateway.brand_signer.register_writer import RegisterWriter
from gateway.brand_signer.routes import PUBLIC, routes_of
from gateway.brand_signer.sales_register import FileRegister
from gateway.brand_signer.secret_files import read_or_make
from gateway.brand_signer.sign_batch import BatchSigner
from gateway.domain.coalition import Coalition

RULE_POINTS, RULE_PER_MINOR = 1, 100


@dataclass
class BrandBuilder:
    """A brand's own side: its folder, its till's register, and its signer, which can be stopped and started."""

    brand_id: int
    folder: Path
    server: JsonServer | None = None
    journal: Journal | None = None
    port: int = 0

    @property
    def key_address(self) -> str:
        return "0x" + Key(read_or_make(self.folder / "key")).address.hex()

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
        }
        ledger = {
            "coalition_id": "0x" + coalition.coalition_id.hex(),
            "chain_id": coalition.chain_id,
            "points_address": "0x" + coalition.points_address.hex(),
            "utc_offset_seconds": coalition.utc_offset_seconds,
        }
        listen = {"host": "127.0.0.1", "port": self.port}
        written = {"brand_id": self.brand_id, "listen": listen, "coalition": ledger, "programme": programme}
        (self.folder / "signer.json").write_text(json.dumps(written))

    def start(self) -> None:
        """Serves; the first start takes a free port, later ones the same again."""
        config = load_config(self.folder / "signer.json")
        books = Books(config.programme, FileRegister(config.register_file), self.reference_secret, config.utc_offset_seconds)
        self.journal = Journal(config.journal_file, config.domain, config.brand_id)
        signer = BatchSigner(Key(read_or_make(config.key_file)), config.domain, config.brand_id, books, self.journal)
        self.server = serve_on(config.host, config.port, self.token, routes_of(signer, config.brand_id), PUBLIC)
        taken = self.server.socket.getsockname()[1]
        if taken != self.port:
            self.port = taken
            written = json.loads((self.folder / "signer.json").read_text())
            written["listen"]["port"] = taken
            (self.folder / "signer.json").write_text(json.dumps(written))
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self.server is not None and self.journal is not None:
            self.server.shutdown()
            self.server.server_close()
            self.journal.close()
            self.server = None

    def till(self, *records: Mapping[str, Any]) -> None:
        """The till writes to its register."""
        writer = RegisterWriter(self.folder / "sales.jsonl")
        writer.append(records)
        writer.close()
