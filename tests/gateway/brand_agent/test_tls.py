"""Over TLS with an authority made as docs/brand-agent.md prints it: tills, agent and gateway believe that one and no other."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from gateway.brand_agent.config import load_agent_config
from gateway.brand_signer.config import BadConfig
from gateway.brands.http_signer import HttpSigner
from gateway.config import BadSettings, settings_of
from gateway.foreign.addresses import AddressPolicy
from gateway.foreign.authorities import also_those_of
from gateway.rounds.signer_port import NotReached, SignerAddress
from gateway.values.errors import Unavailable
from tests.builders.agents import AgentBuilder, ServedGateway, agent_settings, await_answer
from tests.builders.authorities import make_authority
from tests.builders.offline_coalition import OfflineCoalition
from tests.gateway.brand_agent.conftest import Shop

HERE = AddressPolicy(loopback=True)


@dataclass
class Secured:
    shop: Shop
    own: Path
    strange: Path

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.shop.agent.port}"

    def till(self, authority: Path) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.shop.agent.tokens['till-1']}"}
        context = ssl.create_default_context(cafile=authority)
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False, verify=context)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    own, strange = make_authority(folder / "own"), make_authority(folder / "strange")
    coalition = OfflineCoalition(folder)
    coalition.brand(1)
    gateway, agent = ServedGateway(coalition, (own.parent / "tls.pem", own.parent / "tls.key")), AgentBuilder(folder / "agent")
    paths = {"gateway_ca": str(own), "tls_certificate": str(own.parent / "tls.pem"), "tls_key": str(own.parent / "tls.key")}
    agent.prepare(gateway.url, coalition.tokens["brand:1"], agent=agent_settings(0, gateway.url)["agent"] | paths)
    gateway.start()
    agent.start()
    try:
        yield Secured(Shop(gateway, agent, coalition.shopper()), own, strange)
    finally:
        agent.kill()
        gateway.stop()
        coalition.close()


def test_a_till_is_served_over_tls_and_by_no_other_certificate(secured: Secured) -> None:
    with secured.till(secured.own) as till:
        assert till.post("/v1/purchases", json=secured.shop.sale("tls-1")).status_code == 202
        _await_state(till, "/v1/purchases/tls-1", "answered")  # it went to the gateway over TLS, too
        secured.shop.gateway.confirm_all()
        assert await_answer(till, "/v1/purchases/tls-1")["outcome"] == "confirmed"
        quote = till.post("/v1/quotes", json={"order_id": "o", "member_id": secured.shop.member.member_id, "points": 1})
        assert quote.json()["code"] != "gateway_away"  # what is passed at once goes the same way
    with secured.till(secured.strange) as stranger, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.get("/v1/status")
    with pytest.raises(httpx.RemoteProtocolError), httpx.Client(trust_env=False) as plain:
        plain.get(secured.url.replace("https", "http") + "/v1/status")


def test_a_gateway_with_another_certificate_is_not_believed(secured: Secured, tmp_path: Path) -> None:
    gateway = secured.shop.gateway
    agent = AgentBuilder(tmp_path / "agent")
    settings = agent_settings(0, gateway.url)["agent"] | {"gateway_ca": str(secured.strange)}
    agent.prepare(gateway.url, "none", agent=settings)
    agent.start()
    try:
        with agent.till() as till:
            till.post("/v1/purchases", json=secured.shop.sale("tls-2"))
            alarm = _await_alarm(till, "gateway_away")
            assert "its TLS certificate is not valid here" in alarm
            asked = till.post("/v1/quotes", json={})
            assert (asked.status_code, asked.json()["code"]) == (503, "gateway_away")
    finally:
        agent.kill()


def test_the_gateway_asks_its_signer_over_tls_and_by_no_other_certificate(secured: Secured) -> None:
    token = (secured.shop.agent.folder / "token").read_text().strip()
    address = SignerAddress(secured.url, token)
    with closing(HttpSigner(5, HERE, also_those_of(secured.own))) as believing:
        assert believing.ask(address, "GET", "/healthz")[1]["brand_id"] == 1
        assert believing.ask(address, "POST", "/signed-batch", {"number": 1})[0] == 404
        plain = SignerAddress(secured.url.replace("https", "http"), token)
        with pytest.raises(Unavailable, match="where it serves TLS, write https:// into its URL"):
            believing.ask(plain, "GET", "/healthz")
    for authorities in (also_those_of(secured.strange), None):
        with closing(HttpSigner(5, HERE, authorities)) as other, pytest.raises(NotReached, match="its TLS certificate is not valid here"):
            other.ask(address, "GET", "/healthz")


def test_tls_settings_that_cannot_be_are_all_named(secured: Secured, tmp_path: Path) -> None:
    (tmp_path / "nothing.pem").write_text("none")
    wrong = {
        "gateway_ca": "nothing.pem",
        "tls_certificate": str(secured.own.parent / "tls.pem"),
        "tls_key": str(secured.strange.parent / "tls.key"),
    }
    said = _refused(tmp_path, "http://gateway", wrong)
    for named in (
        "agent.gateway_ca is for a gateway_url with https://",
        "agent.gateway_ca cannot be used",
        "agent.tls_certificate cannot be used",
    ):
        assert named in said
    assert "agent.tls_certificate and tls_key go together" in _refused(tmp_path, "http://gateway", {"tls_key": "x"})
    open_key = tmp_path / "open.key"
    open_key.write_bytes((secured.own.parent / "tls.key").read_bytes())
    open_key.chmod(0o644)
    assert "may be read by others" in _refused(tmp_path, "http://g", wrong | {"tls_key": str(open_key)})
    assert "not a loopback address" in _refused(tmp_path, "http://gateway", {"pass_seconds": 0}, "10.1.2.3")
    good = {"tls_certificate": str(secured.own.parent / "tls.pem"), "tls_key": str(secured.own.parent / "tls.key")}
    assert "not a loopback address" not in _refused(tmp_path, "http://gateway", good | {"pass_seconds": 0}, "10.1.2.3")
    with pytest.raises(BadSettings, match="signer_ca cannot be used"):
        settings_of({"signer_ca": str(tmp_path / "nothing.pem")}).signer_authorities()
    assert settings_of({}).signer_authorities() is None


def _refused(folder: Path, gateway_url: str, agent: dict[str, Any], host: str = "127.0.0.1") -> str:
    settings = agent_settings(0, gateway_url)
    settings["agent"] |= agent
    settings["listen"]["host"] = host
    (folder / "agent.json").write_text(json.dumps(settings))
    with pytest.raises(BadConfig) as wrong:
        load_agent_config(folder / "agent.json")
    return str(wrong.value)


def _await_state(till: httpx.Client, path: str, state: str) -> None:
    until = monotonic() + 30
    while (stands := till.get(path).json())["state"] != state:
        assert monotonic() < until, stands
        sleep(0.05)


def _await_alarm(till: httpx.Client, code: str) -> str:
    until = monotonic() + 30
    while True:
        for alarm in till.get("/v1/status").json()["alarms"]:
            if alarm["code"] == code:
                return str(alarm["detail"])
        assert monotonic() < until
        sleep(0.05)
