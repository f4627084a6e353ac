"""The agent's settings: the signer's, and one section more, `agent`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateway.brand_signer.config import TOP_KEYS, Config, config_of, refuse_wrong
from gateway.brand_signer.settings_reader import Section, read_settings

_KNOWN = {"gateway_url", "gateway_key", "journal", "tills", "pass_seconds"}
_PASS_SECONDS = 10
_LONGEST_PASS_SECONDS = 60


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """`gateway_key_file` holds the brand's API key. `pass_seconds`: how long a till waits at most for a redemption's answer."""

    signer: Config
    gateway_url: str
    gateway_key_file: Path
    journal_file: Path
    tills_file: Path
    pass_seconds: int


def load_agent_config(path: Path) -> AgentConfig:
    """The settings of the file; raises BadConfig with the name of every setting that cannot be."""
    top, folder = Section(read_settings(path), TOP_KEYS | {"agent"}), path.resolve().parent
    signer = config_of(top, folder)
    agent = top.section("agent", _KNOWN)
    config = AgentConfig(
        signer,
        _url(agent, "gateway_url"),
        folder / agent.text("gateway_key", "gateway_key"),
        folder / agent.text("journal", "agent.sqlite"),
        folder / agent.text("tills", "tills.json"),
        agent.whole("pass_seconds", _PASS_SECONDS),
    )
    if not 1 <= config.pass_seconds <= _LONGEST_PASS_SECONDS:
        agent.note("pass_seconds", f"must be from 1 to {_LONGEST_PASS_SECONDS}")
    refuse_wrong(path, top)
    return config


def _url(agent: Section, name: str) -> str:
    url = agent.text(name)
    parts = urlsplit(url)
    if name in agent and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username):
        agent.note(name, "must be http:// or https:// with the gateway's host, without a user or a query")
    return url.rstrip("/")
