"""Roots that others or the operator have signed, on their way to the ledger: the operator's next transaction, which the worker sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from gateway.chain.artifacts import anchors
from gateway.chain.connection import Chain
from gateway.chain.operator_key import load_account
from gateway.coalition.tables import CoalitionRow
from gateway.commands.running.opening import settings_of_command
from gateway.rounds.submitter import Submitter
from gateway.rounds.tables import TransactionRow
from gateway.store.session import Database
from gateway.values.calendar import wall_clock
from gateway.values.hex import from_int, to_int

GAS_EACH = 300_000  # three times what is measured


def hand_over(database: Database, chain: Chain, coalition: CoalitionRow, purpose: str, signed: Sequence[tuple[Any, ...]]) -> None:
    """`signed` as the contract takes them. Once is enough while one of this purpose waits."""
    submitter = Submitter(database, chain, load_account(settings_of_command().operator_key_file), coalition.chain_id)
    base_fee = to_int(chain.call("eth_getBlockByNumber", "latest", False).get("baseFeePerGas", from_int(0)))
    data, gas = anchors().call("anchor", list(signed)), GAS_EACH * len(signed)
    with database.write() as session:
        waiting = select(func.count()).where(TransactionRow.purpose == purpose, TransactionRow.status == "stored")
        if not session.scalar(waiting):
            submitter.store(session, purpose, coalition.anchors_address, data, gas, base_fee, wall_clock())
