"""Brands: registration, terms, limit, status and signing keys."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, StringConstraints

from gateway.access.api_key import Caller
from gateway.access.rows import SqlPrivilegedActions
from gateway.api.brand_signers import SignerProbeView, probed
from gateway.api.context import ContextNeeded
from gateway.api.idempotency import Write, WriteNeeded
from gateway.api.permissions import AsOperator, AsReader
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import AddressText, Body, BrandIdPath, Label, Positive, Signature, UnixSeconds, Whole, Word32
from gateway.brands.brand import MAX_LOT_VALIDITY_MONTHS, MAX_REGISTERED_BRAND_ID, Brand, BrandStatus
from gateway.brands.change_brand import set_brand_key, set_brand_limit, set_brand_status, set_brand_terms
from gateway.brands.register_brand import BrandRegistration, ledger_terms, register_brand
from gateway.brands.rows import SqlBrands
from gateway.ledger.governing import OwnerSignature
from gateway.loyalty.programmes.rows import SqlRules
from gateway.loyalty.programmes.views import BrandView, find_brand, list_brands
from gateway.rounds.rows import SqlOperations
from gateway.rounds.views import OperationView, find_operation
from gateway.store.unit_of_work import UnitOfWork, new_operation_id
from gateway.values.errors import NotFound
from gateway.values.hex import to_bytes
from gateway.values.ids import Address
from gateway.values.money import Ratio

FeeBasisPoints = Annotated[int, Field(strict=True, ge=0, le=10_000)]
TermsDays = Annotated[int, Field(strict=True, ge=0, le=3_650)]
SignerUrl = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=200)]
SignerToken = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", min_length=16, max_length=200)]
router = Router(prefix="/v1/brands", tags=["brands"])


class RatioBody(Body):
    """Minor units per point, as a fraction: 1/2 = half a cent a point."""

    numerator: Annotated[int, Field(strict=True, ge=1, le=10**9)]
    denominator: Annotated[int, Field(strict=True, ge=1, le=10**9)]

    def ratio(self) -> Ratio:
        return Ratio(self.numerator, self.denominator)


class BrandBody(Body):
    """`reference_secret` keys the hashes of the brand's payment and order ids; the brand's signer knows it, too. `owner_address` is
    that of the brand's owner key, which signs no batches. `managed`: the operator keeps the batch key on the brand's behalf.
    `publisher_address` is that of the key that signs its rules: where it is named, only what it signed is published."""

    brand_id: Annotated[int, Field(strict=True, ge=1, le=MAX_REGISTERED_BRAND_ID)] | None = None
    name: Label
    key_address: AddressText
    signer_url: SignerUrl
    signer_token: SignerToken
    reference_secret: Word32
    issue_limit: Whole
    par: RatioBody
    redemption: RatioBody
    lot_validity_months: Annotated[int, Field(strict=True, ge=0, le=MAX_LOT_VALIDITY_MONTHS)]
    earn_on_tax: StrictBool = False
    owner_address: AddressText
    fee_basis_points: FeeBasisPoints = 0
    run_off_days: TermsDays = 90
    notice_days: TermsDays = 30
    managed: StrictBool = False
    publisher_address: AddressText | None = None

    def content(self) -> dict[str, Any]:
        """The publisher came later: requests that do not name it keep their hash."""
        return {name: value for name, value in super().content().items() if name != "publisher_address" or value is not None}


class OwnerSignatureBody(Body):
    """By the brand's owner key, over the act in the ledger's format; `nonce` = how often the brand's owners acted before."""

    nonce: Whole
    deadline: UnixSeconds
    signature: Signature

    def signed(self) -> OwnerSignature:
        return OwnerSignature(self.nonce, self.deadline, to_bytes(self.signature))


class TermsBody(Body):
    """All terms, as the brand's owner signed them."""

    par: RatioBody
    redemption: RatioBody
    fee_basis_points: FeeBasisPoints
    run_off_days: TermsDays
    notice_days: TermsDays
    owner: OwnerSignatureBody


class LimitBody(Body):
    issue_limit: Whole


class StatusBody(Body):
    status: Literal["active", "suspended", "in_default"]


class KeyBody(Body):
    """The key signs batches while valid_from <= t < valid_until (Unix seconds; without an end: for good)."""

    key_address: AddressText
    valid_from: UnixSeconds = 0
    valid_until: Positive | None = None
    managed: StrictBool = False
    owner: OwnerSignatureBody


class RegisteredView(BaseModel):
    """`signer`: how the brand's signer was found just now, which is no reason to refuse."""

    brand: BrandView
    operation: OperationView
    signer: SignerProbeView | None


@router.post("", status_code=201, responses={202: {"model": RegisteredView}, **WRITES})
def create_brand(body: BrandBody, caller: AsOperator, write: WriteNeeded) -> RegisteredView:
    """Registers a brand here and on the ledger, and tries its signer out: what is not there yet is told in `signer`, not refused."""

    def act(work: UnitOfWork) -> str:
        asked = BrandRegistration(
            body.brand_id,
            body.name,
            Address.parse(body.key_address),
            body.signer_url,
            body.signer_token,
            to_bytes(body.reference_secret),
            body.issue_limit,
            body.par.ratio(),
            body.redemption.ratio(),
            body.lot_validity_months,
            body.earn_on_tax,
            Address.parse(body.owner_address),
            body.fee_basis_points,
            body.run_off_days,
            body.notice_days,
            body.managed,
            None if body.publisher_address is None else Address.parse(body.publisher_address),
        )
        brand = register_brand(
            asked, brands=work.of(SqlBrands), operations=work.of(SqlOperations), operation_id=new_operation_id(), now=work.now
        )
        record_of_brand(work, caller, "register_brand", brand.brand_id, body.name)
        return str(brand.brand_id)

    brand_id = int(write.once(caller, "brand", body.content(), act))
    with write.context.reading() as work:
        operation_id = work.of(SqlBrands).operation_of(brand_id)
    write.await_ledger([operation_id])
    with write.context.reading() as work:
        brand, operation = _brand_view(work, brand_id), find_operation(work.session, operation_id)
    return RegisteredView(brand=brand, operation=operation, signer=probed(write.context, brand_id))


