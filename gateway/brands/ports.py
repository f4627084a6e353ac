"""What operations on brands need from outside; SQL stands behind it in rows.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.brands.brand import Brand
from gateway.ledger.brand_documents import BrandDocument
from gateway.values.ids import Address, OperationId


@dataclass(frozen=True, slots=True)
class NewBrand:
    """A brand to be registered, with what the gateway alone keeps: its name, signer, reference secret and programme settings."""

    brand: Brand
    key_address: Address
    signer_url: str
    signer_token: str


class Brands(Protocol):
    def find(self, brand_id: int) -> Brand | None: ...
    def all(self) -> list[Brand]: ...
    def operation_of(self, brand_id: int) -> OperationId: ...
    def names(self) -> dict[int, str]: ...
    def named(self, name: str) -> bool: ...
    def next_id(self) -> int: ...
    def add(self, new: NewBrand, operation_id: OperationId, at: int) -> None: ...
    def change_settings(self, changed: Brand) -> None: ...


class BrandDocuments(Protocol):
    def last_number(self, brand_id: int) -> int: ...
    def owner_of(self, brand_id: int) -> Address | None: ...
    def add(self, document: BrandDocument, signature: bytes, at: int) -> None: ...
