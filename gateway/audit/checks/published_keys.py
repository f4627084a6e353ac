"""Invariant 12: what acts in a brand's name is what the brand published of itself, signed by its owner's key.

A brand of which no document is at hand is not compared but named: nobody knows but the brand. What an operator throws away is missed by an
auditor who kept it, and by all where the owner anchored it: documents of the auditor's own count beside the gateway's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from eth_hash.auto import keccak

from gateway.audit.case import Case
from gateway.brands.tables import BrandDocumentRow
from gateway.ledger.brand_documents import BrandDocument
from gateway.ledger.recover import recover_address
from gateway.values.ids import Address, Hash


def findings(case: Case) -> Iterator[str]:
    of_gateway, kept = case.evidence.store.brand_documents, case.evidence.own_documents
    anchored = case.evidence.chain.anchored_documents
    for brand_id in sorted({row.brand_id for row in (*of_gateway, *kept)} | anchored.keys()):
        shown = {row.number: row for row in of_gateway if row.brand_id == brand_id}
        own = {row.number: row for row in kept if row.brand_id == brand_id}
        at_hand = {**shown, **own}
        if brand_id in anchored:
            yield from _not_as_anchored(brand_id, *anchored[brand_id], at_hand)
        if not at_hand:
            continue
        yield from _hidden(brand_id, shown, own)
        rows = list(at_hand.values())
        document = _newest(rows)
        if document is None or not _is_signed(case, document, rows):
            yield f"the newest document of brand {brand_id} is not what its owner signed"
            continue
        yield from _batch_keys(case, document)
        yield from _callers(case, document)


def not_yet(case: Case) -> str | None:
    """Brands of which there is nothing to compare with."""
    documented = {row.brand_id for row in (*case.evidence.store.brand_documents, *case.evidence.own_documents)}
    missing = ", ".join(str(brand_id) for brand_id in sorted(case.replay.brands.keys() - documented))
    return f"no document is at hand of what acts for brand {missing}" if missing else None


def _hidden(brand_id: int, shown: Mapping[int, BrandDocumentRow], own: Mapping[int, BrandDocumentRow]) -> Iterator[str]:
    """Documents of a brand are numbered without gaps, and stay."""
    for number in range(1, max((*shown, *own)) + 1):
        if number not in shown:
            yield f"the gateway does not have document {number} of brand {brand_id}" + (", which this auditor has" if number in own else "")
        elif number in own and own[number].document != shown[number].document:
            yield f"document {number} of brand {brand_id} at the gateway is not the one that this auditor has"


def _not_as_anchored(brand_id: int, document_hash: Hash, number: int, at_hand: Mapping[int, BrandDocumentRow]) -> Iterator[str]:
    """What its owner anchored nobody throws away or replaces unseen."""
    if number not in at_hand:
        yield f"document {number} of brand {brand_id}, which its owner anchored, is not at hand: ask the brand for it"
    elif Hash(keccak(at_hand[number].document.encode())) != document_hash:
        yield f"document {number} of brand {brand_id} is not the one that its owner anchored"


def _newest(rows: Sequence[BrandDocumentRow]) -> BrandDocument | None:
    row = max(rows, key=lambda each: each.number)
    try:
        found = BrandDocument.parse(json.loads(row.document))
    except (ValueError, KeyError, TypeError):
        return None
    return found if (found.brand_id, found.number) == (row.brand_id, row.number) else None


def _is_signed(case: Case, document: BrandDocument, rows: Sequence[BrandDocumentRow]) -> bool:
    """By the brand's present owner by the ledger's own events: a successor publishes anew."""
    register, coalition = case.replay.brands.get(document.brand_id), case.evidence.store.coalition
    domain = replace(case.evidence.chain.domain, verifying_contract=coalition.brands_address)
    signature = max(rows, key=lambda each: each.number).signature
    return register is not None and recover_address(document.digest(domain), signature) == register.owner


def _batch_keys(case: Case, document: BrandDocument) -> Iterator[str]:
    chain = case.evidence.chain
    head = chain.timestamps[chain.block_number]
    windows = case.replay.brands[document.brand_id].keys
    in_use: set[Address] = {key for key, (_, until, _) in windows.items() if head < until}
    for key in sorted(in_use - document.batch_keys):
        yield f"{key} signs batches of brand {document.brand_id}, which the brand did not publish"
    for key in sorted(document.batch_keys - in_use):
        yield f"brand {document.brand_id} published the batch key {key}, which signs nothing on the ledger"


def _callers(case: Case, document: BrandDocument) -> Iterator[str]:
    store = case.evidence.store
    for brand in store.brands:
        if brand.brand_id == document.brand_id and brand.key_address != document.agent_address:
            yield f"the gateway asks {brand.key_address} to sign for brand {brand.brand_id}, which published {document.agent_address}"
    for key in store.api_keys:
        if key.brand_id == document.brand_id and key.revoked_at is None and key.key_id not in document.api_keys:
            yield f"the API key {key.key_id} acts for brand {document.brand_id}, which the brand did not publish"
