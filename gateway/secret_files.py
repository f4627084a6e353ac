"""Secrets in files that only their owner may read: made at the first start, refused by name when others may read them."""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path

from gateway.values.errors import Foreseen
from gateway.values.hex import bare_to_bytes

FOR_OTHERS = 0o077
log = logging.getLogger(__name__)


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


def unusable_place(error: OSError) -> str:
    """What to do where a program may not read or write what is its own."""
    if error.filename is None:
        return str(error)
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
    remedy = "it and its folder must be readable and writable for the user who runs this"
    return f"{name} cannot be used ({error.strerror}; this runs as user {os.geteuid()}): {remedy} (chown, or another mount)"


def make_private_folder(path: Path) -> None:
    """Makes the folder, or closes to others one that is there: everything in it says who bought what. Raises UnsafeFile."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    _close_to_others(path)


def make_private_file(path: Path) -> None:
    """Makes an empty file for its owner alone, or closes to others one that is there. Raises UnsafeFile."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        _close_to_others(path)
    except OSError as error:
        raise UnsafeFile(f"{path} cannot be made ({error.strerror}): name another place, or make its folder writable") from error


def close_to_others_if_there(path: Path) -> None:
    """As `make_private_file`, of what need not be there."""
    if path.exists():
        _close_to_others(path)


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


def _close_to_others(path: Path) -> None:
    mode = path.stat().st_mode & 0o777
    if not mode & FOR_OTHERS:
        return
    try:
        path.chmod(mode & ~FOR_OTHERS)
    except OSError as error:
        raise UnsafeFile(f"{path} is open to others (mode {mode:o}) and belongs to another user: chmod go= {path}") from error
    log.warning("%s was open to others (mode %o): it is its owner's alone now", path, mode)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
