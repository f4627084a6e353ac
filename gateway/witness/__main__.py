"""`python -m gateway.witness --config FILE`: countersigns the chain's head every so often until it is told to stop, `--once` now."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from gateway.brand_signer.key import Key
from gateway.foreign.rpc_node import NodeSilent
from gateway.ledger.checkpoints import checkpoint_json
from gateway.secret_files import UnsafeFile, read_or_make
from gateway.values.hex import hex_text
from gateway.witness.log import WitnessLog, WrongLog
from gateway.witness.publishing import NotPublished, Publishing
from gateway.witness.sealed_headers import NodeHeaders
from gateway.witness.settings import BadWitnessSettings, WitnessSettings, load_witness_settings
from gateway.witness.witness_chain import ChainRefused, NotNow, Witness


def main(arguments: list[str] | None = None) -> int:
    """0: told to stop, or with --once the head is signed. 1: refused, or nothing could be signed."""
    os.umask(0o077)
    parser = argparse.ArgumentParser(prog="python -m gateway.witness", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the witness's settings (JSON)")
    parser.add_argument("--once", action="store_true", help="sign the head now and end; exit 1 if it is not signed")
    parser.add_argument("--address", action="store_true", help="print the address of the witness's key (made if there is none) and end")
    given = parser.parse_args(arguments)
    try:
        settings = load_witness_settings(given.config)
        key = Key(read_or_make(settings.key_file))
        if given.address:
            print(key.address)
            return 0
        log = WitnessLog(settings.log_file, settings.genesis_hash, key.address)
        publishing = Publishing.of(settings)
    except (BadWitnessSettings, UnsafeFile, WrongLog, OSError) as wrong:
        print(f"witness: {wrong}", file=sys.stderr)
        return 1
    witness = Witness(NodeHeaders(settings.rpc_url), settings.genesis_hash, key, log, settings.skew_seconds, lambda: int(time.time()))
    return _run(witness, settings, publishing, once=given.once)


def _run(witness: Witness, settings: WitnessSettings, publishing: Publishing | None, *, once: bool) -> int:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    while True:
        done = False
        try:
            checkpoint = witness.look()
            if checkpoint is not None:
                print(json.dumps(checkpoint_json(checkpoint)), flush=True)
            done = True
            if publishing is not None and witness.last is not None:
                publishing.publish(witness.last)
        except ChainRefused as refusal:
            print(f"witness: {refusal}; {_keep(witness, refusal, settings.refusal_file)}", file=sys.stderr)
            return 1
        except (NotNow, NodeSilent, NotPublished, OSError) as wrong:
            print(f"witness: {wrong}", file=sys.stderr, flush=True)
            done = False
        if once:
            return 0 if done else 1
        if stopping.wait(settings.every_seconds):
            return 0


def _keep(witness: Witness, refusal: ChainRefused, file: Path) -> str:
    """Two sealed headers of one number, or a header beside one's own checkpoint, prove what the sealer did."""
    shown = refusal.shown
    document = {
        "reason": str(refusal),
        "shown": None if shown is None else {"header": hex_text(shown.raw), "seal": hex_text(shown.seal)},
        "last_signed": None if witness.last is None else checkpoint_json(witness.last),
    }
    try:
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
    except OSError as error:
        return f"it could not be kept in {file}: {error.strerror}"
    return f"kept in {file}; show it to the others"


if __name__ == "__main__":
    raise SystemExit(main())
