"""Brands: the gateway's own row joined with what the ledger says of status, limit, outstanding points and terms; their documents."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, func, insert, select, update

from gateway.brands.brand import Brand, BrandStatus
from gateway.brands.ports import NewBrand
from gateway.brands.tables import BrandDocumentRow, BrandRow
from gateway.coalition.rows import SqlCoalition
from gateway.ledger.brand_documents import BrandDocument
from gateway.projection.tables import LedgerBrandKeyRow, LedgerBrandRow, LedgerBrandTermsRow
from gateway.rounds.signer_port import SignerAddress
from gateway.rounds.tables import OperationRow, ReferenceRow
from gateway.store.counters import next_number, note_given
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.calendar import local_day
from gateway.values.hex import hex_text
from gateway.values.ids import Address, OperationId
from gateway.values.money import Ratio
from gateway.values.points import Points

_BRAND_COUNTER = "brand"
_BRANDS = (
    select(BrandRow, LedgerBrandRow).outerjoin(LedgerBrandRow, LedgerBrandRow.brand_id == BrandRow.brand_id).order_by(BrandRow.brand_id)
)
_EXTENDING = select(BrandRow.brand_id).where(BrandRow.extends_by_activity).order_by(BrandRow.brand_id)
_CARRYING = select(BrandRow.brand_id).where(BrandRow.carries_clawbacks).order_by(BrandRow.brand_id)
_ONE_BRAND = _BRANDS.where(BrandRow.brand_id == bindparam("of"))
_TERMS_HOLDING = (
    select(LedgerBrandTermsRow)
    .where(LedgerBrandTermsRow.brand_id == bindparam("of"), LedgerBrandTermsRow.valid_from <= bindparam("now"))
    .order_by(LedgerBrandTermsRow.number.desc())
    .limit(1)
)


class SqlBrands:
    """Each brand is read once in a unit of work."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
        self._work = work
        self._seen: dict[int, Brand] = {}

    def find(self, brand_id: int) -> Brand | None:
        if brand_id not in self._seen:
            found = [self._brand(row, ledger) for row, ledger in self._session.execute(_ONE_BRAND, {"of": brand_id})]
            if not found:
                return None
            (self._seen[brand_id],) = found
        return self._seen[brand_id]

    def all(self) -> list[Brand]:
        return [self._brand(row, ledger) for row, ledger in self._session.execute(_BRANDS)]

    def extending(self) -> list[int]:
        """Those that extend by activity."""
        return list(self._session.scalars(_EXTENDING))

    def carrying(self) -> list[int]:
        """Those that carry what clawbacks fell short of."""
        return list(self._session.scalars(_CARRYING))

    def _brand(self, row: BrandRow, ledger: LedgerBrandRow | None) -> Brand:
        terms = row if ledger is None else self._terms(row)
        return Brand(
            row.brand_id,
            row.name,
            BrandStatus.PENDING if ledger is None else self._status(ledger),
            row.reference_secret,
            ledger.issue_limit if ledger is not None else row.issue_limit,
            Points(ledger.outstanding if ledger is not None else 0),
            Ratio(terms.par_numerator, terms.par_denominator),
            Ratio(terms.redemption_numerator, terms.redemption_denominator),
            row.lot_validity_months,
            row.earn_on_tax,
            row.extends_by_activity,
            row.carries_clawbacks,
            row.publisher_address,
        )

    def _terms(self, row: BrandRow) -> LedgerBrandTermsRow | BrandRow:
        """The version that holds now; those of the registration for a clock that is behind the ledger's."""
        return self._session.scalars(_TERMS_HOLDING, {"of": row.brand_id, "now": self._work.now}).one_or_none() or row

    def _status(self, ledger: LedgerBrandRow) -> BrandStatus:
        """A run-off past its last day is closed."""
        status = BrandStatus(ledger.status)
        if status is not BrandStatus.RUNNING_OFF:
            return status
        today = local_day(self._work.now, self._work.of(SqlCoalition).facts.utc_offset_seconds)
        return BrandStatus.CLOSED if today > ledger.last_day else status

    def names(self) -> dict[int, str]:
        return {row.brand_id: row.name for row in self._session.execute(select(BrandRow.brand_id, BrandRow.name))}

    def operation_of(self, brand_id: int) -> OperationId:
        """The operation that registers the brand."""
        return OperationId(self._session.scalars(select(BrandRow.operation_id).where(BrandRow.brand_id == brand_id)).one())

    def named(self, name: str) -> bool:
        return self._session.scalar(select(BrandRow.brand_id).where(BrandRow.name == name)) is not None

    def next_id(self) -> int:
        return next_number(self._session, _BRAND_COUNTER)

    def change_settings(self, changed: Brand) -> None:
        settings = {
            "extends_by_activity": changed.extends_by_activity,
            "carries_clawbacks": changed.carries_clawbacks,
            "publisher_address": changed.publisher_address,
        }
        self._session.execute(update(BrandRow).where(BrandRow.brand_id == changed.brand_id).values(**settings))
        self._seen.pop(changed.brand_id, None)

    def signer_of(self, brand_id: int) -> SignerAddress:
        return SignerAddress(
            *self._session.execute(select(BrandRow.signer_url, BrandRow.signer_token).where(BrandRow.brand_id == brand_id)).one()
        )

    def batch_keys(self, brand_id: int) -> frozenset[Address]:
        """As the ledger has them; that of the registration as long as it is not there."""
        of_ledger = self._session.scalars(select(LedgerBrandKeyRow.key_address).where(LedgerBrandKeyRow.brand_id == brand_id)).all()
        return frozenset(of_ledger or self._session.scalars(select(BrandRow.key_address).where(BrandRow.brand_id == brand_id)))

    def has_references(self, brand_id: int) -> bool:
        """Whether anything that is on the ledger, or may still come there, stands under a reference that the brand's secret gave."""
        alive = OperationRow.brand_id == brand_id, OperationRow.reference.is_not(None), OperationRow.status != "refused"
        rebuilt = ReferenceRow.brand_id == brand_id, ReferenceRow.operation_id.is_(None)
        found = select(OperationRow.sequence).where(*alive), select(ReferenceRow.brand_id).where(*rebuilt)
        return any(self._session.scalar(each.limit(1)) is not None for each in found)

    def move_signer(self, brand_id: int, signer: SignerAddress, reference_secret: bytes) -> None:
        values = {"signer_url": signer.url, "signer_token": signer.token, "reference_secret": reference_secret}
        self._session.execute(update(BrandRow).where(BrandRow.brand_id == brand_id).values(**values))
        self._seen.pop(brand_id, None)

    def add(self, new: NewBrand, operation_id: OperationId, at: int) -> None:
        brand = new.brand
        note_given(self._session, {_BRAND_COUNTER: brand.brand_id})
        self._session.execute(
            insert(BrandRow).values(
                brand_id=brand.brand_id,
                name=brand.name,
                reference_secret=brand.reference_secret,
                signer_url=new.signer_url,
                signer_token=new.signer_token,
                key_address=new.key_address,
                issue_limit=brand.issue_limit,
                par_numerator=brand.par.numerator,
                par_denominator=brand.par.denominator,
                redemption_numerator=brand.redemption.numerator,
                redemption_denominator=brand.redemption.denominator,
                lot_validity_months=brand.lot_validity_months,
                earn_on_tax=brand.earn_on_tax,
                publisher_address=brand.publisher_address,
                operation_id=operation_id,
                created_at=at,
            )
        )


@dataclass(frozen=True, slots=True)
class PublishedDocument:
    """`document` is the canonical JSON over which the owner's `signature` is."""

    brand_id: int
    number: int
    document: str
    signature: str


class SqlBrandDocuments:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def last_number(self, brand_id: int) -> int:
        return self._session.scalar(select(func.max(BrandDocumentRow.number)).where(BrandDocumentRow.brand_id == brand_id)) or 0

    def owner_of(self, brand_id: int) -> Address | None:
        """As the ledger has it."""
        brand = self._session.get(LedgerBrandRow, brand_id)
        return None if brand is None else brand.owner_address

    def published(self, brand_id: int) -> list[PublishedDocument]:
        rows = select(BrandDocumentRow).where(BrandDocumentRow.brand_id == brand_id).order_by(BrandDocumentRow.number)
        return [PublishedDocument(brand_id, row.number, row.document, hex_text(row.signature)) for row in self._session.scalars(rows)]

    def add(self, document: BrandDocument, signature: bytes, at: int) -> None:
        place = {"brand_id": document.brand_id, "number": document.number}
        self._session.execute(insert(BrandDocumentRow).values(**place, document=document.text(), signature=signature, received_at=at))
