"""The projection of the brand register: owner, state, limit, versions of terms and batch keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.chain.artifacts import Event
from gateway.ledger.brand_states import BrandState
from gateway.ledger.state import BrandRecord, LedgerState
from gateway.ledger.terms import LedgerTerms, TermsVersion
from gateway.projection.ledger_state import BRAND_STATUS
from gateway.projection.tables import LedgerBrandKeyRow, LedgerBrandRow, LedgerBrandTermsRow, LedgerExposureLimitRow
from gateway.store.upsert import set_rows
from gateway.values.ids import Address


class BrandRegister:
    """Brands as the contract has them; the model's state is kept in step."""

    def __init__(self, session: Session, state: LedgerState) -> None:
        self._session = session
        self._state = state
        self._owners: dict[int, Address | None] = {}
        self._acts: dict[int, int] = {}
        self._terms: dict[tuple[int, int], dict[str, int]] = {}
        self._exposed: dict[tuple[int, int], int] = {}
        self._keys: dict[tuple[int, Address], dict[str, Any]] = {}
        for brand in session.scalars(select(LedgerBrandRow)):
            self._owners[brand.brand_id], self._acts[brand.brand_id] = brand.owner_address, brand.owner_acts

    def event(self, event: Event, timestamp: int) -> None:
        """Changes what the event of a block with this time says; other contracts' events and notices mean nothing here."""
        values = event.values
        match event.name:
            case "BrandRegistered":
                self._state.brands[values["brandId"]] = BrandRecord(BrandState.ACTIVE, values["limit"])
            case "BrandOwnerSet":
                self._owners[values["brandId"]] = values["to"]
            case "OwnerActed":
                self._acts[values["brandId"]] = values["nonce"] + 1
            case "BrandStatusSet":
                record = self._state.brands[values["brandId"]]
                record.status, record.last_day = BrandState(values["status"]), values["lastDay"]
            case "BrandLimitSet":
                self._state.brands[values["brandId"]].limit = values["limit"]
            case "BrandTermsSet":
                self._new_terms(values, timestamp)
            case "ExposureSet":
                most = min(values["most"], _LARGEST)
                self._state.brands[values["brandId"]].exposure_limits[values["issuerId"]] = most
                self._exposed[values["brandId"], values["issuerId"]] = most
            case "BrandKeySet":
                self._keys[values["brandId"], values["key"]] = {
                    "brand_id": values["brandId"],
                    "key_address": values["key"],
                    "valid_from": values["validFrom"],
                    "valid_until": values["validUntil"],
                    "managed": values["managed"],
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
                    "last_day": brand.last_day,
                    "owner_address": self._owners[brand_id],
                    "owner_acts": min(self._acts.get(brand_id, 0), _LARGEST),
                }
                for brand_id, brand in sorted(self._state.brands.items())
            ],
        )
        set_rows(self._session, LedgerBrandTermsRow, list(self._terms.values()))
        set_rows(self._session, LedgerBrandKeyRow, list(self._keys.values()))
        exposed = [{"acceptor_id": brand, "issuer_id": issuer, "most": most} for (brand, issuer), most in self._exposed.items()]
        set_rows(self._session, LedgerExposureLimitRow, exposed)

    def _new_terms(self, values: dict[str, Any], timestamp: int) -> None:
        """What was announced before and does not hold yet is dropped."""
        brand_id, number = values["brandId"], values["number"]
        row = LedgerBrandTermsRow
        self._session.execute(delete(row).where(row.brand_id == brand_id, row.valid_from > timestamp))
        dropped = [key for key, terms in self._terms.items() if key[0] == brand_id and terms["valid_from"] > timestamp]
        for key in dropped:
            del self._terms[key]
        fields = dict(zip(_TERMS, (min(value, _LARGEST) for value in values["terms"]), strict=True))
        version = TermsVersion(LedgerTerms(*fields.values()), number, values["validFrom"])
        self._state.brands[brand_id].terms.note(version, timestamp)
        self._terms[brand_id, number] = {"brand_id": brand_id, "number": number, **fields, "valid_from": values["validFrom"]}


_LARGEST = 2**63 - 1  # what SQL keeps of the contract's wider numbers; more points than that are never outstanding
_TERMS = (
    "par_numerator",
    "par_denominator",
    "redemption_numerator",
    "redemption_denominator",
    "fee_basis_points",
    "run_off_days",
    "notice_days",
)
