"""Orders for which a till asks points of a member: written down before anything is asked, by whose reservation id they are found again."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from gateway.bodies.redemption import ConsentBody
from gateway.brand_agent.item import ItemKind, Outcome, Speaker
from gateway.brand_agent.outbox import find
from gateway.brand_agent.own_discount import SEVERAL_ASKED, OwnDiscount, given_for
from gateway.brand_agent.problems import TillRefused
from gateway.brand_agent.record_lines import OtherRecord, RecordLines
from gateway.brand_agent.statements import KnownOrder
from gateway.brand_signer.register_writer import order_record
from gateway.ledger.consents import ConsentTerms, brand_grant_digest, consent_digest
from gateway.ledger.entries import BRAND_GRANT
from gateway.ledger.signing import Domain, reference
from gateway.values.ids import Hash, MemberId, ReservationId

AUTHORIZE, REDEEM = "authorize", "redeem"
_SOON_SECONDS = 60
_COLUMNS = "order_id, kind, member_id, reservation_id, deadline"


def order_request(kind: str, order_id: str) -> tuple[str, str]:
    """(the gateway's path, the idempotency key): the same order is the same request, whenever it is asked."""
    named = f"agent-{sha256(f'{kind} {order_id}'.encode()).hexdigest()}"
    return {AUTHORIZE: "/v1/authorizations", REDEEM: "/v1/redemptions"}[kind], named


def note_accepted(connection: sqlite3.Connection, order_id: str, reservation_id: str, now: float) -> None:
    """The gateway has taken it; `reservation_id` is what the answer says, for an agent that cannot compute it."""
    connection.execute("UPDATE orders SET accepted_at = ? WHERE order_id = ? AND accepted_at = 0", (now, order_id))
    connection.execute("UPDATE orders SET reservation_id = ? WHERE order_id = ? AND reservation_id = ''", (reservation_id, order_id))


def reservation_id_for(body: ConsentBody, domain: Domain, brand_id: int, reference_secret: bytes) -> ReservationId:
    """Under which the ledger will know it: computed here, so that no answer is needed to capture or let go."""
    member, under = MemberId.parse(body.member_id), reference(reference_secret, "order", body.order_id)
    if body.proof_kind == BRAND_GRANT:
        return brand_grant_digest(domain, member, brand_id, under)
    spender = member if body.spender_id is None else MemberId.parse(body.spender_id)
    what = body.points, body.discount_minor, Hash.parse(body.order_hash), under, body.nonce, body.deadline
    return consent_digest(domain, ConsentTerms(member, spender, brand_id, *what))


def keep_order(
    connection: sqlite3.Connection,
    body: ConsentBody,
    order: KnownOrder,
    lines: RecordLines,
    speaker: Speaker,
    now: int,
    *,
    ask_id: int,
    is_sandbox: bool,
) -> OwnDiscount | None:
    """The order's line stands before it is asked; asked again it is the same order. A sandbox's time is not this clock's.

    The brand's own discount where that was given for it: then nothing is asked. Raises TillRefused.
    """
    row = connection.execute("SELECT kind, body, let_go, asked_by FROM orders WHERE order_id = ?", (order.order_id,)).fetchone()
    if row is not None:
        kind, known, let_go, asked_by = row
        if kind != order.kind or ConsentBody.model_validate_json(known) != body:
            raise TillRefused(409, "reference_reused", f"order {order.order_id} was asked before with other content: take another order id")
        if let_go:
            raise TillRefused(409, "order_let_go", f"order {order.order_id} was canceled: take another order id")
        given = given_for(connection, order.order_id)
        if given is None:
            by = SEVERAL_ASKED if asked_by else ask_id
            connection.execute("UPDATE orders SET asked_by = ? WHERE order_id = ?", (by, order.order_id))
        return given
    try:
        one_step, occurred_at = order.kind == REDEEM, None if is_sandbox else datetime.fromtimestamp(now, UTC)
        lines.add(connection, order_record(order.order_id, order.member_id, body.points, occurred_at, one_step=one_step))
    except OtherRecord:
        raise TillRefused(409, "reference_reused", f"order {order.order_id} stands in the register already: take another") from None
    said = body.model_dump_json(exclude_defaults=True)
    what = order.order_id, order.kind, said, order.member_id, order.reservation_id, order.deadline
    names = "order_id, kind, body, member_id, reservation_id, deadline, till, cashier, journaled_at, asked_by"
    values = *what, speaker.till, speaker.cashier, now, ask_id
    connection.execute(f"INSERT INTO orders ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608
    return None


def order_reserved(connection: sqlite3.Connection, reservation_id: str) -> KnownOrder:
    """Raises TillRefused for a reservation that was not asked for through this agent."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM orders WHERE reservation_id = ?", (reservation_id,)).fetchone()  # noqa: S608
    if row is None:
        raise TillRefused(404, "unknown_reservation", "it was not authorized through this agent: authorize here, or capture at the gateway")
    return _with_points(connection, KnownOrder(*row))


def order_named(connection: sqlite3.Connection, order_id: str) -> KnownOrder:
    row = connection.execute(f"SELECT {_COLUMNS} FROM orders WHERE order_id = ?", (order_id,)).fetchone()  # noqa: S608
    if row is None:
        raise TillRefused(404, "not_found", f"nothing was asked for order {order_id} through this agent: there is nothing to cancel")
    return _with_points(connection, KnownOrder(*row))


def consent_of(connection: sqlite3.Connection, order: KnownOrder) -> ConsentBody:
    (body,) = connection.execute("SELECT body FROM orders WHERE order_id = ?", (order.order_id,)).fetchone()
    return ConsentBody.model_validate_json(body)


def is_soon(deadline: int, now: int) -> bool:
    """A capture so near to its deadline may come too late."""
    return deadline - now < _SOON_SECONDS


def captures_late(connection: sqlite3.Connection, now: int) -> int:
    """How many captures have not come to their end yet, and may come too late, or are."""
    open_ones = "items.kind = 'capture' AND items.external_id = orders.capture_id AND items.state <> 'ended'"
    counted = f"SELECT count(*) FROM items JOIN orders ON {open_ones} WHERE orders.deadline < ?"  # noqa: S608
    found: int = connection.execute(counted, (now + _SOON_SECONDS,)).fetchone()[0]
    return found


def let_go(connection: sqlite3.Connection, order: KnownOrder, void_id: str) -> None:
    """Refused where a capture of it was told and not refused: the member has had her discount. Raises TillRefused."""
    capture_id = _of_order(connection, "capture_id", order)
    captured = None if capture_id is None else find(connection, ItemKind.CAPTURE, capture_id)
    if captured is not None and captured.outcome is not Outcome.REFUSED and find(connection, ItemKind.VOID, void_id) is None:
        raise TillRefused(409, "captured", f"capture {capture_id} was told of this order: give the points back by a point refund")
    connection.execute("UPDATE orders SET let_go = 1 WHERE order_id = ?", (order.order_id,))


def note_capture(connection: sqlite3.Connection, order: KnownOrder, capture_id: str) -> None:
    """Refused where the order was let go. Raises TillRefused."""
    if _of_order(connection, "let_go", order):
        raise TillRefused(409, "order_let_go", f"order {order.order_id} was canceled or voided: ask the member for points again")
    connection.execute("UPDATE orders SET capture_id = ? WHERE order_id = ?", (capture_id, order.order_id))


def _with_points(connection: sqlite3.Connection, order: KnownOrder) -> KnownOrder:
    if given_for(connection, order.order_id) is not None:
        told = "the gateway was away, and its discount was given as the brand's own: no points were taken, and none are"
        raise TillRefused(409, "own_discount_given", f"order {order.order_id}: {told}")
    return order


def _of_order(connection: sqlite3.Connection, column: str, order: KnownOrder) -> Any:
    return connection.execute(f"SELECT {column} FROM orders WHERE order_id = ?", (order.order_id,)).fetchone()[0]  # noqa: S608
