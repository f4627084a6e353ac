"""A store's agent, put together: it journals what its tills say and forwards it to the brand's agent, without any key of the brand's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import httpx

from gateway.bodies.purchases import PurchaseBody
from gateway.bodies.redemption import CaptureBody, ConsentBody, PointRefundBody, VoidBody
from gateway.brand_agent.asking import CASHIER_HEADER, TILL_HEADER
from gateway.brand_agent.forwarded import OrderBody
from gateway.brand_agent.gateway_client import GatewayAway
from gateway.brand_agent.item import Item, Speaker
from gateway.brand_agent.orders import consent_of
from gateway.brand_agent.own_discount import FloorLimit
from gateway.brand_agent.parcels import NOT_THERE
from gateway.brand_agent.passing_client import passing_client
from gateway.brand_agent.problems import TillRefused
from gateway.brand_agent.record_lines import UNKEYED, RecordLines
from gateway.brand_agent.standing import Parts
from gateway.brand_agent.statements import KnownOrder, Statement, of_order, with_its_order
from gateway.brand_agent.store_config import StoreConfig
from gateway.brand_agent.telling_upstream import BrandAgentsMemory, UpstreamFollower, UpstreamForwarder
from gateway.brand_agent.till_journal import TillJournal
from gateway.brand_agent.tills import Tills
from gateway.brand_agent.upstream_client import UpstreamClient
from gateway.inbound.connections import TlsFiles
from gateway.secret_files import read_secret

_GREETING_SECONDS = 3


@dataclass
class StoreAgent:
    """A TillAgent."""

    config: StoreConfig
    journal: TillJournal
    lines: RecordLines
    tills: Tills
    token: Callable[[], str]
    client: UpstreamClient
    passing: httpx.AsyncClient
    forwarder: UpstreamForwarder
    follower: UpstreamFollower

    @property
    def place(self) -> StoreConfig:
        return self.config

    @property
    def tls(self) -> TlsFiles | None:
        return self.config.tls

    @property
    def signer_token(self) -> None:
        return None

    @property
    def pass_seconds(self) -> int:
        return self.config.pass_seconds

    @property
    def floor_limit(self) -> FloorLimit | None:
        return self.config.floor_limit

    def promised(self, body: PurchaseBody) -> int | None:
        """By which rule it earns the brand's agent says."""
        return 0 if body.member_id is None else None

    def reservation_id(self, _: ConsentBody) -> str:
        """It hangs on the brand's reference secret."""
        return ""

    def of_order(self, connection: sqlite3.Connection, body: CaptureBody | VoidBody | PointRefundBody, order: KnownOrder) -> Statement:
        asked = OrderBody.model_validate({"kind": order.kind, "consent": consent_of(connection, order)})
        return with_its_order(of_order(body, order), body, asked)

    def asking_as(self, speaker: Speaker) -> Mapping[str, str]:
        """The brand's agent journals who asks, too."""
        cashier = {} if speaker.cashier is None else {CASHIER_HEADER: speaker.cashier}
        return {"Authorization": f"Bearer {self.token()}", TILL_HEADER: speaker.till, **cashier}

    @property
    def is_sure(self) -> bool:
        return self.client.is_recognized

    def greet(self) -> None:
        with closing(_client(self.config, self.token, _GREETING_SECONDS)) as client:
            client.greet()

    def ask_for_another_try(self, item: Item, _: int) -> bool:
        """By the brand's agent. What went on there meanwhile is followed; what that never took is sent again."""
        try:
            answer = self.client.try_again(item.kind, item.external_id)
        except GatewayAway as away:
            told = f"{away}: try it again once the brand's agent is there"
            raise TillRefused(503, "gateway_away", told, outcome="nothing_changed") from None
        if answer.status == 202 or answer.code == "not_refused":
            return True
        if answer.code == NOT_THERE:
            return False
        raise TillRefused(409, "not_tried_again", f"the brand's agent does not try it again ({answer.code}): {answer.detail}")

    def parts(self) -> Parts:
        return Parts(None, None, (), {}, {}, (), "", self.config.sandbox, self.client.NAME)

    def start(self) -> None:
        self.forwarder.start()
        self.follower.start()

    def close(self) -> None:
        self.follower.close()
        self.forwarder.close()
        self.client.close()
        self.journal.close()


def open_store_agent(config: StoreConfig) -> StoreAgent:
    """Raises what opening a file or the journal raises."""
    token = partial(read_secret, config.token_file)  # as it stands then: it may come after the agent, and be changed
    if config.token_file.exists():
        token()
    journal, client = TillJournal(config.journal_file, config.domain, config.brand_id), _client(config, token)
    memory = BrandAgentsMemory(journal, client)
    return StoreAgent(
        config,
        journal,
        UNKEYED,
        Tills(config.tills_file),
        token,
        client,
        passing_client(config.upstream_url, config.upstream_authorities),
        UpstreamForwarder(journal, client, memory),
        UpstreamFollower(journal, client, memory),
    )


def _client(config: StoreConfig, token: Callable[[], str], seconds: float = 20) -> UpstreamClient:
    return UpstreamClient(config.upstream_url, token, config.domain, config.brand_id, config.upstream_authorities, seconds)
