"""What brands publish of their own keys, signed by their owners' keys: for auditors and partners to compare with what is in use."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api.brands import record_of_brand, the_brand
from gateway.api.context import ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsReader
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import AddressText, Body, BrandIdPath, ExternalId, Positive, Signature
from gateway.brands.brand import check_on_ledger
from gateway.brands.publish_document import publish_document
from gateway.brands.rows import PublishedDocument, SqlBrandDocuments
from gateway.coalition.rows import SqlCoalition
from gateway.ledger.brand_documents import BrandDocument
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.hex import to_bytes
from gateway.values.ids import Address

router = Router(prefix="/v1/brands", tags=["brands"])


class DocumentBody(Body):
    """`signature` is by the brand's owner over `BrandDocument(uint32 brand,uint64 number,bytes32 document)` in the brands' domain;
    `document` is the keccak of the canonical JSON of these fields and the brand's id."""

    number: Positive
    batch_keys: Annotated[list[AddressText], Field(max_length=100)]
    agent_address: AddressText
    api_keys: Annotated[list[ExternalId], Field(max_length=1_000)]
    signature: Signature


@router.post("/{brand_id}/documents", status_code=201, responses=WRITES)
def create_brand_document(brand_id: BrandIdPath, body: DocumentBody, caller: AsReader, write: WriteNeeded) -> PublishedDocument:
    """Publishes the next document of the brand, whoever sends it."""
    keys = frozenset(map(Address.parse, body.batch_keys))
    document = BrandDocument(brand_id, body.number, keys, Address.parse(body.agent_address), frozenset(body.api_keys))

    def act(work: UnitOfWork) -> str:
        check_on_ledger(the_brand(work, brand_id))
        domain, documents = work.of(SqlCoalition).facts.brands_domain, work.of(SqlBrandDocuments)
        publish_document(document, to_bytes(body.signature), domain=domain, documents=documents, now=work.now)
        record_of_brand(work, caller, "publish_document", brand_id, document.text())
        return str(document.number)

    number = int(write.once(caller, "brand_document", body.content(), act))
    write.await_ledger([])
    with write.context.reading() as work:
        return next(each for each in work.of(SqlBrandDocuments).published(brand_id) if each.number == number)


@router.get("/{brand_id}/documents", responses=READS)
def get_brand_documents(brand_id: BrandIdPath, _caller: AsReader, context: ContextNeeded) -> list[PublishedDocument]:
    """Everything that the brand published, in its order."""
    with context.reading() as work:
        the_brand(work, brand_id)
        return work.of(SqlBrandDocuments).published(brand_id)
