"""Secrets in files that only their owner may read; made at the first start."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from gateway.values.hex import bare_to_bytes


class UnsafeFile(Exception):
    """A secret stands in a file that others may read, or that does not hold what it should."""


def read_or_make(path: Path) -> bytes:
    """The 32 bytes that stand in the file as hex; random ones, on disk before they are used, where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        secret = secrets.token_bytes(32)
        stream.write(secret.hex() + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    _sync_folder(path.parent)
    return secret


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise UnsafeFile(f"{path} may be read by others: chmod 600 it, or better make a new secret")
    try:
        secret = bare_to_bytes(path.read_text(encoding="ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise UnsafeFile(f"{path} does not hold 32 bytes in hex")
    return secret


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
