"""A brand's owner anchors what it publishes: an operator who throws the newest document away, or puts another one there, is found out."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from gateway.audit.run import audit
from gateway.brands.tables import BrandDocumentRow
from gateway.chain.artifacts import anchors
from gateway.ledger.anchors import anchor_digest
from gateway.ledger.brand_documents import BrandDocument
from gateway.ledger.signing import Domain
from gateway.values.ids import Hash
from tests.gateway.audit.live_ledger import GROCER, START, LiveLedger, address_of, key_of, sign

KEY, OWNER = address_of(key_of(f"brand {GROCER}")), key_of(f"owner {GROCER}")


def published(ledger: LiveLedger, number: int, *api_keys: str) -> BrandDocument:
    document = BrandDocument(GROCER, number, frozenset({KEY}), KEY, frozenset(api_keys))
    signature = sign(OWNER, document.digest(Domain(ledger.node.chain_id, ledger.brands, ledger.coalition_id)))
    with ledger.database.write() as session:
        session.add(BrandDocumentRow(brand_id=GROCER, number=number, document=document.text(), signature=signature, received_at=START))
    return document


def anchored(ledger: LiveLedger, document: BrandDocument, number: int, previous: Hash) -> Hash:
    """Its root; `number` is of the owner's sequence."""
    at, anchor = ledger.registers["anchors_address"], document.anchor(number, previous)
    signature = sign(OWNER, anchor_digest(Domain(ledger.node.chain_id, at, ledger.coalition_id), anchor))
    ledger.send(anchors().call("anchor", [anchor.called(address_of(OWNER), signature)]), at)
    ledger.follower.follow()
    return anchor.root


def twelfth(ledger: LiveLedger) -> tuple[str, ...]:
    return audit(ledger.database, ledger.chain, lambda: START, numbers=(12,)).verdicts[0].findings


@pytest.fixture
def two_documents(fresh: LiveLedger) -> LiveLedger:
    """The second one, which takes an API key back, is anchored; the first one never was."""
    published(fresh, 1, "stolen")
    anchored(fresh, published(fresh, 2), 0, Hash(bytes(32)))
    assert twelfth(fresh) == ()
    return fresh


def test_the_newest_document_thrown_away_breaks_invariant_12(two_documents: LiveLedger) -> None:
    with two_documents.database.write() as session:
        session.execute(delete(BrandDocumentRow).where(BrandDocumentRow.number == 2))
    assert twelfth(two_documents) == (f"document 2 of brand {GROCER}, which its owner anchored, is not at hand: ask the brand for it",)
    with two_documents.database.write() as session:
        session.execute(delete(BrandDocumentRow))
    assert len(twelfth(two_documents)) == 1, "nor where all of them are"


def test_another_document_in_its_place_breaks_invariant_12(two_documents: LiveLedger) -> None:
    """The owner signed it once, and anchored another one under this number."""
    with two_documents.database.write() as session:
        session.execute(delete(BrandDocumentRow).where(BrandDocumentRow.number == 2))
    published(two_documents, 2, "stolen")
    assert f"document 2 of brand {GROCER} is not the one that its owner anchored" in twelfth(two_documents)


def test_a_later_document_that_nobody_anchored_holds(two_documents: LiveLedger) -> None:
    published(two_documents, 3)
    assert twelfth(two_documents) == ()
