"""Settings of a store's agent: it has a till's token at the brand's agent, and nothing of the brand's own, neither key nor secret."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateway.brand_agent.config import (
    PASS_SECONDS,
    AgentConfig,
    agent_settings,
    authorities_in,
    floor_limit_in,
    pass_seconds_in,
    tls_files,
    url_in,
)
from gateway.brand_agent.own_discount import FloorLimit
from gateway.brand_signer.config import domain_in, listening_host, read_settings, redemption_in
from gateway.brand_signer.settings_reading import Reading
from gateway.inbound.connections import TlsFiles
from gateway.ledger.signing import Domain

_OF_BRANDS = ("key", "programme", "files")
_OF_BRANDS_AGENT = (
    *("gateway_url", "gateway_key", "gateway_ca", "ledger_rpc", "feed"),
    *("publisher", "rules_seconds", "rule_overlap_seconds", "evidence", "partners"),
)
_LONGER_SECONDS = 2  # than the brand's agent takes to say that the gateway did not answer


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """`upstream_url` is the brand's agent's; `token_file` holds the store's token there. The rest as of a brand's agent."""

    brand_id: int
    host: str
    port: int
    domain: Domain
    utc_offset_seconds: int
    sandbox: bool
    upstream_url: str
    token_file: Path
    upstream_authorities: ssl.SSLContext | None
    journal_file: Path
    tills_file: Path
    pass_seconds: int
    floor_limit: FloorLimit | None
    tls: TlsFiles | None


def load_any_config(path: Path) -> AgentConfig | StoreConfig:
    """Of a store's agent where they name an upstream; raises BadConfig with the name of every setting that cannot be."""
    return read_settings(path, _settings)


def _settings(top: Reading, folder: Path) -> AgentConfig | StoreConfig:
    agent = top.inner("agent")
    return _of_a_store(top, agent, folder) if agent.says("upstream_url") else agent_settings(top, folder, agent)


def _of_a_store(top: Reading, agent: Reading, folder: Path) -> StoreConfig:
    for reading, names in ((top, _OF_BRANDS), (agent, _OF_BRANDS_AGENT)):
        for name in filter(reading.says, names):
            reading.wrong(name, "is the brand's agent's, and a store's agent only forwards: take it out, or take out agent.upstream_url")
    tls = tls_files(agent, folder)
    listen, coalition = top.inner("listen"), top.inner("coalition")
    redemption = redemption_in(agent.inner("redemption")) if agent.says("redemption") else None
    config = StoreConfig(
        brand_id=top.whole("brand_id", 1),
        host=listening_host(listen, tls is not None),
        port=listen.whole("port"),
        domain=domain_in(coalition),
        utc_offset_seconds=coalition.integer("utc_offset_seconds"),
        sandbox=coalition.truth("sandbox", False),
        upstream_url=url_in(agent, "upstream_url"),
        token_file=folder / agent.text("upstream_token", "upstream_token"),
        upstream_authorities=authorities_in(agent, folder, "upstream_ca", "upstream_url") if agent.says("upstream_ca") else None,
        journal_file=folder / agent.text("journal", "agent.sqlite"),
        tills_file=folder / agent.text("tills", "tills.json"),
        pass_seconds=pass_seconds_in(agent, PASS_SECONDS + _LONGER_SECONDS),
        floor_limit=floor_limit_in(agent, redemption),
        tls=tls,
    )
    if config.upstream_url.startswith("http://") and not is_here(config.upstream_url):
        agent.wrong("upstream_url", "leads to another machine: write https://, which the brand's agent speaks beyond its own")
    for each in (listen, coalition, agent):
        each.nothing_else()
    return config


def is_here(url: str) -> bool:
    """Whether the URL names this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
