"""Publish what a brand says of its own keys: signed by its owner, whoever brings it, and kept for everybody to compare."""

from __future__ import annotations

from gateway.brands.ports import BrandDocuments
from gateway.ledger.brand_documents import BrandDocument
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import Domain
from gateway.values.errors import Invalid, WrongState


def publish_document(document: BrandDocument, signature: bytes, *, domain: Domain, documents: BrandDocuments, now: int) -> None:
    """The next of the brand's sequence; an earlier one stays readable."""
    due = documents.last_number(document.brand_id) + 1
    if document.number != due:
        raise WrongState(f"the next document of brand {document.brand_id} has the number {due}", number=due)
    owner = documents.owner_of(document.brand_id)
    if owner is None or recover_address(document.digest(domain), signature) != owner:
        raise Invalid(f"the signature is not by the owner of brand {document.brand_id}: sign it with its owner's key", field="signature")
    documents.add(document, signature, now)
