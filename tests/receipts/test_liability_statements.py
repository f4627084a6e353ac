"""A brand's statement of what it owes holds only if it is the whole of what its ledger says, signed, anchored, and the last one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.anchors import ANCHORS_SLOT as GATEWAYS_ANCHORS_SLOT
from gateway.ledger.anchors import AnchorKind
from gateway.values.ids import Address
from scripts import verify_liability
from scripts.verify_liability import ANCHORS_SLOT, KIND, REASONS, Asked, Refused, verify
from scripts.verify_receipt import OUTSTANDING_OF_LOT_SLOT, OUTSTANDING_SLOT
from tests.builders.abi import contract_abi
from tests.receipts.own_liability import ANN, BEA, BLOCK, BRAND, LOTS, OTHER_BRAND, STATED_AT, UNCOUNTED_LOT, OwnLiability
from tests.receipts.test_forged_receipts import altered, flipped, hex_places, raised

HONEST = OwnLiability()
STATEMENT = HONEST.document()
DAY = 86_400
NOW = Asked(STATED_AT + 10 * DAY)
STRANGER = PrivateKey(keccak(b"stranger"))
SCRIPT = Path(verify_liability.__file__)


def verdict(document: dict[str, Any], asked: Asked = NOW, receipt: str | None = None) -> str:
    """`holds`, or the code of the refusal."""
    try:
        verify(json.dumps(document), HONEST.trust, asked, receipt)
    except Refused as refusal:
        return refusal.code if refusal.code in REASONS else f"unknown code {refusal.code}"
    return "holds"


def of(**other: Any) -> str:
    return verdict(HONEST.but(**other).document())


def test_an_honest_statement_holds_and_says_what_is_proven() -> None:
    proven = verify(json.dumps(STATEMENT), HONEST.trust, NOW)
    assert (proven["brand"], proven["total"], proven["block"]["number"]) == (BRAND, sum(LOTS.values()), BLOCK)
    assert {lot["lot_expiry_day"]: lot["outstanding"] for lot in proven["lots"]} == LOTS
    assert proven["stated_coverage"]["amount_minor"] == 123_456


def test_a_statement_without_a_reserve_holds_too_and_the_first_of_all() -> None:
    assert of(coverage=None) == "holds"
    assert of(before=0) == "holds"


def test_a_total_that_leaves_a_lot_out_is_refused() -> None:
    """Honestly signed and anchored, but not the whole: with the total of what is listed, or with the ledger's."""
    fewer = HONEST.but(lots=tuple(LOTS.items())[1:]).document()
    assert verdict(fewer) == "total_altered"
    assert verdict(altered(fewer, "liability", "total", to=sum(LOTS.values()))) == "lot_left_out"
    for place in range(len(LOTS)):
        left_out = altered(STATEMENT, "liability", "lots", to=lambda lots, at=place: lots[:at] + lots[at + 1 :])
        assert verdict(left_out) == "lot_left_out"


def test_a_lot_cannot_be_counted_twice_nor_anothers_lot_instead() -> None:
    assert verdict(altered(STATEMENT, "liability", "lots", to=lambda lots: [lots[0], *lots])) == "malformed"
    assert verdict(altered(STATEMENT, "liability", "lots", to=lambda lots: lots[::-1])) == "malformed"
    assert verdict(altered(STATEMENT, "liability", "lots", 1, "lot_expiry_day", to=20_484)) == "lot_altered"


