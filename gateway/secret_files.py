"""Secrets in files that only their owner may read: made at the first start, refused by name when others may read them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from gateway.values.errors import Foreseen
from gateway.values.hex import bare_to_bytes

FOR_OTHERS = 0o077


class UnsafeFile(Foreseen):
    """A secret stands in a file that others may read, or that does not hold what it should."""


def read_secret(path: Path) -> str:
    """What stands in the file, without the space around it. Raises UnsafeFile."""
    try:
        with path.open(encoding="ascii") as stream:
            mode = os.fstat(stream.fileno()).st_mode & 0o777
            if mode & FOR_OTHERS:
                raise UnsafeFile(f"{path} may be read by others (mode {mode:o}): chmod 600 {path}, or better make a new secret")
            return stream.read().strip()
    except OSError as error:
        raise UnsafeFile(f"{path} cannot be read ({error.strerror}): it must be a file of the user who runs this") from error
    except UnicodeDecodeError as error:
        raise UnsafeFile(f"{path} holds no secret: put it back from a backup") from error


def make_secret(path: Path, text: str) -> bool:
    """Writes a new file, on disk when this returns; False, and nothing is written, where there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    _sync_folder(path.parent)
    return True


def read_or_make(path: Path) -> bytes:
    """The 32 bytes that stand in the file as hex; random ones, on disk before they are used, where there is none."""
    made = secrets.token_bytes(32)
    if make_secret(path, made.hex()):
        return made
    try:
        secret = bare_to_bytes(read_secret(path))
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise UnsafeFile(f"{path} does not hold 32 bytes in hex: put it back from a backup")
    return secret


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
