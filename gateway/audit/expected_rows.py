"""The rows that every projection table must have by the replay: a second, separate way from the chain to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gateway.audit.book import BookEntry
from gateway.audit.evidence import ChainEvidence
from gateway.audit.replay import Replay
from gateway.ledger.brand_states import BrandState
from gateway.ledger.lots import split_lot_id
from gateway.ledger.positions import block_number_at
from gateway.values.ids import ReservationId
from gateway.values.points import MOST_POINTS_KEPT

ExpectedRow = tuple[Any, ...]


def expected_rows(chain: ChainEvidence, replay: Replay) -> dict[str, Iterator[ExpectedRow]]:
    """By table name; the values of each row stand in the order of the table's columns."""
    tables: dict[str, Callable[[ChainEvidence, Replay], Iterator[ExpectedRow]]] = {
        "ledger_blocks": _blocks,
        "ledger_batches": _batches,
        "ledger_entries": _entries,
        "ledger_movements": _movements,
        "ledger_member_lots": _member_lots,
        "ledger_lots": _lots,
        "ledger_clawed_issues": _clawed_issues,
        "ledger_reservations": _reservations,
        "ledger_reservation_lots": _reservation_lots,
        "ledger_owed": _owed,
        "ledger_exposure": _exposure,
        "ledger_exposure_limits": _exposure_limits,
        "ledger_governors": _governors,
        "ledger_brands": _brands,
        "ledger_brand_terms": _brand_terms,
        "ledger_brand_keys": _brand_keys,
        "ledger_authorizers": _authorizers,
        "ledger_members": lambda _, replay: replay.member_acts.members(),
        "ledger_grants": lambda _, replay: replay.member_acts.grants(),
        "ledger_pending_acts": lambda _, replay: replay.member_acts.waiting(),
    }
    return {name: rows(chain, replay) for name, rows in tables.items()}


def _blocks(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for number, block_hash in chain.block_hashes.items():
        yield number, block_hash, chain.timestamps[number]


def _batches(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for batch in replay.batches:
        one, counts = batch.submitted, (len(batch.entries), len(batch.refusals))
        yield one.brand_id, one.number, batch.recorded.root, *counts, one.block_number, one.transaction_hash


def _entries(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for entry in replay.book.entries:
        place = (entry.position, entry.brand_id, entry.batch_number, entry.entry_index)
        about = (
            entry.kind,
            entry.member,
            min(entry.points, MOST_POINTS_KEPT),
            entry.reference,
            entry.issue_reference,
            entry.reservation_id,
        )
        written = block_number_at(entry.position), entry.timestamp
        yield *place, *about, entry.rule_version, entry.entry, entry.refused, *written, entry.taker


def _movements(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for step in replay.book.steps:
        for movement in step.movements:
            yield step.position, movement.lot_id, movement.member, movement.held_delta, movement.reserved_delta


def _member_lots(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for member, lot in {(movement.member, movement.lot_id) for step in replay.book.steps for movement in step.movements}:
        holding = replay.book.holdings[member, lot]
        yield member, lot, holding.held, holding.reserved


def _lots(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for lot, totals in replay.book.lots.items():
        came = (totals.issued, totals.opened)
        went = totals.clawed_back, totals.redeemed, totals.refunded, totals.expired
        yield lot, *split_lot_id(lot), *came, *went, totals.restored, totals.moved


def _clawed_issues(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for place, clawed in replay.model.state.clawed.items():
        yield *place, clawed.member, clawed.points, clawed.latest_day


def _reservations(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    openings: dict[ReservationId | None, BookEntry] = {
        entry.reservation_id: entry for entry in replay.book.accepted if entry.kind in ("authorize", "redeem")
    }
    for identity, reservation in replay.book.reservations.items():
        reserved, captured, refunded = (sum(lot[place] for lot in reservation.lots.values()) for place in range(3))
        opening = openings[identity]
        whose = (identity, reservation.member, reservation.brand_id, opening.reference)
        yield *whose, reserved, captured, refunded, reservation.deadline, reservation.status


def _reservation_lots(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for identity, reservation in replay.book.reservations.items():
        for lot, points in reservation.lots.items():
            yield identity, lot, *points


def _owed(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    owed, settled = replay.model.state.owed, replay.model.state.settled
    for key in owed.keys() | settled.keys():
        yield *key, owed.get(key, 0), settled.get(key, 0)


def _governors(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    who = replay.governors
    if who.approvers is not None:
        approvers = ",".join(map(str, sorted(who.approvers.approvers)))
        yield 1, *(who.replaced[role] for role in ("operator", "guardian")), approvers, who.approvers.needed, who.replaced["delay"]


def _exposure(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for (issuer, acceptor), points in replay.model.state.exposure.items():
        yield issuer, acceptor, points


def _exposure_limits(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for acceptor, record in replay.model.state.brands.items():
        for issuer, most in record.exposure_limits.items():
            yield acceptor, issuer, most


def _brands(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for brand, register in replay.brands.items():
        outstanding, owned = replay.book.outstanding.get(brand, 0), (register.owner, register.owner_acts)
        yield brand, BrandState(register.status).name.lower(), register.limit, outstanding, register.last_day, *owned


def _brand_terms(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for brand, register in replay.brands.items():
        for version in register.terms:
            yield brand, version.number, *version.terms, version.valid_from


def _brand_keys(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for brand, register in replay.brands.items():
        for key, window in register.keys.items():
            yield brand, key, *window


def _authorizers(chain: ChainEvidence, replay: Replay) -> Iterator[ExpectedRow]:
    for (member, identity), (kind, authorizer) in replay.authorizers.items():
        yield member, identity, kind, authorizer
