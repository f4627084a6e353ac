"""The agent's settings: the signer's, and one section more, `agent`."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from gateway.brand_agent.evidence import Partner
from gateway.brand_agent.evidence_post import Addressee
from gateway.brand_agent.own_discount import FloorLimit
from gateway.brand_agent.shop_database import url_from_environment, url_from_file
from gateway.brand_signer.config import Config, read_settings, signer_settings
from gateway.brand_signer.key_source import KeySource, key_source
from gateway.brand_signer.settings_reading import Reading
from gateway.foreign.authorities import NoAuthorities, only_those_of
from gateway.inbound.connections import TlsFiles
from gateway.secret_files import UnsafeFile, read_secret
from gateway.values.ids import Address
from gateway.values.money import Ratio

_QUERY = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
PASS_SECONDS = 10
_LONGEST_PASS_SECONDS = 60
_RULES_SECONDS = 10
_CONSENT_LENGTH_MAX = 80
_RULE_OVERLAP_SECONDS = 2 * 86_400  # as far ahead of its clock as the gateway takes a sale


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
class EvidenceConfig:
    """Which other issuers are told of this brand's sales, and where the key comes from that signs for that alone."""

    key: KeySource
    to: tuple[Addressee, ...]


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """`gateway_key_file` holds the brand's API key. `pass_seconds`: how long a till waits at most for a redemption's answer.

    `evidence`: whom it tells of its sales; `partners`: of whose sales it lets itself be told.
    `publisher`: whose signature makes a version of the rule the brand's, asked for every `rules_seconds`; None: the settings' rules alone
    count. `rule_overlap_seconds`: so long a version is still signed after the next one came into force.
    """

    signer: Config
    gateway_url: str
    gateway_key_file: Path
    journal_file: Path
    tills_file: Path
    pass_seconds: int
    feed: FeedConfig | None
    floor_limit: FloorLimit | None
    ledger_rpc: str | None
    tls: TlsFiles | None
    gateway_authorities: ssl.SSLContext | None
    publisher: Address | None
    rules_seconds: int
    rule_overlap_seconds: int
    evidence: EvidenceConfig | None
    partners: tuple[Partner, ...]


def load_agent_config(path: Path) -> AgentConfig:
    """The settings of the file; raises BadConfig with the name of every setting that cannot be."""
    return read_settings(path, agent_settings)


def agent_settings(top: Reading, folder: Path, section: Reading | None = None) -> AgentConfig:
    """`section`: the agent's, where that was looked into before."""
    agent = section or top.inner("agent")
    tls = tls_files(agent, folder)
    signer = signer_settings(top, folder, has_tls=tls is not None)
    config = AgentConfig(
        signer,
        url_in(agent, "gateway_url"),
        folder / agent.text("gateway_key", "gateway_key"),
        folder / agent.text("journal", "agent.sqlite"),
        folder / agent.text("tills", "tills.json"),
        pass_seconds_in(agent, PASS_SECONDS),
        _feed(agent.inner("feed"), folder) if agent.says("feed") else None,
        floor_limit_in(agent, signer.programme.redemption),
        url_in(agent, "ledger_rpc") if agent.says("ledger_rpc") else None,
        tls,
        authorities_in(agent, folder, "gateway_ca", "gateway_url") if agent.says("gateway_ca") else None,
        agent.hex_id("publisher", Address) if agent.says("publisher") else None,
        agent.whole("rules_seconds", 1, _RULES_SECONDS),
        agent.whole("rule_overlap_seconds", 0, _RULE_OVERLAP_SECONDS),
        _evidence(agent.inner("evidence"), folder, signer.brand_id) if agent.says("evidence") else None,
        _partners(agent, signer.brand_id) if agent.says("partners") else (),
    )
    agent.nothing_else()
    return config


def pass_seconds_in(agent: Reading, unsaid: int) -> int:
    seconds = agent.whole("pass_seconds", 1, unsaid)
    if seconds > _LONGEST_PASS_SECONDS:
        agent.wrong("pass_seconds", f"must be from 1 to {_LONGEST_PASS_SECONDS}")
    return seconds


