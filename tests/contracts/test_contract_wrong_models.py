"""One short history of spending tells a model that is wrong in one thing from the contract; a right one agrees with it to the end."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.ledger.effects import Effect, Movement
from gateway.ledger.entries import Authorize, Issue, PointRefund, Redeem
from gateway.ledger.lots import Line, expiry_day_for
from gateway.ledger.model import LedgerModel
from gateway.ledger.state import ReservationRecord
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.ids import LotId
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import key_of
from tests.builders.points_ledger import UTC_OFFSET_SECONDS, PointsLedger

GROCER, FUEL = 1, 2
ANN = key_of("ann")


def tell(model: type[LedgerModel]) -> None:
    """Spends up to the exposure, gives back, and releases late."""
    ledger = PointsLedger((GROCER, FUEL), model=model, exposed=False)
    ann, day = ledger.enroll("ann"), expiry_day_for(ledger.now, UTC_OFFSET_SECONDS, 1)
    ledger.submit(GROCER, [Issue(ann, day, 1_000, BASIS, bytes(32))])
    ledger.expose(FUEL, GROCER, 500)
    line = Line(GROCER, day, 300)
    spent, too_much = (ledger.consented(Redeem, FUEL, ann, [line], key=ANN, nonce=nonce, discount=1_000) for nonce in (1, 2))
    ledger.submit(FUEL, [spent, too_much])
    ledger.submit(FUEL, [ledger.refund(ledger.reservation_id(FUEL, spent), [line])])
    ledger.chain.set_time((day + 1) * SECONDS_PER_DAY - UTC_OFFSET_SECONDS - 60)
    left = ledger.consented(Authorize, FUEL, ann, [Line(GROCER, day, 40)], key=ANN)
    ledger.submit(FUEL, [left])
    ledger.chain.set_time(left.deadline + 1)
    assert ledger.release(ledger.reservation_id(FUEL, left), [line.lot_id]).succeeded
    held = {lot: points for (_, lot), points in ledger.model.state.held.items()}
    assert {lot: ledger.held(ann, lot >> 32, lot & 0xFFFFFFFF)[0] for lot in held} == held


class ForgetsWhatItIsOwed(LedgerModel):
    """Exposure never stops anything."""

    def _require_lots(self, brand: int, entry: Authorize | Redeem, timestamp: int) -> None:
        exposure, self.state.exposure = self.state.exposure, {}
        try:
            super()._require_lots(brand, entry, timestamp)
        finally:
            self.state.exposure = exposure


class GivesWhateverDiscount(LedgerModel):
    """A point refund's share of the discount is rounded down."""

    def _refund(self, brand: int, entry: PointRefund, timestamp: int) -> Effect:
        reservation = self.state.reservations.get(entry.reservation_id)
        for lot in reservation.lots.values() if reservation else ():
            lot.discount = max(lot.discount - 1, 0)
        return super()._refund(brand, entry, timestamp)


class KeepsExpiredPointsExpired(LedgerModel):
    """Late releases go back into the lot that expired."""

    def _set_free(self, reservation: ReservationRecord, lots: Sequence[LotId], timestamp: int) -> tuple[Movement, ...]:
        return super()._set_free(reservation, lots, reservation.deadline)


@pytest.mark.parametrize("wrong", [ForgetsWhatItIsOwed, GivesWhateverDiscount, KeepsExpiredPointsExpired])
def test_a_wrong_model_is_found_out(wrong: type[LedgerModel]) -> None:
    with pytest.raises(AssertionError):
        tell(wrong)


def test_a_right_one_is_not() -> None:
    tell(LedgerModel)
