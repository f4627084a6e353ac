"""The agent's settings: the signer's, and one section more, `agent`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateway.brand_agent.shop_database import url_from_environment, url_from_file
from gateway.brand_signer.config import Config, read_settings, signer_settings
from gateway.brand_signer.settings_reading import Reading

_QUERY = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
_PASS_SECONDS = 10
_LONGEST_PASS_SECONDS = 60


@dataclass(frozen=True, slots=True)
class FeedConfig:
    """The shop's query on its own database; `url` is looked up each time. `overlap_seconds`: how late a row may be committed."""

    url: Callable[[], str]
    query: str
    every_seconds: int
    overlap_seconds: int
    rows_max: int
    query_seconds: int


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """`gateway_key_file` holds the brand's API key. `pass_seconds`: how long a till waits at most for a redemption's answer."""

    signer: Config
    gateway_url: str
    gateway_key_file: Path
    journal_file: Path
    tills_file: Path
    pass_seconds: int
    feed: FeedConfig | None


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
        _feed(agent.inner("feed"), folder) if agent.says("feed") else None,
    )
    if config.pass_seconds > _LONGEST_PASS_SECONDS:
        agent.wrong("pass_seconds", f"must be from 1 to {_LONGEST_PASS_SECONDS}")
    agent.nothing_else()
    return config


def _feed(feed: Reading, folder: Path) -> FeedConfig:
    places = [name for name in ("database_url_file", "database_url_env") if feed.says(name)]
    if len(places) != 1:
        feed.wrong("database_url_file", "or database_url_env must name where the database's URL stands: one of them")
    url = url_from_environment(feed.text("database_url_env")) if places == ["database_url_env"] else None
    if url is None:
        url = url_from_file(folder / feed.text("database_url_file", ""))
    query = feed.text("query")
    if query and (";" in query or not _QUERY.match(query) or not {":since", ":limit"} <= set(re.findall(r":[a-z]+", query))):
        feed.wrong("query", "must be one SELECT (or WITH … SELECT) without a semicolon, with :since and :limit in it")
    config = FeedConfig(
        url,
        query,
        feed.whole("every_seconds", 1, 2),
        feed.whole("overlap_seconds", 1, 600),
        feed.whole("rows_max", 1, 1_000),
        feed.whole("query_seconds", 1, 10),
    )
    for name, most in (("every_seconds", 3_600), ("overlap_seconds", 7 * 86_400), ("rows_max", 10_000), ("query_seconds", 60)):
        if getattr(config, name) > most:
            feed.wrong(name, f"must be from 1 to {most}")
    feed.nothing_else()
    return config


def _url(agent: Reading, name: str) -> str:
    url = agent.text(name)
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username):
        agent.wrong(name, "must be http:// or https:// with the gateway's host, without a user or a query")
    return url.rstrip("/")
