"""An opening import: what a brand brings along from an earlier programme, line by line, each of which is given, waits, or is refused."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.opening_file import RATIO_MAX, OpeningTerms
from gateway.values.errors import Invalid
from gateway.values.ids import Hash, MemberId, OperationId, Reference
from gateway.values.points import Points
from gateway.values.references import check_external_id


@dataclass(frozen=True, slots=True)
class OpeningImport:
    """A file as a brand sends it, and on which terms it is taken over."""

    brand_id: int
    file_name: str
    content: bytes
    terms: OpeningTerms


@dataclass(frozen=True, slots=True)
class StoredOpeningFile:
    opening_file_id: str
    brand_id: int
    file_name: str
    source: Hash
    terms: OpeningTerms
    row_count: int
    created_at: int


@dataclass(frozen=True, slots=True)
class OpeningLine:
    """It has an operation, or a reason why it is not used; one that has neither waits until its member enrolls."""

    line_number: int
    member_id: MemberId | None
    units: int
    expiry_day: int
    points: Points
    reference: Reference | None
    operation_id: OperationId | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """A line whose member has enrolled since."""

    file: StoredOpeningFile
    line: OpeningLine


def check_opening_terms(terms: OpeningTerms) -> None:
    """Refuses what no entry could hold."""
    check_external_id("programme", terms.programme)
    if not 1 <= terms.ratio_points <= RATIO_MAX or not 1 <= terms.ratio_units <= RATIO_MAX:
        raise Invalid(f"a ratio is of whole numbers from 1 to {RATIO_MAX}: points for units of the earlier programme", field="ratio_points")
