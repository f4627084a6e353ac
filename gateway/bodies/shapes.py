"""Shapes of bodies that a caller sends, to the gateway or to its own agent. Parsed once, here: strict whole numbers (no floats, no text,
no booleans), bounded text, hex of known length in lower case, moments with an offset.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from gateway.ledger.passkeys import MAX_ORIGIN_LENGTH, MAX_PASSKEY_CONSENT_PROOF
from gateway.values.money import MAX_AMOUNT_MINOR, AmountMinor
from gateway.values.points import MAX_POINTS_PER_ENTRY, Points
from gateway.values.references import MAX_EXTERNAL_ID_LENGTH

MAX_BULK_ITEMS = 1_000


class Body(BaseModel):
    """A request body: nothing unknown is let pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def content(self) -> dict[str, Any]:
        """What the body says, for its content hash."""
        return self.model_dump(mode="json")


def _moment(value: object) -> object:
    if not isinstance(value, str) or len(value) > 40 or "T" not in value:
        raise ValueError("a moment is text like 2017-03-15T10:30:00+01:00")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("the offset from UTC is missing")
    if not 1970 < moment.year < 9000:
        raise ValueError("the year is out of range")
    return moment


def _date(value: object) -> object:
    if not isinstance(value, str) or len(value) != 10:
        raise ValueError("a date is text like 2017-03-15")
    return date.fromisoformat(value)


def _hex(length: int) -> StringConstraints:
    return StringConstraints(pattern=rf"^0x[0-9a-fA-F]{{{2 * length}}}$", max_length=2 + 2 * length)


ExternalId = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", min_length=1, max_length=MAX_EXTERNAL_ID_LENGTH)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]
Word = Annotated[str, StringConstraints(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Moment = Annotated[datetime, BeforeValidator(_moment), Field(examples=["2017-03-15T10:30:00+01:00"])]
Date = Annotated[date, BeforeValidator(_date), Field(examples=["2017-03-15"])]
AddressText = Annotated[str, _hex(20), AfterValidator(str.lower)]
Word32 = Annotated[str, _hex(32), AfterValidator(str.lower)]
Signature = Annotated[str, _hex(65), AfterValidator(str.lower)]
LotIdText = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{9,18}$"), Field(description="A lot's id in decimal digits")]
Proof = Annotated[str, StringConstraints(pattern=rf"^0x([0-9a-fA-F]{{2}}){{65,{MAX_PASSKEY_CONSENT_PROOF}}}$"), AfterValidator(str.lower)]
RpId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+$", max_length=253)]
Origin = Annotated[str, StringConstraints(pattern=r"^[!#-\[\]-~]+$", max_length=MAX_ORIGIN_LENGTH)]
PointsAsked = Annotated[Points, Field(strict=True, ge=1, le=MAX_POINTS_PER_ENTRY)]
AnyAmount = Annotated[AmountMinor, Field(strict=True, ge=0, le=MAX_AMOUNT_MINOR)]
PositiveAmount = Annotated[AmountMinor, Field(strict=True, ge=1, le=MAX_AMOUNT_MINOR)]
Whole = Annotated[int, Field(strict=True, ge=0, le=2**53 - 1)]
Positive = Annotated[int, Field(strict=True, ge=1, le=2**53 - 1)]
AnyItem = Any  # an item of a bulk request: parsed one by one, so that a bad one does not stop the others
UnixSeconds = Annotated[int, Field(strict=True, ge=0, le=2**40 - 1)]
