"""Receipts of what a brand does with points of its own: the verifier reads each kind as the gateway does, and nothing else for it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from eth_hash.auto import keccak

from gateway.ledger.batches import shown_issue
from gateway.ledger.entries import Clawback, Entry, Expire, Extend, Issue, Opening, Restore, encode_entry
from gateway.ledger.lots import Line
from gateway.ledger.refusals import SELECTORS, RefusalReason
from gateway.values.ids import Reference
from gateway.values.points import Points
from scripts.verify_receipt import verify
from tests.builders.issues import BASIS, OPENING_BASIS
from tests.receipts.own_chain import MEMBERS, OwnChain
from tests.receipts.test_forged_receipts import altered, verdict

REFERENCE = Reference(keccak(b"some entry"))
ISSUE = Issue(MEMBERS[0], 20_483, Points(120), BASIS, REFERENCE)
SHOWN = shown_issue(7, [encode_entry(ISSUE)] * 20, 3, [(5, SELECTORS[RefusalReason.ZERO_POINTS])])
LINES = (Line(1, 20_483, Points(9)),)
ENTRIES: dict[str, Entry] = {
    "issue": ISSUE,
    "opening": Opening(MEMBERS[0], 20_483, Points(120), OPENING_BASIS, REFERENCE),
    "clawback": Clawback(MEMBERS[0], REFERENCE, SHOWN, LINES),
    "restore": Restore(MEMBERS[0], REFERENCE, 7, 3, LINES),
    "expire": Expire(MEMBERS[0], 20_483, Points(2**100)),
    "extend": Extend(MEMBERS[0], 20_483, 0, Points(9), REFERENCE),
}


def chain_with(kind: str) -> OwnChain:
    return replace(OwnChain(), batch_entries=(encode_entry(ENTRIES[kind]),), refusals=())


@pytest.mark.parametrize("kind", ENTRIES)
def test_a_receipt_of_every_issuing_entry_is_genuine(kind: str) -> None:
    chain = chain_with(kind)
    assert verify(json.dumps(chain.entry_receipt()), chain.trust)["entry"]["kind"] == kind


@pytest.mark.parametrize("kind", ENTRIES)
def test_no_field_of_it_may_be_another(kind: str) -> None:
    chain = chain_with(kind)
    document = chain.entry_receipt()
    for name, value in document["entry"]["decoded"].items():
        if isinstance(value, int):
            assert verdict(altered(document, "entry", "decoded", name, to=value + 1), chain).endswith("_altered")
        elif isinstance(value, str) and name != "kind":
            other = value[:-1] + ("0" if value[-1] != "0" else "1")
            assert verdict(altered(document, "entry", "decoded", name, to=other), chain).endswith("_altered")
