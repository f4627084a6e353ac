"""A brand's agent as its own machine reaches it: where its settings say that it listens, and by no other certificate than they name."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.commands.running.brand_home import BrandHome
from gateway.foreign.authorities import NoAuthorities, only_this_one, only_those_of
from gateway.foreign.client import ForeignClient, NoAnswer, NotConnected
from gateway.foreign.reading import Unreadable, read_json, read_object
from gateway.second_people.gateway_client import GatewayClient
from gateway.values.errors import Invalid

_GREETING_BYTES_MAX = 64 * 1024


class NotHere(Exception):
    """No agent answers there; the message says why."""


@dataclass(frozen=True, slots=True)
class AgentHere:
    """`believed`: its certificate, where it serves TLS."""

    url: str
    believed: ssl.SSLContext | None

    def client(self, token: str, seconds: float = 30.0) -> GatewayClient:
        """Close it at the end."""
        return GatewayClient(self.url, token, seconds, self.believed)

    def greeting(self, seconds: float) -> dict[str, Any]:
        """Whose agent it says that it is. Raises NotHere."""
        client = ForeignClient(seconds=seconds, bytes_max=_GREETING_BYTES_MAX, addresses=None, authorities=self.believed)
        try:
            return dict(read_object(read_json(client.ask("GET", f"{self.url}/healthz", {}).content)))
        except (NotConnected, NoAnswer, Unreadable) as error:
            told = f"{error}; who serves another certificate than agent.tls_certificate was started before it: start it again"
            raise NotHere(told if self.believed is not None and "certificate" in str(error) else str(error)) from error
        finally:
            client.close()


def agent_here(home: BrandHome) -> AgentHere:
    """Raises Invalid for a certificate that cannot be used."""
    settings = home.read(home.settings)
    host, port = settings["listen"]["host"], settings["listen"]["port"]
    place, named = f"{f'[{host}]' if ':' in host else host}:{port}", settings["agent"].get("tls_certificate")
    if named is None:
        return AgentHere(f"http://{place}", None)
    return AgentHere(f"https://{place}", _context(home, "tls_certificate", lambda: only_this_one(home.agent / named)))


def gateway_authorities(home: BrandHome, gateway_url: str) -> ssl.SSLContext | None:
    """Whom the agent believes of the gateway's certificate; None: the public ones. Raises Invalid."""
    named = home.read(home.settings)["agent"].get("gateway_ca")
    if named is None or not gateway_url.startswith("https://"):
        return None
    return _context(home, "gateway_ca", lambda: only_those_of(home.agent / named))


def _context(home: BrandHome, name: str, read: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    try:
        return read()
    except NoAuthorities as error:
        raise Invalid(f"agent.{name} in {home.settings} cannot be used: {error}") from error
