"""A real Chromium driven over its DevTools protocol, with a virtual authenticator beside the pages it opens."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from scripts.outside_parts import CHROMIUM

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


@dataclass
class Page:
    """One open page and its own authenticator; `evaluate` waits for promises."""

    browser: Browser
    session: str
    authenticator: str = ""

    def evaluate(self, expression: str) -> Any:
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def call(self, function: str, *arguments: Any) -> Any:
        return self.evaluate(f"{function}({', '.join(json.dumps(each) for each in arguments)})")

    def verifies_its_user(self, does: bool) -> None:
        self.send("WebAuthn.setUserVerified", authenticatorId=self.authenticator, isUserVerified=does)

    def finds_nobody(self, does: bool) -> None:
        """It signs all the same, and says so."""
        self.send("WebAuthn.setResponseOverrideBits", authenticatorId=self.authenticator, isBadUP=does)

    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.send("WebAuthn.getCredentials", authenticatorId=self.authenticator)["credentials"]
        return found

    def add_credential(self, credential: dict[str, Any]) -> None:
        self.send("WebAuthn.addCredential", authenticatorId=self.authenticator, credential=credential)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.send(method, self.session, **parameters)


class Browser:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = count(1)

    def open(self, url: str) -> Page:
        """The page once it is loaded, with an authenticator that always finds its user present."""
        target = self.send("Target.createTarget", url=url)["targetId"]
        page = Page(self, self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        page.send("WebAuthn.enable", enableUI=False)
        page.authenticator = page.send("WebAuthn.addVirtualAuthenticator", options=AUTHENTICATOR)["authenticatorId"]
        end = time.monotonic() + 20
        while page.evaluate("location.href + ' ' + document.readyState") != f"{url} complete":
            assert time.monotonic() < end, f"{url} was never loaded"
            time.sleep(0.02)
        return page

    def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self._connection.send(json.dumps(message))
        while (answer := json.loads(self._connection.recv(timeout=20))).get("id") != number:
            pass  # events, which nobody here waits for
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result


@contextmanager
def chromium() -> Iterator[Browser]:
    program = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if program is None:
        _missing()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, tempfile.TemporaryFile("w+") as output:
        command = [str(program), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0"]
        process = subprocess.Popen([*command, f"--user-data-dir={profile}"], stdout=output, stderr=output)
        try:
            with connect(_address(Path(profile) / "DevToolsActivePort", process), max_size=None) as connection:
                yield Browser(connection)
        finally:
            process.kill()
            process.wait()


@contextmanager
def site() -> Iterator[int]:
    """Serves this folder's pages on loopback; the port."""
    handler = partial(_Quiet, directory=str(Path(__file__).parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *_arguments: Any) -> None:  # noqa: A002 - the base class names it so
        pass


def _address(file: Path, process: subprocess.Popen[bytes]) -> str:
    """Where it listens: it writes port and path into its profile."""
    end = time.monotonic() + 30
    while not (file.exists() and len(lines := file.read_text().split()) == 2):
        assert process.poll() is None, "Chromium ended before it listened"
        assert time.monotonic() < end, "Chromium never listened"
        time.sleep(0.05)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"


def _missing() -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"Chromium not installed: scripts/test installs {CHROMIUM[0]} with apt-get where it may")
    pytest.skip(f"Chromium not installed: put any of {', '.join(CHROMIUM)} on the path")
