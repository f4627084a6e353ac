"""Payment files: the raw file in, what became of it and its line-numbered errors out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.rows import SqlRequests
from gateway.api.context import ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsBrand, AsReader, brand_of, check_reads_brand
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import Cursor, Limit
from gateway.coalition.rows import SqlCoalition
from gateway.payments.import_payment_file import PaymentFileImport, keep_payment_file, read_payment_file
from gateway.payments.layouts import layout_named
from gateway.payments.record import FILE_BYTES_MAX, ControlTotals, FileStatus, PaymentFile, PaymentFileRefused
from gateway.payments.rows import SqlColumnMappings, SqlPaymentFiles
from gateway.payments.views import line_errors
from gateway.store.pages import cursor_after, position_of
from gateway.store.unit_of_work import UnitOfWork, new_id
from gateway.values.errors import NotFound, TooLarge

router = Router(prefix="/v1/payment-files", tags=["reconciliation"])

PaymentFileIdPath = Annotated[str, Path(min_length=1, max_length=64)]
ERRORS_SHOWN = 100
_RAW = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}}


class PaymentFileQuery(BaseModel):
    """What goes with the file. Control totals count data rows and sum the gross column as written, in minor units."""

    model_config = ConfigDict(extra="forbid")

    layout: str = Field(max_length=100, examples=["stripe-payout-reconciliation", "mapped:till"])
    file_name: str = Field("payment-file.csv", min_length=1, max_length=200)
    expected_rows: int | None = Field(None, ge=0, le=2**31)
    expected_gross_minor: int | None = Field(None, ge=-(2**62), le=2**62)
    reference_column: str | None = Field(None, max_length=128, description="Stripe: the column that holds the payment id")
    time_zone: str | None = Field(None, max_length=64, description="Stripe: the time zone of the column `created`")

    @property
    def options(self) -> dict[str, str]:
        given = {"reference_column": self.reference_column, "time_zone": self.time_zone}
        return {name: value for name, value in given.items() if value is not None}


class LineErrorView(BaseModel):
    """A line that could not be used; the good ones around it were."""

    line_number: int
    reason: str
    text: str


class PaymentFileView(BaseModel):
    """`errors` are the first ones; the rest is under /errors."""

    payment_file_id: str
    file_name: str
    file_hash: str
    layout: str
    status: FileStatus
    reason: str | None
    row_count: int
    record_count: int
    error_count: int
    created_at: int
    errors: list[LineErrorView]


class LineErrorsPage(BaseModel):
    errors: list[LineErrorView]
    next_cursor: str | None


async def raw_body(request: Request) -> bytes:
    """The body as it came, bounded while it comes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > FILE_BYTES_MAX:
            raise TooLarge(f"a payment file has at most {FILE_BYTES_MAX} bytes")
        parts.append(part)
    return b"".join(parts)


@router.post("", status_code=201, responses=WRITES, openapi_extra=_RAW)
def create_payment_file(
    query: Annotated[PaymentFileQuery, Query()], content: Annotated[bytes, Depends(raw_body)], caller: AsBrand, write: WriteNeeded
) -> PaymentFileView:
    """Imports a file. Good rows are kept, bad ones are reported by line; a file of another layout or with wrong totals is refused whole."""
    brand_id = brand_of(caller)
    with write.context.reading() as work:
        earlier = work.of(SqlRequests).find(caller.principal, write.idempotency_key)
        mappings = work.of(SqlColumnMappings)
        offset = work.of(SqlCoalition).facts.utc_offset_seconds
        layout = layout_named(query.layout, query.options, brand_id=brand_id, mappings=mappings, utc_offset_seconds=offset)
    stated = ControlTotals(query.expected_rows, query.expected_gross_minor)
    request = PaymentFileImport(brand_id, query.file_name, content, layout.name, layout.options, stated)
    read = None if earlier is not None else read_payment_file(request, reader=layout.reader)

    def act(work: UnitOfWork) -> str:
        item = read or read_payment_file(request, reader=layout.reader)
        files = work.of(SqlPaymentFiles)
        return keep_payment_file(item, files=files, payment_file_id=new_id(), now=work.now).payment_file_id

    asked = query.model_dump(exclude_none=True) | {"file_hash": str(request.file_hash)}
    payment_file_id = write.once(caller, "payment_file", asked, act)
    view = _view(write.context, payment_file_id)
    if view.status is FileStatus.REFUSED:
        raise PaymentFileRefused(
            f"the file was kept and marked, none of its rows is used: {view.reason}", payment_file_id=payment_file_id, reason=view.reason
        )
    if "Idempotent-Replayed" in write.response.headers:
        write.response.status_code = 200
    return view


@router.get("/{payment_file_id}", responses=READS)
def get_payment_file(payment_file_id: PaymentFileIdPath, caller: AsReader, context: ContextNeeded) -> PaymentFileView:
    """A file, refused ones too."""
    _find(context, caller, payment_file_id)
    return _view(context, payment_file_id)


@router.get("/{payment_file_id}/errors", responses=READS)
def get_line_errors(
    payment_file_id: PaymentFileIdPath,
    caller: AsReader,
    context: ContextNeeded,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> LineErrorsPage:
    """Lines that could not be used, in the order of the file."""
    _find(context, caller, payment_file_id)
    with context.reading() as work:
        found = line_errors(work.session, payment_file_id, after_line=position_of(cursor) or 0, limit=limit)
    views = [LineErrorView(**asdict(error)) for error in found]
    return LineErrorsPage(errors=views, next_cursor=cursor_after(found[-1].line_number) if len(found) == limit else None)


def _find(context: ContextNeeded, caller: AsReader, payment_file_id: str) -> PaymentFile:
    with context.reading() as work:
        file = work.of(SqlPaymentFiles).find(payment_file_id)
    if file is None:
        raise NotFound("there is no such payment file")
    check_reads_brand(caller, file.brand_id)
    return file


def _view(context: ContextNeeded, payment_file_id: str) -> PaymentFileView:
    with context.reading() as work:
        file = work.of(SqlPaymentFiles).find(payment_file_id)
        found = line_errors(work.session, payment_file_id, limit=ERRORS_SHOWN)
    assert file is not None, "the file was just kept or found"
    return PaymentFileView.model_validate(asdict(file) | {"file_hash": str(file.file_hash), "errors": [asdict(error) for error in found]})
