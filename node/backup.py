"""A consistent copy of a data directory while its node goes on working. To restore, copy it back and `verify` it."""

import secrets
import shutil
from pathlib import Path

from node.config import DataDirectory, DataDirectoryError
from node.opening import beside_a_node, sole_user
from node.store.database import flush_names


def back_up(directory: DataDirectory, to: Path, *, with_key: bool) -> int:
    """Returns the head's number in the copy. `to` is there whole or not at all; an existing one is not replaced.

    Without the sealer's key a copy can be read, verified and followed from, but not continued. A backup that was killed leaves its
    `.part` behind: what it did not make, no backup takes away.
    """
    if to.exists():
        raise DataDirectoryError(f"{to} exists already")
    copy = DataDirectory(to.with_name(f"{to.name}.{secrets.token_hex(4)}.part"))
    try:
        copy.path.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise DataDirectoryError(f"{to} cannot be written: {error.strerror}") from error
    try:
        with beside_a_node(directory) as (_, store):
            store.copy_to(copy.store)
        copy.write_genesis(directory.genesis())
        if with_key:
            copy.write_key(directory.sealer_key())
        with sole_user(copy) as history:  # opens as the node would: a copy that does not is no backup
            head = int(history.head.block_number)
        (copy.path / "lock").unlink()
        copy.path.rename(to)
        flush_names(to.parent)
    except OSError as error:
        raise DataDirectoryError(f"{to} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(copy.path, ignore_errors=True)
    return head
