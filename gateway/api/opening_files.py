"""Opening imports: a file of an earlier programme's balances in, what became of every line out."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.brands import the_brand
from gateway.api.context import ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsBrand, AsReader, brand_of, check_reads_brand
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import Cursor, ExternalId, Limit
from gateway.coalition.rows import SqlCoalition
from gateway.ledger.opening_file import OPENING_FILE_BYTES_MAX, RATIO_MAX, OpeningTerms
from gateway.members.rows import SqlMembers
from gateway.points.import_openings import import_openings
from gateway.points.opening import OpeningImport, StoredOpeningFile
from gateway.points.opening_rows import SqlOpenings
from gateway.points.opening_views import OpeningFileView, OpeningLineView, opening_file_view, opening_lines
from gateway.rounds.rows import SqlOperations
from gateway.store.pages import cursor_after, position_of
from gateway.store.unit_of_work import UnitOfWork, new_id, new_operation_id
from gateway.values.errors import NotFound, TooLarge
from gateway.values.ids import sha256

router = Router(prefix="/v1/opening-files", tags=["opening files"])
OpeningFileIdPath = Annotated[str, Path(min_length=1, max_length=64)]
LineState = Annotated[Literal["confirmed", "pending", "waiting", "refused", "unusable"] | None, Query()]
_RAW = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}}


class OpeningFileQuery(BaseModel):
    """On which terms the balances are taken over: floor(balance × ratio_points / ratio_units) points each. `programme` names the earlier
    programme, of which a member's balance with one month of expiry comes over once; `expires_on` is for lines that name no date."""

    model_config = ConfigDict(extra="forbid")

    programme: ExternalId
    ratio_points: int = Field(ge=1, le=RATIO_MAX)
    ratio_units: int = Field(ge=1, le=RATIO_MAX)
    expires_on: date | None = None
    file_name: str = Field("openings.csv", min_length=1, max_length=200)

    def terms(self) -> OpeningTerms:
        return OpeningTerms(self.programme, self.ratio_points, self.ratio_units, self.expires_on)


class OpeningLinesPage(BaseModel):
    lines: list[OpeningLineView]
    next_cursor: str | None


async def opening_body(request: Request) -> bytes:
    """The body as it came, bounded while it comes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > OPENING_FILE_BYTES_MAX:
            raise TooLarge(f"an opening file has at most {OPENING_FILE_BYTES_MAX} bytes: send it in parts")
        parts.append(part)
    return b"".join(parts)


@router.post("", status_code=201, responses={202: {"model": OpeningFileView}, **WRITES}, openapi_extra=_RAW)
def create_opening_file(
    query: Annotated[OpeningFileQuery, Query()], content: Annotated[bytes, Depends(opening_body)], caller: AsBrand, write: WriteNeeded
) -> OpeningFileView:
    """Imports a file (CSV: member_id, balance, expires_on). The same file gives nothing twice; it tries again what was refused."""
    brand_id = brand_of(caller)
    asked = OpeningImport(brand_id, query.file_name, content, query.terms())

    def act(work: UnitOfWork) -> str:
        file = import_openings(
            asked,
            brand=the_brand(work, brand_id),
            coalition=work.of(SqlCoalition).facts,
            members=work.of(SqlMembers),
            openings=work.of(SqlOpenings),
            operations=work.of(SqlOperations),
            new_id=new_operation_id,
            opening_file_id=new_id(),
            now=work.now,
        )
        return file.opening_file_id

    body = query.model_dump(mode="json", exclude_none=True) | {"source": str(sha256(content))}
    opening_file_id = write.once(caller, "opening_file", body, act)
    with write.context.reading() as work:
        given = work.of(SqlOpenings).operations_of(opening_file_id)
    write.await_ledger(given, one=False)
    with write.context.reading() as work:
        return opening_file_view(work.session, _the_file(work, opening_file_id))


@router.get("/{opening_file_id}", responses=READS)
def get_opening_file(opening_file_id: OpeningFileIdPath, caller: AsReader, context: ContextNeeded) -> OpeningFileView:
    """How the import stands, in units of the earlier programme and in points."""
    with context.reading() as work:
        file = _the_file(work, opening_file_id)
        check_reads_brand(caller, file.brand_id)
        return opening_file_view(work.session, file)


@router.get("/{opening_file_id}/lines", responses=READS)
def get_opening_lines(
    opening_file_id: OpeningFileIdPath,
    caller: AsReader,
    context: ContextNeeded,
    state: LineState = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> OpeningLinesPage:
    """The lines in the order of the file, all or those in one state."""
    with context.reading() as work:
        check_reads_brand(caller, _the_file(work, opening_file_id).brand_id)
        found = opening_lines(work.session, opening_file_id, state=state, after_line=position_of(cursor) or 0, limit=limit)
    return OpeningLinesPage(lines=found, next_cursor=cursor_after(found[-1].line_number) if len(found) == limit else None)


def _the_file(work: UnitOfWork, opening_file_id: str) -> StoredOpeningFile:
    file = work.of(SqlOpenings).find(opening_file_id)
    if file is None:
        raise NotFound("there is no such opening file")
    return file
