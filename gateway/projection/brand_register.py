"""The projection of the brand register: status, limit, terms and signing keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.chain.artifacts import Event
from gateway.ledger.brand_states import BrandState
from gateway.ledger.state import BrandRecord, LedgerState
from gateway.projection.ledger_state import BRAND_STATUS
from gateway.projection.tables import LedgerBrandKeyRow, LedgerBrandRow
from gateway.store.upsert import set_rows
from gateway.values.ids import Address


class BrandRegister:
    """Brands as the contract has them; the model's state is kept in step."""

    def __init__(self, session: Session, state: LedgerState) -> None:
        self._session = session
        self._state = state
        self._terms: dict[int, dict[str, int]] = {}
        self._keys: dict[tuple[int, Address], dict[str, Any]] = {}
        for brand in session.scalars(select(LedgerBrandRow)):
            self._terms[brand.brand_id] = {name: getattr(brand, name) for name in _TERMS}

    def event(self, event: Event) -> None:
        """Changes what the event says; other contracts' events and notices mean nothing here."""
        values = event.values
        match event.name:
            case "BrandRegistered":
                self._state.brands[values["brandId"]] = BrandRecord(BrandState.ACTIVE, values["limit"])
                self._terms[values["brandId"]] = dict.fromkeys(_TERMS, 0)
            case "BrandStatusSet":
                self._state.brands[values["brandId"]].status = BrandState(values["status"])
            case "BrandLimitSet":
                self._state.brands[values["brandId"]].limit = values["limit"]
            case "BrandTermsSet":
                self._terms[values["brandId"]] = {name: values[parameter] for name, parameter in _TERMS.items()}
            case "BrandKeySet":
                self._keys[values["brandId"], values["key"]] = {
                    "brand_id": values["brandId"],
                    "key_address": values["key"],
                    "valid_from": values["validFrom"],
                    "valid_until": values["validUntil"],
                }

    def write(self) -> None:
        set_rows(
            self._session,
            LedgerBrandRow,
            [
                {
                    "brand_id": brand_id,
                    "status": BRAND_STATUS[brand.status],
                    "issue_limit": min(brand.limit, _LARGEST),
                    "outstanding": brand.outstanding,
                    **self._terms[brand_id],
                }
                for brand_id, brand in sorted(self._state.brands.items())
            ],
        )
        set_rows(self._session, LedgerBrandKeyRow, list(self._keys.values()))


_LARGEST = 2**63 - 1  # what SQL keeps of the contract's wider limit; more points than that are never outstanding
_TERMS = {
    "par_numerator": "parMinor",
    "par_denominator": "parPoints",
    "redemption_numerator": "redemptionMinor",
    "redemption_denominator": "redemptionPoints",
}
