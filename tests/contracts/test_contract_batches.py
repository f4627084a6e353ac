"""Batches on the real contract: a bad entry is skipped alone; the whole reverts only for sender, signature, number, deadline, pause."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_utils import keccak

from gateway.ledger.entries import Issue, encode_entry
from gateway.ledger.framing import pack_entries, unpack_entries
from gateway.ledger.lots import Line
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.signing import Domain
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import CHAIN_ID, key_of
from tests.builders.points_ledger import PointsLedger, member_named

GROCER, FUEL = 1, 2
BOB = member_named("bob")
ISSUE = Issue(BOB, 0, 5, BASIS, b"\x07" * 32)
SHORT_BEFORE_WHOLE = "001d" + "0a" * 29 + pack_entries([encode_entry(ISSUE)]).hex()


def test_one_bad_entry_among_a_hundred_is_refused_alone(ledger: PointsLedger) -> None:
    entries = [replace(ISSUE, member=(1 + index).to_bytes(20)) for index in range(100)]
    entries[41] = replace(entries[41], points=0)
    assert ledger.submit(GROCER, entries) == [(41, RefusalReason.ZERO_POINTS)]
    assert ledger.outstanding(GROCER) == 99 * 5


def test_an_empty_batch_uses_up_its_number(ledger: PointsLedger) -> None:
    assert ledger.submit(GROCER, [], number=5) == []
    outcome = ledger.transact("submitBatch", *ledger.signed(GROCER, 5, b""))
    assert ledger.reverted(outcome) == "BatchNumberUsed"
    assert ledger.view("batch", GROCER, 5) != bytes(32)


def test_a_batch_number_is_used_once_per_brand(ledger: PointsLedger) -> None:
    data = pack_entries([encode_entry(ISSUE)])
    arguments = ledger.signed(GROCER, 7, data)
    assert ledger.transact("submitBatch", *arguments).succeeded
    assert ledger.reverted(ledger.transact("submitBatch", *arguments)) == "BatchNumberUsed"
    assert ledger.transact("submitBatch", *ledger.signed(FUEL, 7, data)).succeeded
    assert ledger.held(BOB, GROCER) == ledger.held(BOB, FUEL) == (5, 0)


def test_a_batch_comes_no_later_than_its_deadline(ledger: PointsLedger) -> None:
    data, now = pack_entries([encode_entry(ISSUE)]), ledger.now
    late = ledger.transact("submitBatch", *ledger.signed(GROCER, 1, data, deadline=now - 1))
    assert ledger.reverted(late) == "BatchExpired"
    assert ledger.transact("submitBatch", *ledger.signed(GROCER, 1, data, deadline=ledger.now)).succeeded


def test_a_batch_signed_by_another_or_for_another_ledger_reverts(ledger: PointsLedger) -> None:
    data = pack_entries([encode_entry(ISSUE)])
    own = ledger.domain
    foreign_domains = [
        Domain(CHAIN_ID, ledger.address, keccak(text="another coalition")),
        Domain(CHAIN_ID + 1, ledger.address, own.coalition_id),
        Domain(CHAIN_ID, bytes(20), own.coalition_id),
    ]
    attempts = [ledger.signed(GROCER, 1, data, domain=domain) for domain in foreign_domains]
    attempts.append(ledger.signed(GROCER, 1, data, key=key_of("stranger")))
    attempts.append(ledger.signed(GROCER, 1, data, key=key_of(f"brand {FUEL}")))
    for arguments in attempts:
        assert ledger.reverted(ledger.transact("submitBatch", *arguments)) == "BatchKeyNotValid"
    assert ledger.held(BOB, GROCER) == (0, 0)
    assert ledger.view("batch", GROCER, 1) == bytes(32)


def test_a_signature_covers_header_and_entries(ledger: PointsLedger) -> None:
    data = pack_entries([encode_entry(ISSUE)])
    (brand, number, deadline), _, signed = ledger.signed(GROCER, 1, data)
    altered = [
        ((FUEL, number, deadline), data),
        ((brand, number + 1, deadline), data),
        ((brand, number, deadline - 1), data),
        ((brand, number, deadline), pack_entries([encode_entry(replace(ISSUE, points=6))])),
    ]
    for header, entries in altered:
        assert ledger.reverted(ledger.transact("submitBatch", header, entries, signed)) == "BatchKeyNotValid"


def test_a_signature_of_no_good_form_reverts(ledger: PointsLedger) -> None:
    header, data, signed = ledger.signed(GROCER, 1, pack_entries([encode_entry(ISSUE)]))
    for bad in (b"", signed[:64], signed + b"\0", signed[:64] + bytes([signed[64] - 27]), bytes(65)):
        assert ledger.reverted(ledger.transact("submitBatch", header, data, bad)) == "BatchSignatureInvalid"


def test_an_unknown_brand_has_no_valid_key(ledger: PointsLedger) -> None:
    arguments = ledger.signed(9, 1, pack_entries([encode_entry(ISSUE)]))
    assert ledger.reverted(ledger.transact("submitBatch", *arguments)) == "BatchKeyNotValid"


def test_a_contract_cannot_submit_a_batch(ledger: PointsLedger) -> None:
    # Runtime: forwards its calldata to the ledger and reverts with whatever that reverts with.
    forward = bytes.fromhex("365f5f375f5f365f5f73" + ledger.address.hex() + "5af1503d5f5f3e3d5ffd")
    forwarder = ledger.chain.deploy(bytes.fromhex(f"60{len(forward):02x}8060095f395ff3") + forward)
    call = ledger.abi.call("submitBatch", *ledger.signed(GROCER, 1, pack_entries([encode_entry(ISSUE)])))
    assert ledger.reverted(ledger.chain.send(forwarder, call)) == "SenderNotExternal"
    assert ledger.chain.send(ledger.address, call, sender=key_of("stranger")).succeeded, "anyone may relay"


def test_a_contract_in_the_making_cannot_submit_a_batch(ledger: PointsLedger) -> None:
    """It has no code yet."""
    call = ledger.abi.call("submitBatch", *ledger.signed(GROCER, 1, pack_entries([encode_entry(ISSUE)])))
    forward = bytes.fromhex(f"61{len(call):04x}602e5f395f5f61{len(call):04x}5f5f73{ledger.address.hex()}5af1503d5f5f3e3d5ffd")
    creation = forward.ljust(0x2E, b"\0") + call
    assert ledger.reverted(ledger.chain.send(b"", creation)) == "SenderNotExternal"


def test_an_account_that_lends_itself_code_cannot_submit_a_batch(ledger: PointsLedger) -> None:
    """EIP-7702: it sends the transaction itself, and has code all the same."""
    call = ledger.abi.call("submitBatch", *ledger.signed(GROCER, 1, pack_entries([encode_entry(ISSUE)])))
    outcome = ledger.chain.send_raw(ledger.chain.lending_code(ledger.address, call, code_of=ledger.passkey_verifier))
    assert ledger.reverted(outcome) == "SenderNotExternal"


@pytest.mark.parametrize(
    "fragment",
    ["00", "01", "0001", "0000" * 40, "0045" + "01" * 68, "ffff01", "01" + "00" * 40, SHORT_BEFORE_WHOLE],
    ids=lambda text: text[:8],
)
def test_from_the_first_frame_that_is_short_or_not_whole_all_is_one_malformed_entry(ledger: PointsLedger, fragment: str) -> None:
    data = pack_entries([encode_entry(ISSUE)] * 2) + bytes.fromhex(fragment)
    items = unpack_entries(data)
    assert items[2:] == [b"\0" + bytes.fromhex(fragment)]
    assert ledger.submit_packed(GROCER, data, items) == [(2, RefusalReason.MALFORMED_ENTRY)]
    assert ledger.held(BOB, GROCER) == (10, 0)


def test_entries_of_unknown_kind_or_wrong_length_are_refused(ledger: PointsLedger) -> None:
    issue = encode_entry(ISSUE)
    shortest = bytes(29)
    line = (1).to_bytes(4) + (0).to_bytes(4) + (1).to_bytes(8)
    restore = bytes([11]) + BOB + bytes(44)
    malformed = [
        issue[:-1],
        issue + b"\0",
        issue[:30],
        bytes([0]) + issue[1:],
        bytes([0]) + shortest,
        bytes([10]) + bytes(39),
        bytes([4]) + bytes(75),
        bytes([4]) + bytes(73) + b"\x00\xff" + bytes(100),
        bytes([7]) + bytes(76),
        bytes([5]) + bytes(64),
        bytes([9]) + issue[1:],
        restore,
        restore + bytes([0]),
        restore + bytes([2]) + line,
        restore + bytes([1]) + line + b"\0",
        restore + bytes([2]) + line + line,
        restore + bytes([17]) + b"".join(line[:15] + bytes([index]) for index in range(17)),
        restore + bytes([3]) + line + line[:7] + b"\x01" + line[8:] + line,
    ]
    unknown = [bytes([kind]) + issue[1:] for kind in (13, 255)]
    unknown.append(bytes([13]) + shortest)
    expected = [RefusalReason.MALFORMED_ENTRY] * len(malformed) + [RefusalReason.UNKNOWN_ENTRY_KIND] * len(unknown)
    assert ledger.submit(GROCER, [*malformed, *unknown, ISSUE]) == list(enumerate(expected))
    assert ledger.held(BOB, GROCER) == (5, 0)


def test_many_refusals_of_several_reasons_hash_into_the_outcome(ledger: PointsLedger) -> None:
    ledger.submit(GROCER, [ISSUE], number=9)
    own = ledger.clawback(GROCER, BOB, Line(GROCER, 0, 11), number=9)
    other = replace(own, lines=(Line(FUEL, 0, 1),))
    refused = ledger.submit(GROCER, [ISSUE, *[own, other] * 60, bytes(30), ISSUE])
    assert len(refused) == 121
    recorded = ledger.events(ledger.last_outcome)[-1].values
    assert (recorded["entryCount"], recorded["refusedCount"]) == (123, 121)


def test_a_refused_entry_leaves_no_trace_in_the_members_points(ledger: PointsLedger) -> None:
    ledger.submit(GROCER, [replace(ISSUE, points=0)])
    assert ledger.held(BOB, GROCER) == (0, 0)
    assert [event.name for event in ledger.events(ledger.last_outcome)] == ["EntryRefused", "BatchRecorded"]
