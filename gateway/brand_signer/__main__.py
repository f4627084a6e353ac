"""`python -m gateway.brand_signer --config FILE`: serves one brand's signer on loopback until it is told to stop."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from gateway.brand_signer.books import Books
from gateway.brand_signer.config import BadConfig, Config, load_config
from gateway.brand_signer.journal import Journal, WrongJournal
from gateway.brand_signer.json_server import JsonServer, serve_on
from gateway.brand_signer.routes import PUBLIC, routes_of
from gateway.brand_signer.sales_register import DamagedRegister, FileRegister
from gateway.brand_signer.sign_batch import BatchSigner
from gateway.secret_files import UnsafeFile, read_or_make, unusable_place
from gateway.values.calendar import wall_clock


def main(arguments: list[str] | None = None) -> int:
    os.umask(0o077)
    parser = argparse.ArgumentParser(prog="python -m gateway.brand_signer", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the signer's settings (JSON)")
    parser.add_argument("--address", action="store_true", help="print the address of the brand's key (made if there is none) and end")
    given = parser.parse_args(arguments)
    try:
        config = load_config(given.config)
        if given.address:
            print(config.key.open().address)
            return 0
        server = open_signer(config)
    except (BadConfig, UnsafeFile, WrongJournal, DamagedRegister, OSError) as wrong:
        print(f"brand signer: {unusable_place(wrong) if isinstance(wrong, OSError) else wrong}", file=sys.stderr)
        return 1
    told = ", where points expire by the sandbox's time," if config.sandbox else ""
    print(f"signer of brand {config.brand_id}{told} on {server.url}", flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    return 0


def open_signer(config: Config) -> JsonServer:
    """The signer, bound and ready to serve."""
    secret = read_or_make(config.reference_secret_file)
    register = FileRegister(config.register_file, secret)
    register.refresh()
    books = Books(config.programme, register, secret, config.utc_offset_seconds, None if config.sandbox else wall_clock)
    journal = Journal(config.journal_file, config.domain, config.brand_id)
    signer = BatchSigner(config.key.open(), config.domain, config.brand_id, books, journal)
    token = read_or_make(config.token_file).hex()
    return serve_on(config.host, config.port, token, routes_of(signer, config.brand_id), PUBLIC)


if __name__ == "__main__":
    raise SystemExit(main())