def tls_files(agent: Reading, folder: Path) -> TlsFiles | None:
    names = "tls_certificate", "tls_key"
    said = [name for name in names if agent.says(name)]
    if not said:
        return None
    certificate, key = (folder / agent.text(name, "") for name in names)
    if len(said) < len(names):
        agent.wrong("tls_certificate", "and tls_key go together")
        return None
    try:
        read_secret(key)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")  # a key that asks for one is none here
    except UnsafeFile as error:
        agent.wrong("tls_key", str(error))
    except (OSError, ssl.SSLError) as error:
        agent.wrong("tls_certificate", f"cannot be used with tls_key: {error.strerror or error}")
    return TlsFiles(certificate, key)


def authorities_in(given: Reading, folder: Path, name: str, url: str) -> ssl.SSLContext | None:
    path = folder / given.text(name)
    if not given.text(url).startswith("https://"):
        given.wrong(name, f"is for a {url} with https://")
    try:
        return only_those_of(path)
    except NoAuthorities as error:
        given.wrong(name, f"cannot be used: {error}")
        return None


def _evidence(given: Reading, folder: Path, own_id: int) -> EvidenceConfig:
    key = key_source(given, folder, given.text("key_file", "evidence_key"))
    found = EvidenceConfig(key, tuple(_addressee(each, folder) for each in given.inner_list("to")))
    _check_others(given, "to", [each.brand_id for each in found.to], own_id)
    given.nothing_else()
    return found


def _addressee(given: Reading, folder: Path) -> Addressee:
    token = partial(read_secret, folder / given.text("token"))  # as it stands then: it may be changed
    found = Addressee(
        given.whole("brand_id", 1),
        url_in(given, "url"),
        token,
        authorities_in(given, folder, "ca", "url") if given.says("ca") else None,
        given.text("lines_consent") if given.says("lines_consent") else None,
    )
    if found.lines_consent is not None and not 1 <= len(found.lines_consent) <= _CONSENT_LENGTH_MAX:
        given.wrong("lines_consent", f"must name the members' consent to it in 1 to {_CONSENT_LENGTH_MAX} characters")
    given.nothing_else()
    return found


def _partners(agent: Reading, own_id: int) -> tuple[Partner, ...]:
    given = agent.inner_list("partners")
    _check_others(agent, "partners", [each.whole("brand_id", 1) for each in given], own_id)
    return tuple(_partner(each) for each in given)


def _partner(given: Reading) -> Partner:
    names = "budget_points", "budget_month_points"
    limits = [given.whole(name) if given.says(name) else None for name in names]
    if limits == [None, None]:
        given.wrong("budget_points", "or budget_month_points must say how many points at most: one of them, or both")
    found = Partner(given.whole("brand_id", 1), given.hex_id("evidence_key", Address), *limits)
    given.nothing_else()
    return found


def _check_others(given: Reading, name: str, brand_ids: list[int], own_id: int) -> None:
    if own_id in brand_ids or len(set(brand_ids)) < len(brand_ids):
        given.wrong(name, f"must name each brand once, and not brand {own_id} itself")


def floor_limit_in(agent: Reading, redemption: Ratio | None) -> FloorLimit | None:
    names = "floor_limit_minor", "floor_limit_day_minor"
    each_minor, day_minor = (agent.whole(name, 0, 0) for name in names)
    if bool(each_minor) != bool(day_minor) or each_minor > day_minor:
        agent.wrong("floor_limit_day_minor", "and floor_limit_minor go together, and a day's limit is not below that of one redemption")
    return FloorLimit(each_minor, day_minor, redemption) if each_minor else None


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


def url_in(agent: Reading, name: str) -> str:
    url = agent.text(name)
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username):
        agent.wrong(name, "must be http:// or https:// with a host, without a user or a query")
    return url.rstrip("/")
