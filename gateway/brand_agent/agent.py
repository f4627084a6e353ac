"""The agent's parts, put together: journal, register, rules, signer, outbox and the way to the gateway."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import httpx

from gateway.bodies.purchases import PurchaseBody
from gateway.bodies.redemption import CaptureBody, ConsentBody, PointRefundBody, VoidBody
from gateway.brand_agent.another_try import ask_for_another_try
from gateway.brand_agent.bonus import month_of
from gateway.brand_agent.config import AgentConfig
from gateway.brand_agent.evidence_sender import EvidenceSender, forget_others
from gateway.brand_agent.feed import Feed
from gateway.brand_agent.feed_lines import FeedLines
from gateway.brand_agent.follower import GatewaysWord, OutcomeFollower
from gateway.brand_agent.forgotten import GatewaysMemory
from gateway.brand_agent.forwarder import Forwarder
from gateway.brand_agent.gateway_client import ForwardingClient
from gateway.brand_agent.item import Item, Speaker
from gateway.brand_agent.journal_register import JournalRegister
from gateway.brand_agent.ledger_check import LedgersWord
from gateway.brand_agent.orders import reservation_id_for
from gateway.brand_agent.own_discount import FloorLimit
from gateway.brand_agent.passing_client import passing_client
from gateway.brand_agent.rebuild import check_key
from gateway.brand_agent.record_lines import RecordLines
from gateway.brand_agent.rule_book import RuleBook
from gateway.brand_agent.rule_follower import RuleFollower
from gateway.brand_agent.standing import Parts
from gateway.brand_agent.statements import KnownOrder, Statement, of_order, points_promised
from gateway.brand_agent.till_journal import TillJournal
from gateway.brand_agent.tills import Tills
from gateway.brand_signer.books import Books
from gateway.brand_signer.config import Config
from gateway.brand_signer.journal import Journal
from gateway.brand_signer.sign_batch import BatchSigner
from gateway.foreign.rpc_node import RpcNode
from gateway.inbound.connections import TlsFiles
from gateway.secret_files import read_or_make, read_secret
from gateway.values.calendar import wall_clock

_GREETING_SECONDS = 3


@dataclass
class Agent:
    """Everything that a route needs. `close` waits for what is under way."""

    config: AgentConfig
    journal: TillJournal
    lines: RecordLines
    register: JournalRegister
    signer: BatchSigner
    signer_token: str
    api_key: Callable[[], str]
    tills: Tills
    client: ForwardingClient
    passing: httpx.AsyncClient
    forwarder: Forwarder
    follower: OutcomeFollower
    feed: Feed | None
    ledger: LedgersWord | None
    rules: RuleBook
    rule_follower: RuleFollower
    evidence_senders: tuple[EvidenceSender, ...]

    @property
    def place(self) -> Config:
        return self.config.signer

    @property
    def tls(self) -> TlsFiles | None:
        return self.config.tls

    @property
    def pass_seconds(self) -> int:
        return self.config.pass_seconds

    @property
    def floor_limit(self) -> FloorLimit | None:
        return self.config.floor_limit

    def promised(self, body: PurchaseBody) -> int | None:
        return points_promised(body, self.place.brand_id, self.place.programme, self.rules.rules())

    def reservation_id(self, consent: ConsentBody) -> str:
        return str(reservation_id_for(consent, self.place.domain, self.place.brand_id, self.lines.reference_secret))

    def of_order(self, _: sqlite3.Connection, body: CaptureBody | VoidBody | PointRefundBody, order: KnownOrder) -> Statement:
        return of_order(body, order)

    def asking_as(self, _: Speaker) -> Mapping[str, str]:
        """The gateway knows the brand alone."""
        return {"Authorization": f"Bearer {self.api_key()}"}

    @property
    def is_sure(self) -> bool:
        """By what the forwarder found."""
        return True

    def ask_for_another_try(self, item: Item, tried: int) -> bool:
        return ask_for_another_try(self.client, item, tried)

    def parts(self) -> Parts:
        return Parts(
            None if self.feed is None else self.feed.standing,
            None if self.ledger is None else self.ledger.standing,
            self.rules.rules(),
            self.rule_follower.refused,
            {each.addressee_id: each.troubles for each in self.evidence_senders},
            self.config.partners,
            month_of(wall_clock(), self.place.utc_offset_seconds),
            self.place.sandbox,
        )

    def greet(self) -> None:
        config = self.config
        domain, seconds = config.signer.domain, _GREETING_SECONDS
        with closing(ForwardingClient(config.gateway_url, self.api_key, domain, config.gateway_authorities, seconds)) as client:
            client.greet()

    def start(self) -> None:
        self.forwarder.start()
        self.follower.start()
        if self.config.publisher is not None:
            self.rule_follower.start()
        if self.feed is not None:
            self.feed.start()
        self.journal.write(lambda connection: forget_others(connection, [each.addressee_id for each in self.evidence_senders]))
        for sender in self.evidence_senders:
            sender.start()

    def close(self) -> None:
        for sender in self.evidence_senders:
            sender.close()
        if self.feed is not None:
            self.feed.close()
        self.rule_follower.close()
        self.follower.close()
        self.forwarder.close()
        self.register.close()
        self.client.close()
        self.journal.close()


def open_agent(config: AgentConfig) -> Agent:
    """Raises what opening a file, key or journal raises, and OtherKey."""
    signer = config.signer
    api_key = partial(read_secret, config.gateway_key_file)  # as it stands then: it may come after the agent, and be changed
    if config.gateway_key_file.exists():
        api_key()
    secret = read_or_make(signer.reference_secret_file)
    lines = RecordLines(secret)
    journal = TillJournal(config.journal_file, signer.domain, signer.brand_id)
    register = JournalRegister(journal, lines, signer.register_file)
    register.refresh()
    rules = RuleBook(journal, signer.programme.rules, config.publisher, signer.domain, signer.brand_id)
    clock, followed = None if signer.sandbox else wall_clock, rules.followed_rules
    books = Books(signer.programme, register, secret, signer.utc_offset_seconds, clock, followed, config.rule_overlap_seconds)
    signed = Journal(signer.journal_file, signer.domain, signer.brand_id)
    key = signer.key.open()
    check_key(journal, signed, key.address, signer.domain, signer.brand_id)
    client = ForwardingClient(config.gateway_url, api_key, signer.domain, config.gateway_authorities)
    memory = GatewaysMemory(journal, client)
    batch_signer = BatchSigner(key, signer.domain, signer.brand_id, books, signed)
    ledger = None
    if config.ledger_rpc is not None:
        ledger = LedgersWord(GatewaysWord(client), RpcNode(config.ledger_rpc), journal, lines, signer.domain, signer.brand_id)
    feed = None if config.feed is None else Feed(config.feed, journal, FeedLines(lines, signer.brand_id), batch_signer)
    return Agent(
        config,
        journal,
        lines,
        register,
        batch_signer,
        read_or_make(signer.token_file).hex(),
        api_key,
        Tills(config.tills_file),
        client,
        passing_client(config.gateway_url, config.gateway_authorities),
        Forwarder(journal, client, memory),
        OutcomeFollower(journal, GatewaysWord(client) if ledger is None else ledger, memory),
        feed,
        ledger,
        rules,
        RuleFollower(rules, client, signer.brand_id, config.rules_seconds),
        _evidence_senders(config, journal),
    )


def _evidence_senders(config: AgentConfig, journal: TillJournal) -> tuple[EvidenceSender, ...]:
    if config.evidence is None:
        return ()
    key, signer = config.evidence.key.open(), config.signer
    return tuple(EvidenceSender(each, key, journal, signer.domain, signer.brand_id) for each in config.evidence.to)