ALTERED: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "total": ("total_altered", lambda d: altered(d, "liability", "total", to=raised)),
    "lot": ("amount_altered", lambda d: altered(d, "liability", "lots", 0, "outstanding", to=raised)),
    "brand": ("lot_altered", lambda d: altered(d, "liability", "brand", to=OTHER_BRAND)),
    "proof of the total": ("storage_proof_wrong", lambda d: altered(d, "liability", "proof", -1, to=flipped)),
    "proof of a lot": ("storage_proof_wrong", lambda d: altered(d, "liability", "lots", 2, "proof", -1, to=flipped)),
    "account proof": ("account_proof_wrong", lambda d: altered(d, "account_proof", -1, to=flipped)),
    "reserve": ("root_wrong", lambda d: altered(d, "liability", "coverage", "amount_minor", to=raised)),
    "currency": ("root_wrong", lambda d: altered(d, "liability", "coverage", "currency", to="USD")),
    "source": ("root_wrong", lambda d: altered(d, "liability", "coverage", "source", to=flipped)),
    "no reserve": ("root_wrong", lambda d: altered(d, "liability", "coverage", to=None)),
    "root": ("root_wrong", lambda d: altered(d, "anchor", "root", to=flipped)),
    "count": ("root_wrong", lambda d: altered(d, "anchor", "count", to=raised)),
    "number": ("signature_wrong", lambda d: altered(d, "anchor", "number", to=raised)),
    "previous": ("signature_wrong", lambda d: altered(d, "anchor", "previous", to=flipped)),
    "chain": ("signature_wrong", lambda d: altered(d, "anchor", "chain_id", to=raised)),
    "signature": ("signature_wrong", lambda d: altered(d, "anchor", "signature", to=lambda s: flipped(s[:60]) + s[60:])),
    "v of the signature": ("signature_wrong", lambda d: altered(d, "anchor", "signature", to=flipped)),
    "no signature": ("not_signed", lambda d: altered(d, "anchor", "signature", to=None)),
    "signer": ("owner_not_trusted", lambda d: altered(d, "anchor", "signer", to=flipped)),
    "anchors": ("other_anchors", lambda d: altered(d, "anchor", "anchors_address", to=flipped)),
    "block number": ("header_altered", lambda d: altered(d, "block", "number", to=raised)),
    "block time": ("header_altered", lambda d: altered(d, "block", "timestamp", to=raised)),
    "seal": ("seal_wrong", lambda d: altered(d, "block", "seal", to=lambda seal: seal[:20] + flipped(seal[20:40]) + seal[40:])),
    "ledger": ("other_ledger", lambda d: altered(d, "coalition", "points_address", to=flipped)),
    "genesis": ("other_chain", lambda d: altered(d, "coalition", "genesis_hash", to=flipped)),
    "anchoring's block": ("header_altered", lambda d: altered(d, "anchoring", "block", "number", to=raised)),
    "anchoring's time": ("header_altered", lambda d: altered(d, "anchoring", "block", "timestamp", to=raised)),
    "anchoring's account": ("account_proof_wrong", lambda d: altered(d, "anchoring", "account_proof", -1, to=flipped)),
    "anchoring's proof": ("storage_proof_wrong", lambda d: altered(d, "anchoring", "proofs", 1, -1, to=flipped)),
    "anchoring's proofs": ("malformed", lambda d: altered(d, "anchoring", "proofs", to=lambda proofs: proofs[:2])),
    "no anchoring": ("not_anchored", lambda d: altered(d, "anchoring", to=None)),
    "format": ("malformed", lambda d: altered(d, "format", to="splittally-liability/0")),
    "a field more": ("malformed", lambda d: {**d, "note": ""}),
}


@pytest.mark.parametrize("name", ALTERED)
def test_every_way_of_altering_a_statement_is_refused_for_its_reason(name: str) -> None:
    code, alter = ALTERED[name]
    assert verdict(alter(STATEMENT)) == code


@settings(max_examples=150)
@given(data=st.data(), mask=st.integers(1, 255))
def test_no_byte_of_a_statement_can_be_changed(data: st.DataObject, mask: int) -> None:
    path = data.draw(st.sampled_from(hex_places(STATEMENT)))

    def change(text: str) -> str:
        content = bytearray.fromhex(text[2:])
        content[data.draw(st.integers(0, len(content) - 1))] ^= mask
        return "0x" + content.hex()

    assert verdict(altered(STATEMENT, *path, to=change)) in REASONS


def test_a_statement_of_another_signer_sealer_or_place_is_refused() -> None:
    assert of(owner=STRANGER) == "owner_not_trusted"
    named = altered(HONEST.but(owner=STRANGER).document(), "anchor", "signer", to=STATEMENT["anchor"]["signer"])
    assert verdict(named) == "signature_wrong"
    assert of(sealer=STRANGER) == "sealer_not_trusted"
    assert of(anchors_address=Address(b"\x07" * 20)) == "other_anchors"


def test_an_anchoring_after_the_sealers_key_was_rotated_holds() -> None:
    rotated = HONEST.but(next_sealer=STRANGER)
    assert verdict(rotated.document()) == "holds"
    assert verdict(altered(rotated.document(), "anchoring", "handovers", to=[])) == "sealer_not_trusted"
    assert of(next_sealer=STRANGER, handed_over_by=STRANGER) == "handover_wrong"


