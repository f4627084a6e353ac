"""A receipt's branch leads to the root at one place of one batch of one count, and from entries that were in it alone."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.batches import batch_outcome, entries_root, root_branch
from gateway.ledger.entries import Issue, encode_entry
from gateway.ledger.refusals import SELECTORS, RefusalReason
from gateway.ledger.slots import batch_slot
from gateway.receipts.receipt import RecordedBatch, decoded_entry, entry_receipt
from gateway.values.ids import Reference
from scripts.verify_receipt import BATCHES_SLOT, verify
from tests.builders.issues import BASIS
from tests.receipts.own_chain import GROCER, MEMBERS, OwnChain
from tests.receipts.test_forged_receipts import altered, verdict

SIZES = (1, 2, 15, 16, 17, 255, 256, 257, 1_000)
PHANTOM = encode_entry(Issue(MEMBERS[0], 20_483, 10**6, BASIS, Reference(bytes(32))))
MALFORMED = SELECTORS[RefusalReason.MALFORMED_ENTRY]


@cache
def batch_of(count: int) -> OwnChain:
    return replace(OwnChain(), batch_entries=(), refusals=()).with_issues(count)


def claimed(document: dict[str, Any], entry: bytes, index: int, branch: list[bytes]) -> dict[str, Any]:
    """The same receipt speaking of another entry."""
    content = {"bytes": "0x" + entry.hex(), "decoded": decoded_entry(entry), "refused": None}
    return {**document, "entry": {"index": index, "branch": ["0x" + each.hex() for each in branch], **content}}


@pytest.mark.parametrize("count", SIZES)
def test_every_entry_at_an_edge_has_a_genuine_receipt(count: int) -> None:
    chain = batch_of(count)
    for index in sorted({0, count // 2, count - 1, min(15, count - 1), min(16, count - 1), min(255, count - 1)}):
        document = chain.entry_receipt(index)
        assert verdict(document, chain) == "genuine"
        assert verify(json.dumps(document), chain.trust)["entry"]["points"] == 1 + index


@pytest.mark.parametrize("count", SIZES)
def test_an_entry_that_was_not_in_the_batch_has_no_receipt(count: int) -> None:
    """Not in the place of another, nor behind the last one, with the branch that it would have in a batch that held it."""
    chain, place = batch_of(count), count // 2
    document = chain.entry_receipt(place)
    entries = chain.batch_entries
    for held, index in ((entries, place), ([*entries, PHANTOM], count), ([PHANTOM, *entries[1:]], 0)):
        assert verdict(claimed(document, PHANTOM, index, root_branch(held, index)), chain) == "branch_wrong"


def test_a_root_over_other_entries_than_were_executed_is_not_what_the_ledger_keeps() -> None:
    """What a brand could sign, before the ledger computed the root: every part of the receipt fits every other, but the record."""
    chain = batch_of(20)
    other = RecordedBatch(GROCER, 3, (*chain.batch_entries[:19], PHANTOM), ())
    document = entry_receipt(other, 19, chain.state_proof((batch_slot(BATCHES_SLOT, GROCER, 3),)))
    assert verdict(document, chain) == "outcome_wrong"
    honest = "0x" + entries_root(chain.batch_entries).hex()
    assert verdict(altered(document, "batch", "root", to=honest), chain) == "branch_wrong"


@settings(max_examples=60)
@given(count=st.sampled_from(SIZES), data=st.data())
def test_a_branch_holds_at_its_own_place_only(count: int, data: st.DataObject) -> None:
    chain = batch_of(count)
    index = data.draw(st.integers(0, count - 1))
    document = chain.entry_receipt(index)
    elsewhere = data.draw(st.integers(0, count + 20).filter(lambda place: place != index))
    assert verdict(altered(document, "entry", "index", to=elsewhere), chain) == "branch_wrong"
    moved = chain.entry_receipt(min(elsewhere, count - 1))["entry"]["branch"]
    if moved != document["entry"]["branch"]:
        assert verdict(altered(document, "entry", "branch", to=moved), chain) == "branch_wrong"


@settings(max_examples=60)
@given(count=st.sampled_from(SIZES), data=st.data())
def test_a_branch_can_be_neither_shortened_nor_lengthened(count: int, data: st.DataObject) -> None:
    chain = batch_of(count)
    document = chain.entry_receipt(data.draw(st.integers(0, count - 1)))
    branch = document["entry"]["branch"]
    place = data.draw(st.integers(0, len(branch)))
    extra = "0x" + data.draw(st.sampled_from([bytes(32), entries_root(chain.batch_entries), keccak(PHANTOM)])).hex()
    assert verdict(altered(document, "entry", "branch", to=[*branch[:place], extra, *branch[place:]]), chain) == "branch_wrong"
    if branch:
        shorter = [*branch[: place - 1], *branch[place:]] if place else branch[1:]
        assert verdict(altered(document, "entry", "branch", to=shorter), chain) == "branch_wrong"


@pytest.mark.parametrize("count", SIZES)
def test_the_count_of_the_batch_cannot_be_another(count: int) -> None:
    document = batch_of(count).entry_receipt(0)
    for other in {0, 1, count - 1, count + 1, 16 * count, 2**32 - 1} - {count}:
        assert verdict(altered(document, "batch", "entry_count", to=other), batch_of(count)) == "outcome_wrong"


def test_a_node_of_the_tree_is_not_an_entry() -> None:
    """Its depth follows from the count, which stands in the ledger: 16 leaves of 20 entries are the preimage of a node, and no entry."""
    chain = batch_of(20)
    leaves = [keccak(entry) for entry in chain.batch_entries]
    node = b"".join(leaves[:16])
    document = chain.entry_receipt(0)
    branch = [keccak(b"".join(leaves[16:]))]
    assert keccak(keccak(node) + branch[0]) == entries_root(chain.batch_entries)
    assert verdict(claimed(document, node, 0, branch), chain) == "branch_wrong"
    assert verdict(altered(claimed(document, node, 0, branch), "batch", "entry_count", to=2), chain) == "outcome_wrong"


def test_the_entry_of_another_batch_has_no_place_in_this_one() -> None:
    chain = batch_of(17)
    other = replace(chain, batch_entries=chain.batch_entries[::-1])
    assert verdict(other.entry_receipt(0), other) == "genuine"
    assert verdict({**chain.entry_receipt(0), "entry": other.entry_receipt(0)["entry"]}, chain) == "branch_wrong"


@pytest.mark.parametrize("fragment", [b"\0", PHANTOM, b"\xff" * 70_000], ids=["a byte", "an entry's bytes", "a long one"])
def test_a_fragment_has_the_receipt_of_a_refused_entry_and_of_nothing_else(fragment: bytes) -> None:
    chain = replace(OwnChain(), batch_entries=(PHANTOM, b"\0" + fragment), refusals=((1, MALFORMED),))
    document = chain.entry_receipt(1)
    assert (document["entry"]["decoded"], document["entry"]["refused"]["error"]) == (None, "MalformedEntry()")
    assert verdict(document, chain) == "entry_refused"
    assert verdict(document, chain, refused_entry=True) == "genuine"
    assert verdict(claimed(document, fragment, 1, root_branch(chain.batch_entries, 1)), chain) == "branch_wrong"


def test_a_receipt_of_the_earlier_format_is_refused_by_name() -> None:
    for document in (batch_of(2).entry_receipt(0), batch_of(2).points_receipt()):
        for earlier in ("splittally-receipt/1", "splittally-receipt/2"):
            assert verdict({**document, "format": earlier}, batch_of(2)) == "earlier_format"
            assert verdict({"format": earlier}, batch_of(2)) == "earlier_format"
    assert verdict({"format": "splittally-receipt/4"}, batch_of(2)) == "malformed"


def test_an_empty_batch_keeps_a_record_and_proves_no_entry() -> None:
    chain = batch_of(0)
    record = chain.storage()[batch_slot(BATCHES_SLOT, GROCER, 3)]
    assert record == int.from_bytes(keccak(bytes(32) + batch_outcome(0, [])))
    document = batch_of(1).entry_receipt(0)
    empty = {**document["batch"], "entry_count": 0, "root": "0x" + "00" * 32}
    proof = chain.state_proof((batch_slot(BATCHES_SLOT, GROCER, 3),))
    of_none = entry_receipt(RecordedBatch(GROCER, 3, (PHANTOM,), ()), 0, proof)
    assert verdict({**of_none, "batch": {**of_none["batch"], "entry_count": 0, "root": empty["root"]}}, chain) == "branch_wrong"
