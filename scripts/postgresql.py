"""A PostgreSQL server of our own for the time of a test: Debian's, or what is on the PATH, on a Unix socket in a directory of its own.

Standard library alone. As root it runs as the user `postgres`, since the server refuses root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")
_CONNECTIONS = 400  # some sixteen a database, several databases at a time in several test processes
_UNSYNCED = "-c fsync=off -c full_page_writes=off"  # outlives killed processes, not the machine: what a test makes is thrown away


class PostgresServer:
    """Runs from `start()` to `remove()`, or to a `kill()` and the next `start()`. `url` names its first database.

    `synced`: what is committed is on disk, as in earnest.
    """

    def __init__(self, programs: Path, *, synced: bool = False) -> None:
        self._programs = programs
        self._syncing = "" if synced else _UNSYNCED
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.folder = Path(tempfile.mkdtemp(prefix="splittally-postgresql-"))
        if self._as:
            shutil.chown(self.folder, "postgres")
        data = str(self.folder / "data")
        self._call("initdb", "-D", data, "--no-sync", "--encoding=UTF8", "--locale=C", "--auth=trust", "--username=splittally")

    @property
    def url(self) -> str:
        return f"postgresql://splittally@/postgres?host={self.folder}"

    def start(self) -> None:
        """Returns when it takes connections."""
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections={_CONNECTIONS} {self._syncing}"
        self._call("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "120", "-l", str(self.folder / "log"), "-o", options, "start")

    def kill(self) -> None:
        """Takes its processes away without notice: the next start recovers from what was written."""
        self._call("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def remove(self) -> None:
        """Ends it and takes its files away."""
        self._call("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _call(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [*self._as, str(self._programs / program), *arguments]
        with tempfile.TemporaryFile() as said:  # not a pipe: the server would hold it open
            done = subprocess.run(command, stdout=said, stderr=subprocess.STDOUT, cwd="/", check=False)
            if check and done.returncode != 0:
                said.seek(0)
                raise SystemExit(f"{program} failed ({done.returncode}): {said.read().decode(errors='replace')[-2000:]}")


def find_programs() -> Path | None:
    """The directory of initdb and pg_ctl; None where there is none."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(DEBIAN.glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True) if DEBIAN.exists() else []
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return None
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)