def test_the_other_half_of_a_signature_is_not_the_owners() -> None:
    raw = bytes.fromhex(STATEMENT["anchor"]["signature"][2:])
    high = raw[:32] + (SECPK1_N - int.from_bytes(raw[32:64])).to_bytes(32) + bytes([55 - raw[64]])
    assert verdict(altered(STATEMENT, "anchor", "signature", to="0x" + high.hex())) == "signature_wrong"


def test_a_stale_statement_is_refused() -> None:
    late = STATED_AT + 40 * DAY
    assert verdict(STATEMENT, Asked(late)) == "holds"
    assert verdict(STATEMENT, Asked(late + 1)) == "stale"
    assert verdict(STATEMENT, Asked(late + 1, max_age_days=41)) == "holds"
    assert of(later=1) == "superseded"


def test_a_statement_from_the_future_is_refused_since_it_would_never_be_stale() -> None:
    assert verdict(STATEMENT, Asked(STATED_AT - 300)) == "holds"
    assert verdict(STATEMENT, Asked(STATED_AT - 301)) == "ahead"


def test_a_statement_that_is_not_anchored_is_refused_unless_that_is_asked_for() -> None:
    unanchored = HONEST.but(is_anchored=False).document()
    assert verdict(unanchored) == "not_anchored"
    assert verdict(unanchored, Asked(NOW.now, is_anchoring_due=False)) == "holds"
    assert of(anchored_in=BLOCK - 1) == "not_anchored", "before it was made"
    assert of(anchored_root=keccak(b"another statement")) == "anchoring_wrong"
    assert of(anchored_count=9) == "anchoring_wrong"


def test_an_anchoring_before_its_turn_is_none() -> None:
    """The owner signed number 2, the sequence shown has two roots: 0 and 1."""
    earlier = HONEST.but(before=1).document()
    assert verdict({**STATEMENT, "anchoring": earlier["anchoring"]}) in ("not_anchored", "storage_proof_wrong")


def test_a_members_points_are_inside() -> None:
    proven = verify(json.dumps(STATEMENT), HONEST.trust, NOW, HONEST.receipt())
    assert proven["receipt"] == {"member": "0x" + ANN.hex(), "held": 180}


def test_a_receipt_outside_the_statement_is_refused() -> None:
    assert verdict(STATEMENT, receipt=HONEST.receipt(block=BLOCK + 1)) == "receipt_of_another_block"
    assert verdict(STATEMENT, receipt=HONEST.receipt(BEA)) == "receipt_outside", "of another brand's points"
    assert verdict(STATEMENT, receipt=HONEST.receipt(BEA, lots=(UNCOUNTED_LOT,))) == "receipt_outside", "of a lot that is not counted"
    forged = json.loads(HONEST.receipt())
    forged["points"]["lots"][0]["held"] += 1
    assert verdict(STATEMENT, receipt=json.dumps(forged)) == "receipt_refused"
    assert verdict(STATEMENT, receipt="{}") == "receipt_refused"
    assert verdict(STATEMENT, receipt=json.dumps(STATEMENT)) == "receipt_refused"


def test_slots_and_kind_are_those_of_the_contracts() -> None:
    def slot(contract: str, label: str) -> int:
        return next(int(item["slot"]) for item in contract_abi(contract).artifact["storageLayout"]["storage"] if item["label"] == label)

    assert (slot("PointsLedger", "outstandingOfLot"), slot("PointsLedger", "outstanding")) == (OUTSTANDING_OF_LOT_SLOT, OUTSTANDING_SLOT)
    assert slot("Anchors", "anchors") == ANCHORS_SLOT == GATEWAYS_ANCHORS_SLOT
    assert KIND == AnchorKind.LIABILITY


def test_a_stranger_runs_it_with_two_files_alone(tmp_path: Path) -> None:
    for name in ("verify_liability.py", "verify_receipt.py"):
        (tmp_path / name).write_text((SCRIPT.parent / name).read_text())
    (tmp_path / "statement.json").write_text(json.dumps(STATEMENT))
    (tmp_path / "receipt.json").write_text(HONEST.receipt())
    trust = HONEST.trust
    command = [sys.executable, "-E", "verify_liability.py", "statement.json", "--receipt", "receipt.json", "--now", str(NOW.now)]
    for name in ("genesis_hash", "sealer", "points_address", "anchors_address", "owner"):
        command += [f"--{name.replace('_', '-')}", "0x" + getattr(trust, name).hex()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("HOLDS: brand 1 owed")
    assert "Inside it: 180 points" in done.stdout
    refused = subprocess.run([*command, "--max-age-days", "1", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (refused.returncode, json.loads(refused.stdout)["code"]) == (1, "stale")
