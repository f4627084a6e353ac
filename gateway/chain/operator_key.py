"""The operator's account key: a file that only its owner may read, made on first use."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from gateway.values.hex import hex_text


class UnsafeKeyFile(Exception):
    """The key file is readable by others or holds no key."""


def create_key_file(path: Path) -> None:
    """A new random key, unless the file is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(hex_text(secrets.token_bytes(32)) + "\n")
        file.flush()
        os.fsync(file.fileno())


def load_account(path: Path) -> LocalAccount:
    """The account of a key file."""
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text().strip()
    except OSError as error:
        raise UnsafeKeyFile(f"{path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise UnsafeKeyFile(f"{path} may be read by others (mode {mode:o}); make it 600")
    try:
        account: LocalAccount = Account.from_key(text)
    except ValueError as error:
        raise UnsafeKeyFile(f"{path} holds no key") from error
    return account
