"""Take over the balances of an earlier programme: each line of a file becomes an opening, once, whatever file it comes in again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.brands.brand import Brand, BrandStatus, check_issues, check_limit
from gateway.brands.ports import Brands
from gateway.coalition.coalition import Coalition
from gateway.ledger.lot_references import opening_reference
from gateway.ledger.opening_file import OpeningBalance, UnusableOpeningFile, read_opening_file
from gateway.members.ports import Members
from gateway.points.opening import OpeningImport, OpeningLine, StoredOpeningFile, WaitingLine, check_opening_terms
from gateway.points.ports import Openings
from gateway.rounds.lot_operation import OpeningOperation
from gateway.rounds.ports import Operations
from gateway.values.calendar import NEVER, local_day
from gateway.values.errors import Invalid, LimitExceeded, ReferenceReused
from gateway.values.ids import MemberId, OperationId, sha256
from gateway.values.points import Points

OPENING_FILE_NAME_MAX = 200


def import_openings(
    asked: OpeningImport,
    *,
    brand: Brand,
    coalition: Coalition,
    members: Members,
    openings: Openings,
    operations: Operations,
    new_id: Callable[[], OperationId],
    opening_file_id: str,
    now: int,
) -> StoredOpeningFile:
    """The file as kept. The same file on the same terms gives nothing twice: it only tries again what signer or ledger refused."""
    check_opening_terms(asked.terms)
    if not 1 <= len(asked.file_name) <= OPENING_FILE_NAME_MAX or not asked.file_name.isprintable():
        raise Invalid(f"a file name has 1 to {OPENING_FILE_NAME_MAX} printable characters", field="file_name")
    giving = _Giving(brand, operations, new_id, now)
    known = openings.of_content(asked.brand_id, sha256(asked.content))
    if known is not None:
        if known.terms != asked.terms:
            raise ReferenceReused(
                f"this file came before as {known.opening_file_id}, with another programme, ratio or date: only those can be sent again",
                opening_file_id=known.opening_file_id,
            )
        again = openings.refused_by_ledger(known.opening_file_id)
        if again:
            check_issues(brand)
            check_limit(brand, operations.pending_issues(brand.brand_id), Points(sum(line.points for line in again)))
        openings.set_operations(known.opening_file_id, {line.line_number: giving.give(known, line, again=True) for line in again})
        return known
    try:
        read = read_opening_file(asked.content, asked.terms)
    except UnusableOpeningFile as unusable:
        raise Invalid(str(unusable), field="file") from unusable
    check_issues(brand)
    row_count = len(read.rows) + len(read.errors)
    file = StoredOpeningFile(opening_file_id, asked.brand_id, asked.file_name, read.source, asked.terms, row_count, now)
    lines = [OpeningLine(one.line_number, None, 0, NEVER, Points(0), None, None, one.reason) for one in read.errors]
    today = local_day(now, coalition.utc_offset_seconds)
    lines += _judged(file, read.rows, brand, openings, today)
    known_members = members.known(line.member_id for line in lines if line.member_id is not None and line.reason is None)
    given = [line for line in lines if line.reason is None and line.member_id in known_members]
    check_limit(brand, operations.pending_issues(brand.brand_id), Points(sum(line.points for line in given)))
    openings.add(file, lines)
    openings.set_operations(opening_file_id, {line.line_number: giving.give(file, line) for line in given})
    return file


def open_waiting(
    waiting: Iterable[WaitingLine],
    *,
    brands: Brands,
    openings: Openings,
    operations: Operations,
    new_id: Callable[[], OperationId],
    now: int,
) -> None:
    """Gives the lines whose members have enrolled since; what the brand's state or limit leaves no room for waits on."""
    for one in waiting:
        brand = brands.find(one.file.brand_id)
        if brand is None or brand.status is not BrandStatus.ACTIVE:
            continue
        try:
            check_limit(brand, operations.pending_issues(brand.brand_id), one.line.points)
        except LimitExceeded:
            continue
        operation_id = _Giving(brand, operations, new_id, now).give(one.file, one.line)
        openings.set_operations(one.file.opening_file_id, {one.line.line_number: operation_id})


def _judged(file: StoredOpeningFile, balances: Iterable[OpeningBalance], brand: Brand, openings: Openings, today: int) -> list[OpeningLine]:
    """Each line with its reference, and the reason why it is not used."""
    secret, terms = brand.reference_secret, file.terms
    named = [(one, opening_reference(secret, terms.programme, one.member, one.expiry_day)) for one in balances]
    before = openings.places(file.brand_id, [reference for _, reference in named])
    lines = []
    for one, reference in named:
        reason = None
        if one.expiry_day < today:
            reason = "the balance has expired: there is nothing to bring along"
        elif reference in before:
            reason = f"this balance came before, with {before[reference]}"
        is_used = None if reason else reference
        lines.append(
            OpeningLine(one.line_number, one.member, one.units, one.expiry_day, terms.points_for(one.units), is_used, None, reason)
        )
    return lines


class _Giving:
    def __init__(self, brand: Brand, operations: Operations, new_id: Callable[[], OperationId], now: int) -> None:
        self._brand = brand
        self._operations = operations
        self._new_id = new_id
        self._now = now

    def give(self, file: StoredOpeningFile, line: OpeningLine, *, again: bool = False) -> OperationId:
        """Accepts the line's opening."""
        assert line.member_id is not None, "a line that is used names its member"
        assert line.reference is not None, "and stands under its reference"
        operation_id, terms = self._new_id(), file.terms
        accept = self._operations.accept_again if again else self._operations.accept
        accept(
            OpeningOperation(
                operation_id,
                self._brand.brand_id,
                MemberId(line.member_id),
                line.reference,
                line.points,
                line.expiry_day,
                terms.programme,
                terms.ratio_points,
                terms.ratio_units,
                file.source,
                line.line_number,
                line.units,
            ),
            self._now,
        )
        return operation_id
