"""A copy of the checkout in which what a document prints is typed, in one shell as far as variables and functions go."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tests.documents.printed import ROOT

# Of a variable, with no command behind it, or of a function: what later lines presuppose.
DEFINITION = re.compile(r"""\w+=("[^"]*"|'[^']*'|[^\s"'(]*(\$\(.*\))?)$|\w+\(\) \{""")
MINUTES = 60


class Checkout:
    def __init__(self, folder: Path, variables: Mapping[str, str] = MappingProxyType({})) -> None:
        self.folder = folder
        self._variables = dict(variables)
        self._definitions: list[str] = []
        self._serving: list[subprocess.Popen[bytes]] = []
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        for name in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        (folder / ".venv").symlink_to(sys.prefix)

    def run(self, statement: str) -> None:
        """To its end, which is good."""
        process = self._start(statement)
        code = process.wait(30 * MINUTES)
        assert code == 0, f"`{statement}` ended with {code}:\n{self._said(len(self._serving))}"
        if DEFINITION.match(statement):
            self._definitions.append(statement)

    def save(self, lines: Sequence[str]) -> None:
        """A file that the reader is told to save; its first line, a comment, says where."""
        path = self.folder / lines[0].removeprefix("# ")
        assert path.parent.is_dir(), f"{path} is to be saved where there is no folder"
        path.write_text("\n".join([*lines, ""]))

    def serve(self, statement: str, words: str) -> None:
        """Until it says `words`; it goes on until the checkout is left."""
        process = self._start(statement.removesuffix("&"))
        self._serving.append(process)
        until = time.monotonic() + 15 * MINUTES
        while words not in self._said(len(self._serving) - 1):
            assert process.poll() is None, f"`{statement}` ended with {process.poll()}:\n{self._said(len(self._serving) - 1)}"
            assert time.monotonic() < until, f"`{statement}` never said {words!r}:\n{self._said(len(self._serving) - 1)}"
            time.sleep(0.1)

    def leave(self) -> None:
        for process in reversed(self._serving):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(MINUTES)

    def _start(self, statement: str) -> subprocess.Popen[bytes]:
        script = "\n".join(["set -euo pipefail", *self._definitions, statement])
        variables = {
            name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "ETH_HASH_BACKEND", "SPLITTALLY_DEPTH")
        }
        variables |= self._variables
        with self._log(len(self._serving)).open("wb") as log:
            return subprocess.Popen(
                ["bash", "-c", script],
                cwd=self.folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _log(self, number: int) -> Path:
        """What serves keeps its number; what runs to its end takes the next one again and again."""
        return self.folder.with_name(f"{self.folder.name}.{number}.log")

    def _said(self, number: int) -> str:
        return self._log(number).read_text(errors="replace")[-4_000:]