@router.get("", responses=READS)
def get_brands(_caller: AsReader, context: ContextNeeded) -> list[BrandView]:
    """All brands of the coalition."""
    with context.reading() as work:
        return list_brands(work.session, brands=work.of(SqlBrands), rules=work.of(SqlRules), now=work.now)


@router.get("/{brand_id}", responses=READS)
def get_brand(brand_id: BrandIdPath, _caller: AsReader, context: ContextNeeded) -> BrandView:
    """One brand, with its terms, totals, rules and keys."""
    with context.reading() as work:
        return _brand_view(work, brand_id)


@router.post("/{brand_id}/terms", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def change_brand_terms(brand_id: BrandIdPath, body: TermsBody, caller: AsReader, write: WriteNeeded) -> OperationView:
    """New terms by the brand's owner, whoever sends them: what is no worse from the block it is written in, the rest after the notice."""

    def act(work: UnitOfWork) -> str:
        operation_id = new_operation_id()
        brand = the_brand(work, brand_id)
        terms = ledger_terms(body.par.ratio(), body.redemption.ratio(), body.fee_basis_points, body.run_off_days, body.notice_days)
        signed, operations = body.owner.signed(), work.of(SqlOperations)
        set_brand_terms(brand, terms, signed, operations=operations, operation_id=operation_id, now=work.now)
        record_of_brand(work, caller, "set_brand_terms", brand_id, body.model_dump_json())
        return operation_id

    return show_operation(write, write.once(caller, "operation", body.content(), act))


@router.post("/{brand_id}/limit", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def change_brand_limit(brand_id: BrandIdPath, body: LimitBody, caller: AsOperator, write: WriteNeeded) -> OperationView:
    """The limit on outstanding points: proposed to governance."""

    def act(work: UnitOfWork) -> str:
        operation_id = new_operation_id()
        set_brand_limit(
            the_brand(work, brand_id), body.issue_limit, operations=work.of(SqlOperations), operation_id=operation_id, now=work.now
        )
        record_of_brand(work, caller, "set_brand_limit", brand_id, str(body.issue_limit))
        return operation_id

    return show_operation(write, write.once(caller, "operation", body.content(), act))


@router.post("/{brand_id}/status", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def change_brand_status(brand_id: BrandIdPath, body: StatusBody, caller: AsOperator, write: WriteNeeded) -> OperationView:
    """Suspends a brand, takes it up again, or says that it pays nobody any more: proposed to governance."""

    def act(work: UnitOfWork) -> str:
        operation_id = new_operation_id()
        set_brand_status(
            the_brand(work, brand_id), BrandStatus(body.status), operations=work.of(SqlOperations), operation_id=operation_id, now=work.now
        )
        record_of_brand(work, caller, "set_brand_status", brand_id, body.status)
        return operation_id

    return show_operation(write, write.once(caller, "operation", body.content(), act))


@router.post("/{brand_id}/keys", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def change_brand_key(brand_id: BrandIdPath, body: KeyBody, caller: AsReader, write: WriteNeeded) -> OperationView:
    """Adds a batch key by the brand's owner, whoever sends it, or changes the window in which it signs; an end in the past withdraws it."""

    def act(work: UnitOfWork) -> str:
        operation_id = new_operation_id()
        set_brand_key(
            the_brand(work, brand_id),
            Address.parse(body.key_address),
            body.valid_from,
            body.valid_until,
            body.owner.signed(),
            operations=work.of(SqlOperations),
            operation_id=operation_id,
            now=work.now,
            managed=body.managed,
        )
        record_of_brand(work, caller, "set_brand_key", brand_id, body.model_dump_json())
        return operation_id

    return show_operation(write, write.once(caller, "operation", body.content(), act))


def the_brand(work: UnitOfWork, brand_id: int) -> Brand:
    """The brand; refuses one that is not there."""
    brand = work.of(SqlBrands).find(brand_id)
    if brand is None:
        raise NotFound(f"there is no brand {brand_id}", brand_id=brand_id)
    return brand


def show_operation(write: Write, operation_id: str) -> OperationView:
    """Waits as the caller prefers, then shows the operation."""
    write.await_ledger([operation_id])
    with write.context.database.read() as session:
        return find_operation(session, operation_id)


def _brand_view(work: UnitOfWork, brand_id: int) -> BrandView:
    return find_brand(work.session, brand_id, brands=work.of(SqlBrands), rules=work.of(SqlRules), now=work.now)


def record_of_brand(work: UnitOfWork, caller: Caller, action: str, brand_id: int, detail: str) -> None:
    work.of(SqlPrivilegedActions).record(work.now, f"{caller.principal}/{caller.key_id}", action, f"brand:{brand_id}", detail[:1_000])
