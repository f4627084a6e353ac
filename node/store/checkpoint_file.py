"""Checkpoints as files, one JSON object each, to be passed around by mail or any other way."""

import json
from pathlib import Path

from node.chain.checkpoints import BadCheckpoint, Checkpoint

FORMAT = "splittally-checkpoint/2"
EARLIER_FORMAT = "splittally-checkpoint/1"  # without times
FILE_BYTES_MAX = 4_096


def encode(checkpoint: Checkpoint) -> str:
    fields = {
        "format": FORMAT,
        "genesisHash": "0x" + checkpoint.genesis_hash.hex(),
        "number": checkpoint.number,
        "blockHash": "0x" + checkpoint.block_hash.hex(),
        "blockTime": checkpoint.block_time,
        "witnessedAt": checkpoint.witnessed_at,
        "signer": "0x" + checkpoint.signer.hex(),
        "signature": "0x" + checkpoint.signature.hex(),
    }
    return json.dumps(fields, indent=1) + "\n"


def read(path: Path) -> Checkpoint:
    """Raises BadCheckpoint if the file is not one. The signature is not checked here."""
    try:
        with path.open("rb") as file:
            fields = json.loads(file.read(FILE_BYTES_MAX))
        if fields["format"] == EARLIER_FORMAT:
            raise ValueError(f"{EARLIER_FORMAT} names no times: have it signed again")
        if fields["format"] != FORMAT:
            raise ValueError("another format")
        return Checkpoint(
            genesis_hash=_bytes(fields["genesisHash"], 32),
            number=_whole(fields["number"]),
            block_hash=_bytes(fields["blockHash"], 32),
            block_time=_whole(fields["blockTime"]),
            witnessed_at=_whole(fields["witnessedAt"]),
            signer=_bytes(fields["signer"], 20),
            signature=_bytes(fields["signature"], 65),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadCheckpoint(f"{path} is not a checkpoint: {error!r}") from error


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise ValueError(f"{str(value)[:20]!r} is no whole number")
    return value


def _bytes(text: object, length: int) -> bytes:
    if not isinstance(text, str) or text[:2] != "0x":
        raise ValueError("no 0x-prefixed hex")
    value = bytes.fromhex(text[2:])
    if len(value) != length:
        raise ValueError(f"{len(value)} bytes instead of {length}")
    return value
