"""A brand's agent is believed by the very certificate that its settings name: not by another one of the same authority."""

from __future__ import annotations

import http.server
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.commands.running.agent_here import NotHere, agent_here, gateway_authorities
from gateway.commands.running.brand_home import BrandHome
from gateway.values.errors import Invalid
from tests.builders.authorities import make_authority

ANOTHER = """
openssl req -newkey rsa:2048 -nodes -subj "/CN=another" -keyout other.key -out other.csr
openssl x509 -req -in other.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 5 -extfile tls.ext -out other.pem
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_authority(tmp_path_factory.mktemp("tls") / "authority").parent
    subprocess.run(["bash", "-ec", ANOTHER], cwd=folder, capture_output=True, check=True, timeout=60)
    (folder / "chain.pem").write_text((folder / "tls.pem").read_text() + (folder / "ca.pem").read_text())
    return folder


def home_of(folder: Path, port: int, **agent: Any) -> BrandHome:
    home = BrandHome(folder)
    home.make()
    home.settings.write_text(json.dumps({"listen": {"host": "127.0.0.1", "port": port}, "agent": agent}))
    return home


@contextmanager
def serving(certificate: Path, key: Path) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"brand_id": 1}')

        def log_message(self, *_: Any) -> None:
            """Nothing of it is printed."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


@pytest.mark.parametrize("named", ["tls.pem", "chain.pem"])
def test_who_has_the_very_certificate_is_believed_and_another_of_its_authority_is_not(authority: Path, tmp_path: Path, named: str) -> None:
    certificate = str(authority / named)
    with serving(authority / "tls.pem", authority / "tls.key") as port:
        agent = agent_here(home_of(tmp_path / "own", port, tls_certificate=certificate))
        assert (agent.url, agent.greeting(5)) == (f"https://127.0.0.1:{port}", {"brand_id": 1})
        with pytest.raises(NotHere):
            agent_here(home_of(tmp_path / "plain", port)).greeting(5)
    another = r"certificate is not valid here; .* start it again"
    with serving(authority / "other.pem", authority / "other.key") as port, pytest.raises(NotHere, match=another):
        agent_here(home_of(tmp_path / "other", port, tls_certificate=certificate)).greeting(5)


def test_a_certificate_that_cannot_be_used_is_named(authority: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("none")
    for name, reason in (("empty.pem", "no certificate stands in it"), ("nothing.pem", "No such file")):
        with pytest.raises(Invalid, match=f"agent.tls_certificate in .*{reason}"):
            agent_here(home_of(tmp_path / "home", 1, tls_certificate=str(tmp_path / name)))
        with pytest.raises(Invalid, match=r"agent.gateway_ca in .* cannot be used"):
            gateway_authorities(home_of(tmp_path / "home", 1, gateway_ca=str(tmp_path / name)), "https://gateway")
    home = home_of(tmp_path / "home", 1, gateway_ca=str(authority / "ca.pem"))
    assert gateway_authorities(home, "https://gateway") is not None
    assert gateway_authorities(home, "http://gateway") is None
    assert gateway_authorities(home_of(tmp_path / "home", 1), "https://gateway") is None
