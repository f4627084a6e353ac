"""Shapes that bodies, paths and queries of the API share; those of bodies stand in gateway/bodies, where a brand's agent finds them too."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import BeforeValidator

from gateway.bodies.shapes import MAX_BULK_ITEMS as MAX_BULK_ITEMS
from gateway.bodies.shapes import AddressText as AddressText
from gateway.bodies.shapes import AnyAmount as AnyAmount
from gateway.bodies.shapes import AnyItem as AnyItem
from gateway.bodies.shapes import Body as Body
from gateway.bodies.shapes import Currency as Currency
from gateway.bodies.shapes import Date as Date
from gateway.bodies.shapes import ExternalId as ExternalId
from gateway.bodies.shapes import Label as Label
from gateway.bodies.shapes import LotIdText as LotIdText
from gateway.bodies.shapes import Moment as Moment
from gateway.bodies.shapes import Origin as Origin
from gateway.bodies.shapes import PointsAsked as PointsAsked
from gateway.bodies.shapes import Positive as Positive
from gateway.bodies.shapes import PositiveAmount as PositiveAmount
from gateway.bodies.shapes import Proof as Proof
from gateway.bodies.shapes import RpId as RpId
from gateway.bodies.shapes import Signature as Signature
from gateway.bodies.shapes import UnixSeconds as UnixSeconds
from gateway.bodies.shapes import Whole as Whole
from gateway.bodies.shapes import Word as Word
from gateway.bodies.shapes import Word32 as Word32
from gateway.store.pages import MAX_LIMIT


def _digits(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) <= 19):
        raise ValueError("a whole number is needed")
    return value


Digits = BeforeValidator(_digits)  # of a path or query: `1_0`, `+1` and ` 1` are no numbers
BrandIdPath = Annotated[int, Digits, Path(ge=1, lt=2**31)]
BrandIdQuery = Annotated[int | None, Digits, Query(ge=1, lt=2**31)]
BlockQuery = Annotated[int | None, Digits, Query(ge=0, lt=2**40)]
MemberIdPath = Annotated[AddressText, Path(description="0x and 40 hex digits")]
ReservationIdPath = Annotated[Word32, Path(description="0x and 64 hex digits: the digest of the consent")]
TransferIdPath = Annotated[Word32, Path(description="0x and 64 hex digits: the digest of the transfer")]
ExternalIdPath = Annotated[ExternalId, Path()]
Cursor = Annotated[str | None, Query(max_length=32, description="`next_cursor` of the page before")]
Limit = Annotated[int, Digits, Query(ge=1, le=MAX_LIMIT)]
OperationIdPath = Annotated[str, Path(min_length=1, max_length=64)]
