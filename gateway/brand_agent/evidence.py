"""Evidence: a brand's signed word of one of its sales, or of money that went back for one, for one other issuer that gives a bonus for it.

Canonical JSON, and an EIP-712 digest in the ledger's domain. The key is for evidence alone: it signs no batch and no rule. Cart lines stand
in it only together with the consent to which they are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Annotated

from eth_hash.auto import keccak
from pydantic import Field, StringConstraints, ValidationError

from gateway.bodies.purchases import PurchaseLineBody
from gateway.bodies.shapes import AddressText, Body, Currency, ExternalId, Label, Positive, PositiveAmount, Signature
from gateway.foreign.reading import Unreadable, read_json
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import Domain, Fields, struct_digest, type_hash
from gateway.values.ids import Address
from gateway.values.json_text import canonical_json
from gateway.values.references import BY_EVIDENCE, MAX_EXTERNAL_ID_LENGTH

TEXT_LENGTH_MAX = 64 * 1024
LATER = "not_yet"
"""The code of what may be counted later, when it is handed over again."""
_FIELDS: Fields = [
    {"name": "soldBy", "type": "uint32"},
    {"name": "addressee", "type": "uint32"},
    {"name": "document", "type": "bytes32"},
]
_TYPE = type_hash("SaleEvidence", _FIELDS)
_BrandId = Annotated[int, Field(strict=True, ge=1, lt=2**31)]
_UnixSeconds = Annotated[int, Field(strict=True, ge=31_536_000, lt=221_845_392_000)]  # the years 1971 to 8999, as of every sale


class EvidenceKind(StrEnum):
    SALE = "sale"
    PAYMENT_REFUND = "payment_refund"
    REFUND_FAILURE = "refund_failure"


class NoEvidence(Exception):
    """The text is not, to the byte, a document of evidence."""


class EvidenceDocument(Body):
    """`id` is the selling brand's own of what happened: the sale's is `payment_id`. `amount_minor` is money: paid, or gone back."""

    sold_by: _BrandId
    addressee: _BrandId
    chain_id: Positive
    contract: AddressText
    kind: EvidenceKind
    id: ExternalId
    payment_id: ExternalId
    member_id: AddressText
    currency: Currency
    amount_minor: PositiveAmount
    occurred_at: _UnixSeconds
    consent: Label | None = None
    lines: Annotated[tuple[PurchaseLineBody, ...], Field(max_length=1_000)] = ()

    @classmethod
    def parse(cls, text: str) -> EvidenceDocument:
        """Raises NoEvidence."""
        try:
            found = cls.model_validate(read_json(text))
        except (Unreadable, ValidationError):
            raise NoEvidence("this is no evidence: canonical JSON of its fields is due") from None
        if found.text() != text:
            raise NoEvidence("this is no evidence: its JSON is not canonical")
        if (found.consent is None) != (not found.lines):
            raise NoEvidence("cart lines and the consent to which they are told go together")
        if found.kind is EvidenceKind.SALE and (found.id != found.payment_id):
            raise NoEvidence("the id of a sale is its payment's")
        return found

    def text(self) -> str:
        """To the byte what is signed."""
        return canonical_json(self.model_dump(mode="json", exclude_defaults=True))

    def digest(self, domain: Domain) -> bytes:
        words = self.sold_by.to_bytes(32) + self.addressee.to_bytes(32) + keccak(self.text().encode())
        return struct_digest(domain, keccak(_TYPE + words))

    def is_signed_by(self, key: Address, signature: bytes, domain: Domain) -> bool:
        return recover_address(self.digest(domain), signature) == key

    def without_lines(self) -> EvidenceDocument:
        return self.model_copy(update={"consent": None, "lines": ()})


class EvidenceBody(Body):
    """What one agent hands to the other."""

    document: Annotated[str, StringConstraints(min_length=2, max_length=TEXT_LENGTH_MAX)]
    signature: Signature


@dataclass(frozen=True, slots=True)
class Partner:
    """A brand whose evidence is taken: by its evidence key, for so many points of one's own in all and in a calendar month.

    A limit that is None was not set.
    """

    brand_id: int
    evidence_key: Address
    budget_points: int | None
    budget_month_points: int | None


def id_here(sold_by: int, external_id: str) -> str:
    """Under which another brand's payment or refund stands in the addressee's own books."""
    whole = f"{BY_EVIDENCE}{sold_by}:{external_id}"
    if len(whole) <= MAX_EXTERNAL_ID_LENGTH:
        return whole
    return f"{BY_EVIDENCE}{sold_by}::{sha256(external_id.encode()).hexdigest()}"
