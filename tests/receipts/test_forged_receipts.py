"""Every way of altering a receipt is refused, each with its reason; the honest one beside it is not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import rlp
from eth_hash.auto import keccak
from eth_keys.constants import SECPK1_N
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.entries import Opening, encode_entry
from gateway.receipts.receipt import decoded_entry
from gateway.values.ids import MemberId, Reference
from gateway.values.points import Points
from scripts.verify_receipt import REASONS, Refused, verify
from tests.builders.issues import OPENING_BASIS
from tests.receipts.own_chain import LOT, MEMBERS, REFUSED_INDEX, OwnChain, entries

HONEST = OwnChain()
ENTRY = HONEST.entry_receipt()
POINTS = HONEST.points_receipt()
AS_AN_OPENING = decoded_entry(encode_entry(Opening(MEMBERS[0], 20_483, Points(120), OPENING_BASIS, Reference(keccak(b"payment 1")))))


BRANDS = POINTS["points"]["brands"]


def verdict(document: dict[str, Any], chain: OwnChain = HONEST, refused_entry: bool = False) -> str:
    """`genuine`, or the code of the refusal."""
    try:
        verify(json.dumps(document), chain.trust, refused_entry, may_omit=True)
    except Refused as refusal:
        return refusal.code if refusal.code in REASONS else f"unknown code {refusal.code}"
    return "genuine"


def altered(document: dict[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    place: Any = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to(place[path[-1]]) if callable(to) else to
    return changed


def flipped(data: str) -> str:
    return data[:-1] + ("0" if data[-1] != "0" else "1")


def raised(number: int) -> int:
    return number + 1


@pytest.mark.parametrize("index", range(len(entries())))
def test_an_honest_receipt_of_every_kind_of_entry_is_genuine(index: int) -> None:
    assert verdict(HONEST.entry_receipt(index), refused_entry=index == REFUSED_INDEX) == "genuine"


@pytest.mark.parametrize("member", [MEMBERS[0], MEMBERS[7], MemberId(b"\x01" * 20)])
def test_an_honest_receipt_of_points_is_genuine_even_of_none(member: MemberId) -> None:
    assert verdict(HONEST.points_receipt(member)) == "genuine"


def test_what_is_proven_is_what_is_reported() -> None:
    proven = verify(json.dumps(POINTS), HONEST.trust, may_omit=True)
    assert (proven["held_total"], proven["reserved_total"]) == (120, 20)
    assert proven["lots"][0] == {"brand": LOT >> 32, "lot_expiry_day": 20_483, "held": 120, "reserved": 20}
    assert verify(json.dumps(ENTRY), HONEST.trust)["entry"]["points"] == 120


def test_the_receipt_of_a_refused_entry_proves_no_points() -> None:
    assert verdict(HONEST.entry_receipt(REFUSED_INDEX)) == "entry_refused"


def test_a_refused_entry_cannot_be_shown_as_accepted_nor_the_other_way_round() -> None:
    refused = HONEST.entry_receipt(REFUSED_INDEX)
    assert verdict(altered(refused, "entry", "refused", to=None), refused_entry=True) == "entry_refused"
    assert verdict(altered(ENTRY, "entry", "refused", to=refused["entry"]["refused"]), refused_entry=True) == "outcome_wrong"
    assert verdict(altered(altered(refused, "entry", "refused", to=None), "batch", "refusals", to=[])) == "outcome_wrong"
    assert verdict(altered(refused, "entry", "refused", "error", to="ZeroPoints()"), refused_entry=True) == "entry_refused"


ENTRY_FORGERIES: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "amount": ("amount_altered", lambda d: altered(d, "entry", "decoded", "points", to=raised)),
    "amount, in the bytes too": (
        "branch_wrong",
        lambda d: altered(
            altered(d, "entry", "decoded", "points", to=121),
            "entry",
            "bytes",
            to=lambda data: data.replace(f"{120:016x}", f"{121:016x}"),
        ),
    ),
    "member": ("member_altered", lambda d: altered(d, "entry", "decoded", "member", to=flipped)),
    "member, in the bytes too": (
        "branch_wrong",
        lambda d: json.loads(json.dumps(d).replace(MEMBERS[0].hex(), MEMBERS[1].hex())),
    ),
    "reference": ("entry_altered", lambda d: altered(d, "entry", "decoded", "reference", to=flipped)),
    "kind": ("malformed", lambda d: altered(d, "entry", "decoded", "kind", to="opening")),
    "kind and fields": ("entry_altered", lambda d: altered(d, "entry", "decoded", to=AS_AN_OPENING)),
    "programme": ("entry_altered", lambda d: altered(d, "entry", "decoded", "programme", to=9)),
    "decision": ("entry_altered", lambda d: altered(d, "entry", "decoded", "decision", to="0x" + "00" * 32)),
    "place in the batch": ("branch_wrong", lambda d: altered(d, "entry", "index", to=1)),
    "place outside the batch": ("branch_wrong", lambda d: altered(d, "entry", "index", to=len(entries()))),
    "batch number": ("batch_altered", lambda d: altered(d, "batch", "number", to=4)),
    "brand": ("batch_altered", lambda d: altered(d, "batch", "brand", to=2)),
    "batch slot": ("batch_altered", lambda d: altered(d, "batch", "slot", to=flipped)),
    "number of entries": ("outcome_wrong", lambda d: altered(d, "batch", "entry_count", to=raised)),
    "root": ("outcome_wrong", lambda d: altered(d, "batch", "root", to=flipped)),
    "branch": ("branch_wrong", lambda d: altered(d, "entry", "branch", 1, to=flipped)),
    "shorter branch": ("branch_wrong", lambda d: altered(d, "entry", "branch", to=lambda branch: branch[:-1])),
    "longer branch": ("branch_wrong", lambda d: altered(d, "entry", "branch", to=lambda branch: [*branch, branch[0]])),
    "branch in another order": ("branch_wrong", lambda d: altered(d, "entry", "branch", to=lambda branch: branch[::-1])),
    "block number": ("header_altered", lambda d: altered(d, "block", "number", to=raised)),
    "block time": ("header_altered", lambda d: altered(d, "block", "timestamp", to=raised)),
    "block hash": ("header_altered", lambda d: altered(d, "block", "hash", to=flipped)),
    "header": ("header_altered", lambda d: altered(d, "block", "header", to=flipped)),
    "seal": ("seal_wrong", lambda d: altered(d, "block", "seal", to=lambda seal: seal[:20] + flipped(seal[20:40]) + seal[40:])),
    "account proof": ("account_proof_wrong", lambda d: altered(d, "account_proof", 1, to=flipped)),
    "account proof with a node more": ("account_proof_wrong", lambda d: altered(d, "account_proof", to=lambda p: [*p, p[0]])),
    "batch proof": ("storage_proof_wrong", lambda d: altered(d, "batch", "proof", -1, to=flipped)),
    "batch proof without its last node": ("storage_proof_wrong", lambda d: altered(d, "batch", "proof", to=lambda p: p[:-1])),
    "batch proof, its first node": ("storage_proof_wrong", lambda d: altered(d, "batch", "proof", 0, to=flipped)),
    "coalition id": ("other_chain", lambda d: altered(d, "coalition", "coalition_id", to=flipped)),
    "genesis": ("other_chain", lambda d: altered(d, "coalition", "genesis", to=lambda text: text.replace("7951", "7952"))),
    "sandbox": ("other_chain", lambda d: altered(d, "coalition", "genesis", to=lambda text: text.replace("false", "true"))),
    "genesis hash": ("other_chain", lambda d: altered(d, "coalition", "genesis_hash", to=flipped)),
    "ledger address": ("other_ledger", lambda d: altered(d, "coalition", "points_address", to=flipped)),
    "sealer named": ("seal_wrong", lambda d: altered(d, "coalition", "sealer", to=flipped)),
}


@pytest.mark.parametrize("name", ENTRY_FORGERIES)
def test_an_altered_entry_receipt_is_refused_with_its_reason(name: str) -> None:
    code, forge = ENTRY_FORGERIES[name]
    assert verdict(forge(ENTRY)) == code


POINTS_FORGERIES: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "held": ("amount_altered", lambda d: altered(d, "points", "lots", 0, "held", to=raised)),
    "held and total": (
        "amount_altered",
        lambda d: altered(altered(d, "points", "lots", 0, "held", to=raised), "points", "held_total", to=raised),
    ),
    "reserved": ("amount_altered", lambda d: altered(d, "points", "lots", 0, "reserved", to=0)),
    "total": ("amount_altered", lambda d: altered(d, "points", "held_total", to=raised)),
    "member": ("member_altered", lambda d: altered(d, "points", "member", to=flipped)),
    "brand of a lot": ("lot_altered", lambda d: altered(d, "points", "lots", 0, "brand", to=0)),
    "expiry of a lot": ("lot_altered", lambda d: altered(d, "points", "lots", 1, "lot_expiry_day", to=raised)),
    "a lot twice": ("malformed", lambda d: altered(d, "points", "lots", to=lambda lots: [lots[0], *lots])),
    "outstanding of a lot": ("amount_altered", lambda d: altered(d, "points", "lots", 0, "of_lot", "outstanding", to=raised)),
    "outstanding of a brand": ("amount_altered", lambda d: altered(d, "points", "brands", 0, "outstanding", to=raised)),
    "another lot's outstanding": ("lot_altered", lambda d: altered(d, "points", "lots", 1, "of_lot", to=d["points"]["lots"][0]["of_lot"])),
    "another brand's outstanding": (
        "lot_altered",
        lambda d: altered(d, "points", "brands", 1, "slot", to=BRANDS[0]["slot"]),
    ),
    "a brand twice": ("malformed", lambda d: altered(d, "points", "brands", to=lambda brands: [brands[0], *brands])),
    "lot proof": ("storage_proof_wrong", lambda d: altered(d, "points", "lots", 0, "proof", -1, to=flipped)),
    "the proof of absence for a lot that is there": (
        "storage_proof_wrong",
        lambda d: altered(d, "points", "lots", 0, "proof", to=d["points"]["lots"][1]["proof"]),
    ),
}


@pytest.mark.parametrize("name", POINTS_FORGERIES)
def test_an_altered_points_receipt_is_refused_with_its_reason(name: str) -> None:
    code, forge = POINTS_FORGERIES[name]
    assert verdict(forge(POINTS)) == code


def test_another_members_points_cannot_be_passed_off_with_slot_and_name_exchanged() -> None:
    forged = HONEST.points_receipt(MEMBERS[1])
    forged["points"]["lots"][0]["slot"] = POINTS["points"]["lots"][0]["slot"]
    forged["points"]["lots"][1]["slot"] = POINTS["points"]["lots"][1]["slot"]
    forged["points"]["member"] = POINTS["points"]["member"]
    assert verdict(forged) == "storage_proof_wrong"


def test_the_proofs_of_one_block_do_not_hold_under_another_sealed_block() -> None:
    later = replace(HONEST, points_of_first=90, block_number=8).points_receipt()
    assert verdict(later) == "genuine"
    assert verdict(altered(POINTS, "block", to=later["block"])) == "account_proof_wrong"


def test_a_chain_of_the_forgers_own_is_refused_whatever_it_claims() -> None:
    forger = replace(HONEST, points_of_first=10**6).by("forger")
    same_genesis = forger.points_receipt()
    assert verdict(same_genesis, forger) == "sealer_not_trusted", "the genesis names who sealed first"
    assert verdict(same_genesis) == "sealer_not_trusted"
    assert verdict(altered(same_genesis, "coalition", "sealer", to=POINTS["coalition"]["sealer"])) == "seal_wrong"
    assert verdict(replace(forger, seed=b"forged").points_receipt()) == "other_chain"
    own_genesis_by_the_trusted_key = replace(HONEST, seed=b"forged", points_of_first=10**6).points_receipt()
    assert verdict(own_genesis_by_the_trusted_key) == "other_chain"
    claimed = altered(own_genesis_by_the_trusted_key, "coalition", to=POINTS["coalition"])
    assert verdict(claimed) == "seal_wrong"


def test_a_batch_that_was_never_recorded_is_not_on_the_ledger() -> None:
    class Bare(OwnChain):
        def storage(self) -> dict[int, int]:
            return {1: 1, 2: 2, 3: 3}

    assert verdict(Bare().entry_receipt()) == "not_on_ledger"


def test_the_seals_mirror_image_is_not_a_seal() -> None:
    """For every signature there is a second one by arithmetic alone; only one of them is taken."""

    def mirrored(seal: str) -> str:
        data = bytes.fromhex(seal[2:])
        return "0x" + (data[:32] + (SECPK1_N - int.from_bytes(data[32:64])).to_bytes(32) + bytes([1 - data[64]])).hex()

    assert verdict(altered(POINTS, "block", "seal", to=mirrored)) == "seal_wrong"


def hex_places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every hex field in a receipt."""
    if isinstance(value, dict):
        return [place for name, each in value.items() for place in hex_places(each, (*path, name))]
    if isinstance(value, list):
        return [place for number, each in enumerate(value) for place in hex_places(each, (*path, number))]
    return [path] if isinstance(value, str) and value.startswith("0x") else []


