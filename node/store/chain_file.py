"""A chain in one file: JSON lines, the genesis first, then a block and its seal a line. Written and read a block at a time.

A name that ends in `.gz` is compressed. The first line says how many blocks follow, so that a torn file is known as one.
"""

import gzip
import json
import os
import secrets
import zlib
from binascii import unhexlify
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from node.chain.errors import BadBlock, ChainError
from node.chain.following import SealedBlock
from node.chain.genesis import GenesisConfig, canonical_json, parse_config
from node.chain.history import History
from node.store.database import flush_names

FORMAT = "splittally-chain/1"
LINE_BYTES_MAX = 64 * 1024 * 1024  # a block of 2^26 gas has at most 4 MiB of transactions that pay for themselves


class ChainFileError(ChainError):
    """A file that holds no chain, and why."""


@dataclass(frozen=True)
class ChainHead:
    """A chain file's first line."""

    config: GenesisConfig
    genesis_hash: bytes
    genesis_seal: bytes
    blocks: int


def write_chain(history: History, path: Path) -> int:
    """Returns how many blocks stand after the genesis. The file is there whole or not at all; an old one is not replaced."""
    if path.exists():
        raise ChainFileError(f"{path} exists already")
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")  # another export may be at work on the same one
    blocks = int(history.head.block_number)
    try:
        with aside.open("xb") as raw:
            file = _compressed(raw) if path.suffix == ".gz" else raw
            for line in _lines(history, blocks):
                file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
            if file is not raw:
                file.close()
            raw.flush()
            os.fsync(raw.fileno())
        if path.exists():
            raise ChainFileError(f"{path} exists already")
        aside.rename(path)
        flush_names(path.parent)
    except OSError as error:
        raise ChainFileError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        aside.unlink(missing_ok=True)
    return blocks


def read_head(file: IO[bytes]) -> ChainHead:
    """Raises ChainFileError."""
    line = _next_line(file, "its first line")
    try:
        if line["format"] != FORMAT:
            raise ChainFileError(f"the file's format is {line['format']!r}, this node reads {FORMAT}")
        config = parse_config(json.dumps(line["genesis"], sort_keys=True, separators=(",", ":")).encode())
        head = ChainHead(config, _bytes(line["genesisHash"]), _bytes(line["genesisSeal"]), line["blocks"])
    except (KeyError, TypeError, ValueError) as error:
        raise ChainFileError(f"the file is not a chain: its first line lacks or garbles {error}") from error
    if type(head.blocks) is not int or head.blocks < 0 or set(line) != {"format", "genesis", "genesisHash", "genesisSeal", "blocks"}:
        raise ChainFileError("the file is not a chain: its first line is not in the form of one")
    return head


def read_blocks(file: IO[bytes], head: ChainHead) -> Iterator[SealedBlock]:
    """Raises BadBlock, naming the first block that is torn, missing or not in its form."""
    for number in range(1, head.blocks + 1):
        try:
            line = _next_line(file, f"block {number} of {head.blocks}")
            if set(line) != {"number", "block", "seal"} or line["number"] != number:
                raise ChainFileError("its line is not in the form of one, or is another block's")
            yield SealedBlock(number, _bytes(line["block"]), _bytes(line["seal"]))
        except (ChainFileError, KeyError, TypeError, ValueError) as error:
            raise BadBlock(f"block {number}: {error}") from error
    if _read_line(file):
        raise ChainFileError(f"the file goes on after its last block, {head.blocks}")


def open_chain_file(path: Path) -> IO[bytes]:
    try:
        return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise ChainFileError(f"{path} cannot be read: {error.strerror}") from error


def _lines(history: History, blocks: int) -> Iterator[dict[str, object]]:
    yield {
        "format": FORMAT,
        "genesis": json.loads(canonical_json(history.config)),
        "genesisHash": "0x" + history.genesis_hash.hex(),
        "genesisSeal": "0x" + history.seal(0).hex(),
        "blocks": blocks,
    }
    for number in range(1, blocks + 1):
        yield {"number": number, "block": "0x" + history.block(number).raw.hex(), "seal": "0x" + history.seal(number).hex()}


def _compressed(raw: IO[bytes]) -> gzip.GzipFile:
    return gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="")


def _next_line(file: IO[bytes], what: str) -> dict[str, Any]:
    line = _read_line(file)
    if not line:
        raise ChainFileError(f"the file ends before {what}")
    if not line.endswith(b"\n"):
        raise ChainFileError(f"the file is torn in {what}")
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ChainFileError(f"{what} is not JSON") from error
    if not isinstance(fields, dict):
        raise ChainFileError(f"{what} is not a JSON object")
    return fields


def _read_line(file: IO[bytes]) -> bytes:
    try:
        line = file.readline(LINE_BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ChainFileError(f"the file cannot be read any further: {error}") from error
    if len(line) > LINE_BYTES_MAX:
        raise ChainFileError(f"a line is longer than {LINE_BYTES_MAX} bytes")
    return line


def _bytes(text: object) -> bytes:
    if not isinstance(text, str) or text[:2] != "0x" or text != text.lower():
        raise ValueError(f"{str(text)[:20]!r} is not lower-case 0x hex")
    return unhexlify(text[2:])  # takes no white space, unlike bytes.fromhex
