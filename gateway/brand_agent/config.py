"""The agent's settings: the signer's, and one section more, `agent`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateway.brand_signer.config import Config, read_settings, signer_settings
from gateway.brand_signer.settings_reading import Reading
from gateway.values.ids import Address

_PASS_SECONDS = 10
_LONGEST_PASS_SECONDS = 60
_RULES_SECONDS = 10
_RULE_OVERLAP_SECONDS = 2 * 86_400  # as far ahead of its clock as the gateway takes a sale


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """`gateway_key_file` holds the brand's API key. `pass_seconds`: how long a till waits at most for a redemption's answer.

    `publisher`: whose signature makes a version of the rule the brand's, asked for every `rules_seconds`; None: the settings' rules alone
    count. `rule_overlap_seconds`: so long a version is still signed after the next one came into force.
    """

    signer: Config
    gateway_url: str
    gateway_key_file: Path
    journal_file: Path
    tills_file: Path
    pass_seconds: int
    publisher: Address | None
    rules_seconds: int
    rule_overlap_seconds: int


def load_agent_config(path: Path) -> AgentConfig:
    """The settings of the file; raises BadConfig with the name of every setting that cannot be."""
    return read_settings(path, _settings)


def _settings(top: Reading, folder: Path) -> AgentConfig:
    signer = signer_settings(top, folder)
    agent = top.inner("agent")
    config = AgentConfig(
        signer,
        _url(agent, "gateway_url"),
        folder / agent.text("gateway_key", "gateway_key"),
        folder / agent.text("journal", "agent.sqlite"),
        folder / agent.text("tills", "tills.json"),
        agent.whole("pass_seconds", 1, _PASS_SECONDS),
        agent.hex_id("publisher", Address) if agent.says("publisher") else None,
        agent.whole("rules_seconds", 1, _RULES_SECONDS),
        agent.whole("rule_overlap_seconds", 0, _RULE_OVERLAP_SECONDS),
    )
    if config.pass_seconds > _LONGEST_PASS_SECONDS:
        agent.wrong("pass_seconds", f"must be from 1 to {_LONGEST_PASS_SECONDS}")
    agent.nothing_else()
    return config


def _url(agent: Reading, name: str) -> str:
    url = agent.text(name)
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username):
        agent.wrong(name, "must be http:// or https:// with the gateway's host, without a user or a query")
    return url.rstrip("/")
