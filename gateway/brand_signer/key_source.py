"""Where the batch key comes from: a file of its own, or, for who starts unattended and keeps no key on disk, a credential that the system
hands to this service alone, or a program that has a KMS unwrap it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from gateway.brand_signer.key import Key
from gateway.brand_signer.settings_reading import Reading
from gateway.secret_files import UnsafeFile, read_or_make, read_secret
from gateway.values.hex import with_or_without_0x

KEY_BYTES = 32
UNWRAP_SECONDS = 30.0
_ANSWER_BYTES_MAX = 1_024
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class KeySource:
    """`file` holds the key, and is made at the first start. A `command` reads it, the wrapped key, from its standard input and prints
    64 hex digits. A `credential` stands in the folder that the system names."""

    file: Path
    credential: str | None = None
    command: tuple[str, ...] = ()

    def open(self) -> Key:
        """Raises UnsafeFile, in words that hold nothing of what was read."""
        if self.credential is not None:
            return _key_of(self._credential(self.credential), f"credential {self.credential}")
        if self.command:
            return _key_of(self._unwrapped(), f"what `{self.command[0]}` printed")
        return Key(read_or_make(self.file))

    def _credential(self, name: str) -> str:
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise UnsafeFile(f"the system hands over no credentials here: start it as a service with LoadCredentialEncrypted={name}")
        return read_secret(Path(folder) / name)

    def _unwrapped(self) -> str:
        """The command's output. It and all that it started end with the time that it has."""
        program = self.command[0]
        try:
            with self.file.open("rb") as wrapped:
                process = subprocess.Popen(
                    self.command, stdin=wrapped, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
                )
        except OSError as error:
            raise UnsafeFile(f"the key cannot be unwrapped: {error.filename or program}: {error.strerror}") from error
        timer = threading.Timer(UNWRAP_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        with process:
            assert process.stdout is not None
            try:
                printed = process.stdout.read(_ANSWER_BYTES_MAX + 1)
                if len(printed) > _ANSWER_BYTES_MAX:
                    os.killpg(process.pid, signal.SIGKILL)
                code = process.wait()
            finally:
                timer.cancel()
        if code:
            why = f"it did not end within {UNWRAP_SECONDS:g} s, or printed too much" if code == -signal.SIGKILL else f"it ended with {code}"
            raise UnsafeFile(f"the key cannot be unwrapped by `{program}`: {why}; run it by hand on {self.file}")
        return printed.decode("ascii", "replace").strip()


def key_source(top: Reading, folder: Path, file: str) -> KeySource:
    """As the settings' `key` says; left out, the key is in the file."""
    if not top.says("key"):
        return KeySource(folder / file)
    given = top.inner("key")
    credential = given.text("credential") if given.says("credential") else None
    command = tuple(given.texts("command")) if given.says("command") else ()
    if credential is not None and not _NAME.fullmatch(credential):
        given.wrong("credential", "must be a name of letters, digits, _, . and -, at most 64")
    if (credential is None) == (not command):
        top.wrong("key", "must name a credential or a command, one of the two")
    given.nothing_else()
    return KeySource(folder / file, credential, command)


def _key_of(text: str, where: str) -> Key:
    try:
        secret = with_or_without_0x(text)
        if len(secret) == KEY_BYTES:
            return Key(secret)
    except ValueError:  # no hex, or a number that is no key
        pass
    raise UnsafeFile(f"{where} is no key: 64 hex digits are due")
