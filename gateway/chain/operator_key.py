"""The operator's account key: a secret file, made on first use."""

from __future__ import annotations

import secrets
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from gateway.secret_files import UnsafeFile, make_secret, read_secret
from gateway.values.hex import hex_text


def create_key_file(path: Path) -> None:
    """A new random key, unless the file is there."""
    make_secret(path, hex_text(secrets.token_bytes(32)))


def load_account(path: Path) -> LocalAccount:
    """The account of a key file. Raises UnsafeFile."""
    try:
        account: LocalAccount = Account.from_key(read_secret(path))
    except ValueError:
        raise UnsafeFile(f"{path} holds no key: put it back from a backup") from None
    return account
