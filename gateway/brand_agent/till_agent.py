"""What tills speak to: as much as a brand's agent, which signs, and a store's agent, which only forwards, have in common."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Protocol

import httpx

from gateway.bodies.purchases import PurchaseBody
from gateway.bodies.redemption import CaptureBody, ConsentBody, PointRefundBody, VoidBody
from gateway.brand_agent.forwarder import Forwarder
from gateway.brand_agent.gateway_client import ForwardingClient
from gateway.brand_agent.item import Item, Speaker
from gateway.brand_agent.own_discount import FloorLimit
from gateway.brand_agent.record_lines import RecordLines
from gateway.brand_agent.standing import Parts
from gateway.brand_agent.statements import KnownOrder, Statement
from gateway.brand_agent.till_journal import TillJournal
from gateway.brand_agent.tills import Tills
from gateway.inbound.connections import TlsFiles
from gateway.ledger.signing import Domain


class AgentPlace(Protocol):
    """Whose agent it is, on which ledger, and where it listens. `sandbox`: the ledger's time is not the clock's."""

    @property
    def brand_id(self) -> int: ...
    @property
    def domain(self) -> Domain: ...
    @property
    def utc_offset_seconds(self) -> int: ...
    @property
    def sandbox(self) -> bool: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


class TillAgent(Protocol):
    """`signer_token`: the gateway's, to a signer; None where nothing is signed. `pass_seconds`: how long a till waits at most for a
    redemption's answer."""

    @property
    def journal(self) -> TillJournal: ...
    @property
    def lines(self) -> RecordLines: ...
    @property
    def tills(self) -> Tills: ...
    @property
    def client(self) -> ForwardingClient: ...
    @property
    def passing(self) -> httpx.AsyncClient: ...
    @property
    def forwarder(self) -> Forwarder: ...
    @property
    def place(self) -> AgentPlace: ...
    @property
    def tls(self) -> TlsFiles | None: ...
    @property
    def signer_token(self) -> str | None: ...
    @property
    def pass_seconds(self) -> int: ...
    @property
    def floor_limit(self) -> FloorLimit | None: ...
    def promised(self, body: PurchaseBody) -> int | None:
        """A sale's points; None where they cannot be known here."""

    def reservation_id(self, consent: ConsentBody) -> str:
        """Under which the ledger will know the order; empty where the answer has to say it."""

    def of_order(self, connection: sqlite3.Connection, body: CaptureBody | VoidBody | PointRefundBody, order: KnownOrder) -> Statement:
        """What follows an order, as it is journaled and sent."""

    def asking_as(self, speaker: Speaker) -> Mapping[str, str]:
        """The headers by which it is known who asks for a redemption; raises UnsafeFile."""

    @property
    def is_sure(self) -> bool:
        """Whether a redemption may be passed on without looking first who would get it."""

    def greet(self) -> None:
        """Asks now, over a connection of its own, whatever the last try told. Raises GatewayAway."""

    def ask_for_another_try(self, item: Item, tried: int) -> bool:
        """Of what ended refused: whether it is awaited now, and not to be sent again. Raises TillRefused where it stays refused."""

    def parts(self) -> Parts: ...

    def start(self) -> None: ...

    def close(self) -> None:
        """Waits for what is under way."""
