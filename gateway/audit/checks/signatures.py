"""Invariant 2: no points without the issuing brand's signature; no redemption without the member's and the accepting brand's.

A consent is checked in the replay, against the authorizers that the member had at that moment.
"""

from __future__ import annotations

from collections.abc import Iterator

from eth_hash.auto import keccak

from gateway.audit.case import Case
from gateway.audit.replay import ReplayedBatch
from gateway.ledger.batches import batch_outcome, batch_record, entries_root
from gateway.ledger.recover import recover_address
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.signing import batch_digest

_CONSENT = (
    RefusalReason.CONSENT_INVALID,
    RefusalReason.NOT_AN_AUTHORIZER,
    RefusalReason.CONSENT_EXPIRED,
    RefusalReason.CONSENT_TOO_LONG,
    RefusalReason.CONSENT_USED,
)


def findings(case: Case) -> Iterator[str]:
    verifier = case.evidence.chain.foreign_verifier
    if verifier is not None:
        yield f"members go by the verifier of passkeys at {verifier}, which is not the committed one: it takes what it likes for a consent"
    for recorded in case.replay.unsubmitted:
        yield f"batch {recorded.number} of brand {recorded.brand_id} is recorded, but no transaction holds it"
    for batch in case.replay.batches:
        yield from _batch(case, batch)
    for each in case.disagreements(*(reason.value for reason in _CONSENT)):
        yield str(each)


def _batch(case: Case, batch: ReplayedBatch) -> Iterator[str]:
    submitted, recorded = batch.submitted, batch.recorded
    name = f"batch {submitted.number} of brand {submitted.brand_id}"
    entries_hash = keccak(submitted.entries)
    signed = (submitted.brand_id, submitted.number, entries_hash, submitted.deadline)
    signer = recover_address(batch_digest(case.evidence.chain.domain, *signed), submitted.signature)
    if signer is None or signer not in batch.valid_keys:
        who = signer if signer else "nobody"
        yield f"{name} is signed by {who}, which was no valid key of the brand in block {submitted.block_number}"
    if batch.timestamp > submitted.deadline:
        yield f"{name} was recorded after its deadline"
    root = entries_root(batch.entries)
    outcome = batch_outcome(len(batch.entries), batch.refusals)
    stored = case.evidence.chain.recorded.get((submitted.brand_id, submitted.number))
    if recorded.root != root:
        yield f"{name} is recorded with the root {recorded.root}, its entries have {root}"
    if stored != batch_record(root, outcome):
        yield f"{name}: the contract keeps another root or outcome than the batch had"
    if (recorded.entry_count, recorded.refused_count) != (len(batch.entries), len(batch.refusals)):
        yield f"{name} is recorded with other numbers of entries and refusals than it has"
