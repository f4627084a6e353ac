"""The note beside a store that a chain was begun in it. A store that is empty all the same has lost its chain, and is not taken for new.

It is written once block 0 is on disk, before anything is shown of it, and stays. A crash before that leaves nothing that anyone has seen.
"""

import os
from pathlib import Path

from node.chain.errors import StoreFailed
from node.store.database import HINT, flush_names

CONTENT = b"A chain was begun in the store beside this file. While it is here, no other chain is begun in that one's place.\n"


def note_of(store: Path) -> Path:
    return store.with_name(store.name + ".begun")


def was_begun(store: Path) -> bool:
    return note_of(store).exists()


def note_begun(store: Path) -> None:
    """Also for a store that an earlier version has begun. On disk when it returns; only that it is there counts."""
    note = note_of(store)
    if note.exists():
        return
    try:
        handle = os.open(note, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(CONTENT)
            file.flush()
            os.fsync(file.fileno())
        flush_names(note.parent)
    except OSError as error:
        raise StoreFailed(f"{note} cannot be written: {error.strerror}") from error


def check_not_lost(store: Path) -> None:
    """Raises StoreFailed, before anything is written, if the chain that was begun here has left not even an empty store."""
    put_aside = store.with_name(store.name + ".damaged").exists()  # by a repair, which is named by itself
    if was_begun(store) and not put_aside and not holds_a_store(store):
        raise lost(store)


def holds_a_store(store: Path) -> bool:
    """Any part of one, of an earlier version's (LMDB) too."""
    files = [*store.iterdir()] if store.is_dir() else []
    return any(file.name in ("CURRENT", "data.mdb") or file.suffix in (".sst", ".log") for file in files)


def lost(store: Path) -> StoreFailed:
    return StoreFailed(
        f"the chain that was begun in {store} is gone. If it is on a disk of its own, mount that; else {HINT}, "
        "or copy a backup back. A new chain is begun in a new directory"
    )
