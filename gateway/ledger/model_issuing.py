"""The issuing side of the ledger's model: issue, opening, clawback, restore, expire, extend."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from eth_hash.auto import keccak

from gateway.ledger.batches import batch_outcome, batch_record, branch_root
from gateway.ledger.brand_states import BrandState
from gateway.ledger.effects import Effect, Movement
from gateway.ledger.entries import Clawback, EntryKind, Expire, Extend, Issue, Opening, Restore
from gateway.ledger.issue_parts import ShownIssue
from gateway.ledger.lots import Line
from gateway.ledger.lots import lot_id as lot_id_of
from gateway.ledger.model_base import ModelBase, Skip, require
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.state import ClawedIssue
from gateway.values.calendar import NEVER, is_month_end

ISSUING_KINDS = (EntryKind.ISSUE, EntryKind.OPENING)


class IssuingModel(ModelBase):
    """What a brand does with points of its own."""

    def _issue(self, brand: int, entry: Issue | Opening, timestamp: int) -> Effect:
        record = self.state.brands[brand]
        require(record.status is BrandState.ACTIVE, RefusalReason.BRAND_NOT_ACTIVE)
        require(any(entry.member), RefusalReason.ZERO_MEMBER)
        require(entry.points > 0, RefusalReason.ZERO_POINTS)
        require(entry.expiry_day == NEVER or is_month_end(entry.expiry_day), RefusalReason.EXPIRY_NOT_MONTH_END)
        require(not self._expired(entry.expiry_day, timestamp), RefusalReason.LOT_EXPIRED)
        require(record.outstanding + entry.points <= record.limit, RefusalReason.LIMIT_EXCEEDED)
        lot = lot_id_of(brand, entry.expiry_day)
        if isinstance(entry, Opening):
            self.state.lots[lot].opened += entry.points
        else:
            self.state.lots[lot].issued += entry.points
        return Effect(entry, entry.member, (Movement(entry.member, lot, entry.points, 0),))

    def _claw_back(self, brand: int, entry: Clawback) -> Effect:
        self._require_not_in_default(brand)
        shown = entry.issue
        require(self._is_of_record(brand, shown), RefusalReason.UNKNOWN_ISSUE)
        require(shown.index not in {index for index, _ in shown.refusals}, RefusalReason.ISSUE_REFUSED)
        is_theirs = shown.entry[0] in ISSUING_KINDS and shown.entry[1:21] == entry.member
        require(is_theirs, RefusalReason.NOT_THIS_MEMBERS_ISSUE)
        for line in entry.lines:
            self._require_own_points(brand, line)
            require(self.state.unreserved(entry.member, line.lot_id) >= line.points, RefusalReason.NOT_ENOUGH_POINTS)
        place = brand, shown.number, shown.index
        before = self.state.clawed.get(place)
        taken = (before.points if before else 0) + _total(entry.lines)
        require(taken <= int.from_bytes(shown.entry[25:33]), RefusalReason.TOO_MANY_POINTS)
        days = [line.expiry_day for line in entry.lines] + ([before.latest_day] if before and before.points else [])
        self.state.clawed[place] = ClawedIssue(entry.member, taken, max(days, key=_lasting))
        for line in entry.lines:
            self.state.lots[line.lot_id].clawed_back += line.points
        return Effect(entry, entry.member, tuple(Movement(entry.member, line.lot_id, -line.points, 0) for line in entry.lines))

    def _restore(self, brand: int, entry: Restore, timestamp: int) -> Effect:
        self._require_not_in_default(brand)
        clawed = self.state.clawed.get((brand, entry.number, entry.index))
        if clawed is None:
            raise Skip(RefusalReason.UNKNOWN_ISSUE)
        require(clawed.member == entry.member, RefusalReason.NOT_THIS_MEMBERS_ISSUE)
        for line in entry.lines:
            self._require_own_points(brand, line)
            require(line.expiry_day == NEVER or is_month_end(line.expiry_day), RefusalReason.EXPIRY_NOT_MONTH_END)
            require(_lasting(line.expiry_day) >= _lasting(clawed.latest_day), RefusalReason.LOT_NOT_LATER)
        require(_total(entry.lines) <= clawed.points, RefusalReason.TOO_MANY_POINTS)
        clawed.points -= _total(entry.lines)
        movements = []
        for line in entry.lines:
            destination = self._lot_or_grace(line, timestamp)
            self.state.lots[destination].restored += line.points
            movements.append(Movement(entry.member, destination, line.points, 0))
        return Effect(entry, entry.member, tuple(movements))

    def _expire(self, brand: int, entry: Expire, timestamp: int) -> Effect:
        self._require_not_in_default(brand)
        require(self._expired(entry.expiry_day, timestamp), RefusalReason.LOT_NOT_EXPIRED)
        require(entry.points > 0, RefusalReason.ZERO_POINTS)
        lot = lot_id_of(brand, entry.expiry_day)
        require(entry.points == self.state.unreserved(entry.member, lot), RefusalReason.POINTS_MISMATCH)
        self.state.lots[lot].expired += entry.points
        return Effect(entry, entry.member, (Movement(entry.member, lot, -entry.points, 0),))

    def _extend(self, brand: int, entry: Extend, timestamp: int) -> Effect:
        self._require_not_in_default(brand)
        require(entry.points > 0, RefusalReason.ZERO_POINTS)
        is_later = entry.from_day != NEVER and (entry.to_day == NEVER or entry.to_day > entry.from_day)
        require(is_later, RefusalReason.LOT_NOT_LATER)
        require(entry.to_day == NEVER or is_month_end(entry.to_day), RefusalReason.EXPIRY_NOT_MONTH_END)
        require(not self._expired(entry.to_day, timestamp), RefusalReason.LOT_EXPIRED)
        source, destination = lot_id_of(brand, entry.from_day), lot_id_of(brand, entry.to_day)
        require(self.state.unreserved(entry.member, source) >= entry.points, RefusalReason.NOT_ENOUGH_POINTS)
        self.state.lots[source].moved -= entry.points
        self.state.lots[destination].moved += entry.points
        movements = Movement(entry.member, source, -entry.points, 0), Movement(entry.member, destination, entry.points, 0)
        return Effect(entry, entry.member, movements)

    def _is_of_record(self, brand: int, shown: ShownIssue) -> bool:
        record = self.state.records.get((brand, shown.number))
        root = branch_root(keccak(shown.entry), shown.index, shown.entry_count, shown.branch)
        return root is not None and batch_record(root, batch_outcome(shown.entry_count, shown.refusals)) == record

    def _require_not_in_default(self, brand: int) -> None:
        require(self.state.brands[brand].status is not BrandState.IN_DEFAULT, RefusalReason.BRAND_IN_DEFAULT)

    @staticmethod
    def _require_own_points(brand: int, line: Line) -> None:
        require(line.points > 0, RefusalReason.ZERO_POINTS)
        require(line.brand_id == brand, RefusalReason.NOT_OWN_LOT)


def _lasting(expiry_day: int) -> float:
    """Never comes last."""
    return inf if expiry_day == NEVER else expiry_day


def _total(lines: Sequence[Line]) -> int:
    return sum(line.points for line in lines)
