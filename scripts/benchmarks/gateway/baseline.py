"""A plain double-entry table in PostgreSQL behind the same HTTP server: `python -m scripts.benchmarks.gateway.baseline URL PORT`.

No keys, no ledger, no signatures, no rules but one: what the gateway adds is measured against it. Each call is one committed transaction.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import Engine, text

from gateway.bodies.purchases import PaymentRefundBody, PurchaseBody
from gateway.store.engine import open_engine

SCHEMA = """
CREATE TABLE IF NOT EXISTS purchases (payment_id text PRIMARY KEY, member_id text NOT NULL, gross_minor bigint NOT NULL);
CREATE TABLE IF NOT EXISTS postings (id bigserial PRIMARY KEY, reference text NOT NULL, account text NOT NULL, points bigint NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS postings_once ON postings (reference, account);
CREATE TABLE IF NOT EXISTS accounts (account text PRIMARY KEY, points bigint NOT NULL);
"""
_PURCHASE = text("INSERT INTO purchases VALUES (:reference, :member, :gross) ON CONFLICT DO NOTHING RETURNING payment_id")
_POSTING = text("INSERT INTO postings (reference, account, points) VALUES (:reference, :account, :points)")
_ACCOUNT = text("INSERT INTO accounts VALUES (:account, :points) ON CONFLICT (account) DO UPDATE SET points = accounts.points + :points")
_BOUGHT = text("SELECT member_id FROM purchases WHERE payment_id = :payment_id")
_HELD = text("SELECT points FROM accounts WHERE account = :account")
_BRANDS = "brands"


class PurchasesBody(BaseModel):
    purchases: list[PurchaseBody]


class PaymentRefundsBody(BaseModel):
    payment_refunds: list[PaymentRefundBody]


def served(engine: Engine) -> FastAPI:
    app = FastAPI()

    @app.post("/v1/purchases", status_code=201)
    def create_purchase(body: PurchaseBody) -> dict[str, Any]:
        _record(engine, [body], [])
        return {"payment_id": body.payment_id}

    @app.post("/v1/purchases/bulk", status_code=201)
    def create_purchases(body: PurchasesBody) -> dict[str, Any]:
        _record(engine, body.purchases, [])
        return {"accepted": len(body.purchases), "refused": 0}

    @app.post("/v1/payment-refunds", status_code=201)
    def create_payment_refund(body: PaymentRefundBody) -> dict[str, Any]:
        _record(engine, [], [body])
        return {"refund_id": body.refund_id}

    @app.post("/v1/payment-refunds/bulk", status_code=201)
    def create_payment_refunds(body: PaymentRefundsBody) -> dict[str, Any]:
        _record(engine, [], body.payment_refunds)
        return {"accepted": len(body.payment_refunds), "refused": 0}

    @app.get("/v1/members/{member_id}/points")
    def get_points(member_id: str) -> dict[str, Any]:
        with engine.connect() as connection:
            return {"member_id": member_id, "points": connection.execute(_HELD, {"account": member_id}).scalar() or 0}

    return app


def _record(engine: Engine, purchases: Sequence[PurchaseBody], refunds: Sequence[PaymentRefundBody]) -> None:
    """Accounts last and in their order: two calls never wait for each other in a circle."""
    postings: list[tuple[str, str, int]] = []
    with engine.begin() as connection:
        for sale in purchases:
            row = {"reference": sale.payment_id, "member": sale.member_id, "gross": sale.gross_minor}
            if connection.execute(_PURCHASE, row).first() is not None:
                postings.append((sale.payment_id, str(sale.member_id), sale.gross_minor // 100))
        for refund in refunds:
            member = connection.execute(_BOUGHT, {"payment_id": refund.payment_id}).scalar_one()
            postings.append((refund.refund_id, str(member), -(refund.amount_minor // 100)))
        if not postings:
            return
        sides = [(reference, account, points) for reference, member, points in postings for account, points in _sides(member, points)]
        connection.execute(_POSTING, [{"reference": one[0], "account": one[1], "points": one[2]} for one in sides])
        members = [
            {"account": account, "points": points} for _, account, points in sorted(sides, key=lambda one: one[1]) if account != _BRANDS
        ]
        connection.execute(_ACCOUNT, members)


def _sides(member: str, points: int) -> tuple[tuple[str, int], tuple[str, int]]:
    return (member, points), (_BRANDS, -points)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("port", type=int)
    given = parser.parse_args()
    engine = open_engine(given.url)
    with engine.begin() as connection:
        connection.execute(text(SCHEMA))
    uvicorn.run(served(engine), host="127.0.0.1", port=given.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
