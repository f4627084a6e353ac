"""The operator's first API key: made once, its token in a file that only the owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from gateway.access.api_key import Role, split_token
from gateway.access.create_api_key import create_api_key
from gateway.access.rows import SqlApiKeys
from gateway.secret_files import read_secret
from gateway.store.session import Database
from gateway.store.unit_of_work import writing
from gateway.values.calendar import wall_clock


def ensure_operator_api_key(database: Database, file: Path) -> None:
    """Makes the key unless the file names one that the database knows. The key is stored before its file is written."""
    with writing(database, lambda _: wall_clock()) as work:
        api_keys = work.of(SqlApiKeys)
        if file.exists() and api_keys.find(split_token(read_secret(file))[0]) is not None:
            return
        _, token = create_api_key(
            secrets.token_hex(16), secrets.token_urlsafe(32), Role.OPERATOR, None, "first operator key", api_keys=api_keys, now=wall_clock()
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(token + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    new.replace(file)
