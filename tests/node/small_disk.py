"""A file system of a few megabytes in memory, which really runs full. It lies in a mount namespace of its own and ends with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

BLOCK_BYTES = 4_096


@dataclass(frozen=True)
class SmallDisk:
    path: Path

    def fill(self, *, leave_bytes: int) -> None:
        with suppress(OSError), (self.path / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(BLOCK_BYTES))
        os.truncate(self.path / "ballast", (self.path / "ballast").stat().st_size - leave_bytes)

    def make_room(self) -> None:
        (self.path / "ballast").unlink()


@contextmanager
def small_disk(mount_point: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Reached from outside by way of the process that holds it. Skips the test where nothing may be mounted; fails if CI=true."""
    if shutil.which("unshare") is None:
        _cannot_mount()
    mount_point.mkdir()
    script = f"mount -t tmpfs -o size={megabytes}m none '{mount_point}' && echo mounted && exec cat"
    holder = subprocess.Popen(["unshare", "-rm", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        if holder.stdout.readline() != b"mounted\n":
            _cannot_mount()
        yield SmallDisk(Path(f"/proc/{holder.pid}/root{mount_point}"))
    finally:
        holder.communicate(timeout=60)


def _cannot_mount() -> NoReturn:
    reason = "this machine lets no test mount a file system"
    assert os.environ.get("CI") != "true", reason
    pytest.skip(reason)
