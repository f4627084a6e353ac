"""A look at a store that another process may be writing, or that is damaged, without writing a byte into it.

A directory of our own holds links to the store's files; RocksDB opens that one, and leaves its own notes there. The files are listed before
RocksDB reads what files there should be: one that came or went meanwhile is an error and another try, never a hole.
"""

import shutil
import tempfile
from pathlib import Path

from node.store.frames import damaged_at

OWN_NOTES = frozenset(("LOCK", "LOG", "rocksdict-config.json"))


class View:
    """Links to the store's files as of now. With `cut_logs`, a damaged log ends before its damage."""

    def __init__(self, store: Path, *, cut_logs: bool = False) -> None:
        self._store = store
        self._manifest = _manifest(store)  # before the files are listed
        self._directory = tempfile.TemporaryDirectory(prefix="splittally-view-")
        self.path = Path(self._directory.name)
        for file in store.iterdir():
            if file.name in OWN_NOTES or file.name.startswith("LOG.old"):
                continue
            end = damaged_at(file) if cut_logs and file.suffix == ".log" else None
            if end is None:
                (self.path / file.name).symlink_to(file.absolute())
            else:
                shutil.copyfile(file, self.path / file.name)
                with (self.path / file.name).open("r+b") as copy:
                    copy.truncate(end)

    def drop_manifest(self) -> None:
        """For RocksDB's own repair, which makes a new one of the tables that can be read."""
        for link in (self.path / "CURRENT", *self.path.glob("MANIFEST-*")):
            link.unlink(missing_ok=True)

    def is_outdated(self) -> bool:
        """Whether the writer has changed its set of files since: reason enough for a file that was not found."""
        return _manifest(self._store) != self._manifest or any(not link.exists() for link in self.path.iterdir())

    def close(self) -> None:
        self._directory.cleanup()


def _manifest(store: Path) -> tuple[str, int]:
    """Its name and length: it grows with every change to the set of files."""
    current = store / "CURRENT"
    name = current.read_text("ascii", errors="replace").strip() if current.is_file() else ""
    manifest = store / name
    return name, manifest.stat().st_size if manifest.is_file() else 0
