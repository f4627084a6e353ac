"""The root over any batch is the same three ways: by the contract that executes it, by the gateway, and by hand.

A batch may hold anything: entries of every length, refused ones, runs of issues that take the express lane, a fragment at its end.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.batches import batch_record, entries_root
from gateway.ledger.entries import Issue, encode_entry
from gateway.ledger.framing import pack_entries, unpack_entries
from gateway.values.ids import MemberId, Reference
from gateway.values.points import Points
from tests.builders.issues import BASIS
from tests.builders.points_ledger import PointsLedger
from tests.builders.root_by_hand import root_by_hand

GROCER = 1
SIZES = (0, 1, 2, 15, 16, 17, 255, 256, 257, 272, 273, 1_000)

frames = st.one_of(
    st.builds(lambda place: issue(place), st.integers(0, 40)),
    st.binary(min_size=30, max_size=30),  # with its length as long as its leaf
    st.binary(min_size=31, max_size=700),
)
fragments = st.one_of(
    st.just(b""),
    st.binary(max_size=31),
    st.builds(lambda short, more: len(short).to_bytes(2) + short + more, st.binary(max_size=29), st.binary(max_size=90)),
    st.builds(lambda part: b"\x7f\xff" + part, st.binary(max_size=400)),
)


def issue(place: int) -> bytes:
    return encode_entry(Issue(MemberId((1 + place).to_bytes(20)), 0, Points(1 + place), BASIS, Reference(bytes([place % 256]) * 32)))


@pytest.fixture(scope="module")
def shared() -> PointsLedger:
    """One ledger for all examples: batches have numbers of their own."""
    return PointsLedger((GROCER,))


def assert_same_root(ledger: PointsLedger, data: bytes) -> None:
    """That the contract's root and record are the model's is compared by `submit_packed`."""
    entries = unpack_entries(data)
    ledger.submit_packed(GROCER, data, entries)
    assert ledger.events(ledger.last_outcome)[-1].values["root"] == entries_root(entries) == root_by_hand(entries)


@pytest.mark.parametrize("size", SIZES)
def test_the_root_of_a_run_of_issues_is_the_same_three_ways(size: int, shared: PointsLedger) -> None:
    assert_same_root(shared, pack_entries([issue(place % 300) for place in range(size)]))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fragment", [b"\0", b"\x01" * 31, b"\0\x0a" * 20], ids=["a byte", "almost a frame", "short frames"])
def test_the_root_of_the_shortest_frames_and_a_fragment_is_the_same_three_ways(size: int, fragment: bytes, shared: PointsLedger) -> None:
    """Frames as long as their leaves leave no room between what is written and what is still to be read."""
    assert_same_root(shared, pack_entries([(1 + place).to_bytes(30) for place in range(size)]) + fragment)


@settings(max_examples=120)
@given(st.lists(frames, max_size=40), fragments)
def test_the_root_of_any_batch_is_the_same_three_ways(shared: PointsLedger, entries: list[bytes], fragment: bytes) -> None:
    assert_same_root(shared, pack_entries(entries) + fragment)


@settings(max_examples=60)
@given(st.binary(max_size=600))
def test_the_root_of_any_bytes_is_the_same_three_ways(shared: PointsLedger, data: bytes) -> None:
    assert_same_root(shared, data)


@given(st.lists(st.binary(min_size=30, max_size=40), min_size=1, max_size=300), st.data())
def test_any_change_of_a_batch_changes_its_root_or_count(entries: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(entries) - 1))
    other = data.draw(st.integers(0, len(entries) - 1))
    changed = list(entries)
    changed[index], changed[other] = changed[other], changed[index]
    for batch in (changed, entries[:-1], [*entries, entries[-1]], [*entries[:index], entries[index] + b"\0", *entries[index + 1 :]]):
        assert (entries_root(batch) == entries_root(entries)) == (batch == entries)


def test_the_record_binds_root_and_outcome() -> None:
    root, outcome = b"\x01" * 32, b"\x02" * 32
    assert len({batch_record(root, outcome), batch_record(outcome, root), batch_record(root, root)}) == 3