@settings(max_examples=150)
@given(data=st.data(), mask=st.integers(1, 255))
def test_no_byte_of_any_hex_field_can_be_changed(data: st.DataObject, mask: int) -> None:
    document = data.draw(st.sampled_from([ENTRY, POINTS, HONEST.entry_receipt(1)]))
    path = data.draw(st.sampled_from(hex_places(document)))

    def change(text: str) -> str:
        content = bytearray.fromhex(text[2:])
        if not content:
            return "0x00"
        content[data.draw(st.integers(0, len(content) - 1))] ^= mask
        return "0x" + content.hex()

    assert verdict(altered(document, *path, to=change), refused_entry=True) != "genuine"


@settings(max_examples=60)
@given(data=st.data())
def test_no_hex_field_can_be_shortened_or_lengthened(data: st.DataObject) -> None:
    document = data.draw(st.sampled_from([ENTRY, POINTS]))
    path = data.draw(st.sampled_from(hex_places(document)))
    change = data.draw(st.sampled_from([lambda text: text + "00", lambda text: text[:-2] if len(text) > 2 else "0x00", str.upper]))
    assert verdict(altered(document, *path, to=change)) != "genuine"


def test_a_seal_over_something_that_is_no_header_proves_nothing() -> None:
    """Even the trusted sealer's signature does not make a block of other bytes."""
    for header in (b"", b"\xc0", b"\x05", rlp.encode([b"a"] * 14), rlp.encode([[b"a"]] * 20)):
        digest = keccak(b"Splittally block seal" + HONEST.trust.genesis_hash + keccak(header))
        seal = HONEST.sealer.sign_msg_hash(digest).to_bytes()
        block = {**POINTS["block"], "hash": "0x" + keccak(header).hex(), "header": "0x" + header.hex(), "seal": "0x" + seal.hex()}
        assert verdict(altered(POINTS, "block", to=block)) == "header_altered"
