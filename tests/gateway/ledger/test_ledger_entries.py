"""Packed entries: what is encoded decodes to the same; what the format does not allow neither encodes nor decodes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.entries import (
    Authorize,
    Capture,
    Clawback,
    ConsentProof,
    Entry,
    Expire,
    Extend,
    Issue,
    Opening,
    PointRefund,
    Redeem,
    Restore,
    Transfer,
    UnknownEntryKind,
    Void,
    decode_entry,
    encode_entry,
    kind_of,
)
from gateway.ledger.framing import pack_entries, unpack_entries
from gateway.ledger.issue_parts import AwardBasis, OpeningBasis, ShownIssue
from gateway.ledger.lots import Line
from gateway.ledger.packed_fields import MalformedEntry

member = st.binary(min_size=20, max_size=20)
word = st.binary(min_size=32, max_size=32)
u16, u32, u40, u64, u128 = (st.integers(0, 2**bits - 1) for bits in (16, 32, 40, 64, 128))
lines = st.lists(st.builds(Line, u32, u32, u64), min_size=1, max_size=16, unique_by=lambda line: line.lot_id).map(tuple)
own_proof = st.builds(ConsentProof, st.integers(0, 255).filter(lambda kind: kind not in (4, 5)), st.binary(max_size=200))
proof = st.one_of(own_proof, st.builds(ConsentProof, st.just(4), st.binary(min_size=21, max_size=200)), st.just(ConsentProof(5, b"")))
u56 = st.integers(0, 2**56 - 1)
shown = st.builds(
    ShownIssue,
    u64,
    u32,
    u32,
    st.lists(st.tuples(u32, st.binary(min_size=4, max_size=4)), max_size=5).map(tuple),
    st.lists(word, max_size=5).map(tuple),
    st.binary(max_size=120),
)
entries: st.SearchStrategy[Entry] = st.one_of(
    st.builds(Issue, member, u32, u64, st.builds(AwardBasis, u32, u16, u16, word), word),
    st.builds(Opening, member, u32, u64, st.builds(OpeningBasis, u32, u32, word), word),
    st.builds(Clawback, member, word, shown, lines),
    st.builds(Restore, member, word, u64, u32, lines),
    st.builds(Extend, member, u32, u32, u64, word),
    st.builds(Authorize, member, word, word, u64, u40, u64, u56, proof, lines),
    st.builds(Redeem, member, word, word, u64, u40, u64, u56, proof, lines),
    st.builds(Transfer, member, member, u64, u40, own_proof, own_proof, lines),
    st.builds(Capture, word, word, u64, lines),
    st.builds(Void, word, word, lines),
    st.builds(PointRefund, word, word, u64, lines),
    st.builds(Expire, member, u32, u128),
)
BASIS = AwardBasis(1, 2, 3, b"\x0d" * 32)
ISSUE = Issue(b"\x01" * 20, 20_000, 5, BASIS, b"\x02" * 32)
LINE = Line(1, 0, 5)
CAPTURE = Capture(b"\x01" * 32, b"\x02" * 32, 3, (LINE,))


@given(entries)
def test_an_entry_decodes_to_what_was_encoded(entry: Entry) -> None:
    packed = encode_entry(entry)
    assert packed[0] == kind_of(entry)
    assert decode_entry(packed) == entry


@given(entries, st.data())
def test_an_entry_cut_short_or_too_long_is_malformed(entry: Entry, data: st.DataObject) -> None:
    packed = encode_entry(entry)
    for bad in (packed[: data.draw(st.integers(0, len(packed) - 1))], packed + b"\0"):
        with pytest.raises(MalformedEntry):
            decode_entry(bad)


@given(st.binary(max_size=300))
def test_any_bytes_decode_to_their_own_encoding_or_are_malformed(data: bytes) -> None:
    try:
        entry = decode_entry(data)
    except MalformedEntry:
        return
    assert encode_entry(entry) == data


def test_the_bytes_of_an_issue_are_those_of_the_format() -> None:
    expected = "01" + "01" * 20 + "00004e20" + "0000000000000005" + "00000001" + "0002" + "0003" + "0d" * 32 + "02" * 32
    assert encode_entry(ISSUE).hex() == expected


@pytest.mark.parametrize("kind", [13, 255])
def test_an_unknown_kind_is_named_as_such(kind: int) -> None:
    with pytest.raises(UnknownEntryKind):
        decode_entry(bytes([kind]) + bytes(68))


@pytest.mark.parametrize(
    "change",
    [
        {"points": -1},
        {"points": 2**64},
        {"expiry_day": 2**32},
        {"member": b"\x01" * 19},
        {"reference": b""},
        {"basis": replace(BASIS, rule=2**16)},
    ],
)
def test_what_does_not_fit_its_field_is_not_encoded(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"field|bytes"):
        encode_entry(replace(ISSUE, **change))


@pytest.mark.parametrize("bad", [(), (LINE, LINE), (LINE, Line(1, 0, 6)), tuple(Line(1, day, 1) for day in range(17))])
def test_lines_are_one_to_sixteen_lots_none_twice(bad: tuple[Line, ...]) -> None:
    with pytest.raises(ValueError, match=r"lines|twice"):
        encode_entry(replace(CAPTURE, lines=bad))


@given(st.lists(st.binary(min_size=30, max_size=70), max_size=8))
def test_a_batch_unpacks_to_its_entries(packed: list[bytes]) -> None:
    assert unpack_entries(pack_entries(packed)) == packed


WHOLE = pack_entries([b"\x0a" * 30])


@pytest.mark.parametrize("fragment", [b"\0", b"\1", b"\0\1", b"\0\0" * 9, b"\0\1\5abcd", b"\xff\xff\1", b"\0\x1d" + b"\x0a" * 29 + WHOLE])
def test_from_the_first_frame_that_is_short_or_not_whole_all_is_one_fragment(fragment: bytes) -> None:
    """However long and whatever stands in it: kind 0 keeps it from being read as an entry."""
    assert unpack_entries(WHOLE + fragment) == [b"\x0a" * 30, b"\0" + fragment]
    with pytest.raises(MalformedEntry):
        decode_entry(b"\0" + fragment)
