#!/usr/bin/env python3
"""Checks offline what a brand states to owe its holders, and that a member's points are part of it.

Needs nothing of the node or the gateway but verify_receipt.py beside it, and the packages that one needs. Trusted are only the values given
as arguments. Everything in the files is a claim until it is proven from them.

    verify_liability.py statement.json --genesis-hash 0x… --sealer 0x… --points-address 0x… --anchors-address 0x… --owner 0x…
        [--receipt receipt.json]

Exit 0: it holds. Exit 1: refused, with a stable code and the reason. The format is described in docs/liability.md.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from eth_hash.auto import keccak

try:
    from scripts import verify_receipt as receipts
except ImportError:  # run from its own folder
    import verify_receipt as receipts  # type: ignore[import-not-found,no-redef]

Refused = receipts.Refused
FORMAT = "splittally-liability/1"
KIND = 9  # of anchors: a brand's liability
ANCHORS_SLOT = 0  # where the contract's storageLayout puts `anchors`; a test compares with the artifact
MARK = b"Splittally liability"
MAX_AGE_DAYS = 40  # a statement a month, and time to publish it
DOMAIN_TYPE = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
ANCHOR_TYPE = b"Anchor(uint16 kind,bytes32 subject,uint64 number,bytes32 previous,bytes32 root,uint64 count)"
REASONS = {
    **receipts.REASONS,
    "malformed": "the file is not a statement of the format " + FORMAT,
    "total_altered": "the total is not what the ledger has outstanding of the brand",
    "lot_left_out": "the lots do not add up to what the ledger has outstanding of the brand: at least one is left out",
    "root_wrong": "what was signed is the root of another statement",
    "not_signed": "nobody signed the statement",
    "owner_not_trusted": "the statement is signed in another name than the trusted owner's",
    "signature_wrong": "the signature is not the trusted owner's over this statement",
    "other_anchors": "the statement is anchored in another contract than the trusted one",
    "not_anchored": "the statement is not shown to be anchored",
    "anchoring_wrong": "another statement than this one is anchored under its number",
    "superseded": "the brand has anchored a later statement: this one is stale",
    "stale": "the statement is older than what is asked for",
    "ahead": "the statement's time lies ahead of this clock: whoever sets the chain's clock forward could keep it from ever being stale",
    "receipt_refused": "the member's receipt is no genuine receipt of points",
    "receipt_of_another_block": "the member's receipt is of another block than the statement",
    "receipt_outside": "the member's points are not inside the statement",
}


@dataclass(frozen=True)
class Trust:
    """What the verifier knows from elsewhere; `owner` as the brand itself published it."""

    genesis_hash: bytes
    sealer: bytes
    points_address: bytes
    anchors_address: bytes
    owner: bytes

    @property
    def of_receipts(self) -> receipts.Trust:
        return receipts.Trust(self.genesis_hash, self.sealer, self.points_address)


@dataclass(frozen=True)
class Asked:
    """`now` in Unix seconds, by the verifier's own clock."""

    now: int
    max_age_days: int = MAX_AGE_DAYS
    is_anchoring_due: bool = True


def verify(text: str | bytes, trust: Trust, asked: Asked, receipt: str | bytes | None = None) -> dict[str, Any]:
    """What is proven, as plain JSON values; raises `Refused`."""
    statement = _parse(text)
    coalition, block = statement["coalition"], statement["block"]
    sandbox, first_sealer = receipts._check_chain(coalition, trust.of_receipts)
    state_root = _state_root(block, coalition, first_sealer, trust)
    about = statement["liability"]
    _check_lots(about, receipts._storage_root(state_root, statement["account_proof"], trust.points_address))
    _check_signature(statement, trust)
    when = receipts.moment(block["timestamp"])
    if block["timestamp"] + asked.max_age_days * 86_400 < asked.now:
        raise Refused("stale", f"it is of {when}, more than {asked.max_age_days} days ago")
    if block["timestamp"] > asked.now + receipts.SKEW_SECONDS:
        raise Refused("ahead", f"it is of {when}, {block['timestamp'] - asked.now} seconds from now")
    if asked.is_anchoring_due:
        _check_anchoring(statement, first_sealer, trust)
    coverage = about["coverage"]
    proven: dict[str, Any] = {
        "brand": about["brand"],
        "sandbox": sandbox,
        "block": {"number": block["number"], "hash": _hex(block["hash"]), "timestamp": block["timestamp"]},
        "total": about["total"],
        "lots": [{name: lot[name] for name in ("lot_expiry_day", "outstanding")} for lot in about["lots"]],
        "stated_coverage": coverage and {**coverage, "source": _hex(coverage["source"])},
        "is_anchored": asked.is_anchoring_due,
    }
    return proven if receipt is None else {**proven, "receipt": _check_receipt(receipt, statement, trust)}


# ---- the sum over the state


def _check_lots(about: dict[str, Any], storage_root: bytes) -> None:
    total = _word(storage_root, receipts._plain_slot(receipts.OUTSTANDING_SLOT, about["brand"]), about)
    if total != about["total"]:
        raise Refused("total_altered", f"the ledger says {total}")
    for lot in about["lots"]:
        slot = receipts._plain_slot(receipts.OUTSTANDING_OF_LOT_SLOT, about["brand"] << 32 | lot["lot_expiry_day"])
        found = _word(storage_root, slot, lot)
        if found != lot["outstanding"]:
            raise Refused("amount_altered", f"the ledger says {found} of the lot of day {lot['lot_expiry_day']}")
    listed = sum(lot["outstanding"] for lot in about["lots"])
    if listed != total:
        raise Refused("lot_left_out", f"they add up to {listed} of {total} points")


def _word(storage_root: bytes, slot: bytes, shown: dict[str, Any]) -> int:
    if shown["slot"] != slot:
        raise Refused("lot_altered", f"brand and lot lead to slot {_hex(slot)}")
    return int.from_bytes(receipts._stored_word(storage_root, slot, shown["proof"]))


# ---- who stated it, and where it is anchored


def _check_signature(statement: dict[str, Any], trust: Trust) -> None:
    """The owner signs the anchor, whose root is over the whole statement."""
    anchor = statement["anchor"]
    if anchor["anchors_address"] != trust.anchors_address:
        raise Refused("other_anchors", f"trusted is {_hex(trust.anchors_address)}")
    if (_root(statement), 1 + len(statement["liability"]["lots"])) != (anchor["root"], anchor["count"]):
        raise Refused("root_wrong")
    if anchor["signature"] is None:
        raise Refused("not_signed")
    if anchor["signer"] != trust.owner:
        raise Refused("owner_not_trusted", f"trusted is {_hex(trust.owner)}")
    *rest, v = anchor["signature"]
    digest = _digest(anchor, statement["coalition"]["coalition_id"], statement["liability"]["brand"])
    if v not in (27, 28) or receipts._signer_of(bytes([*rest, v - 27]), digest) != trust.owner:
        raise Refused("signature_wrong")


def _root(statement: dict[str, Any]) -> bytes:
    about, block = statement["liability"], statement["block"]
    coverage = about["coverage"] or {"amount_minor": 0, "currency": "\0\0\0", "source": bytes(32)}
    head = MARK + about["brand"].to_bytes(4) + block["number"].to_bytes(8) + block["hash"] + about["total"].to_bytes(32)
    head += coverage["amount_minor"].to_bytes(16) + coverage["currency"].encode() + coverage["source"]
    leaves = [head, *(lot["lot_expiry_day"].to_bytes(4) + lot["outstanding"].to_bytes(32) for lot in about["lots"])]
    level = [keccak(leaf) for leaf in leaves]
    while True:
        level = [keccak(b"".join(level[first : first + 16])) for first in range(0, len(level), 16)]
        if len(level) == 1:
            return level[0]


def _digest(anchor: dict[str, Any], coalition_id: bytes, brand: int) -> bytes:
    contract = anchor["anchors_address"].rjust(32, b"\0")
    domain = keccak(DOMAIN_TYPE) + keccak(b"Splittally") + keccak(b"1") + anchor["chain_id"].to_bytes(32) + contract + coalition_id
    words = KIND.to_bytes(32) + brand.to_bytes(32) + anchor["number"].to_bytes(32)
    words += anchor["previous"] + anchor["root"] + anchor["count"].to_bytes(32)
    return keccak(b"\x19\x01" + keccak(domain) + keccak(keccak(ANCHOR_TYPE) + words))


def _check_anchoring(statement: dict[str, Any], first_sealer: bytes, trust: Trust) -> None:
    """At a sealed block no earlier than the statement's: it stands in the owner's sequence, and is the last there."""
    anchoring, anchor = statement["anchoring"], statement["anchor"]
    if anchoring is None:
        raise Refused("not_anchored")
    if anchoring["block"]["number"] < statement["block"]["number"]:
        raise Refused("not_anchored", "the proof is of a block before the statement's own")
    state_root = _state_root(anchoring["block"], anchoring, first_sealer, trust)
    storage_root = receipts._storage_root(state_root, anchoring["account_proof"], trust.anchors_address)
    of_kind = keccak(KIND.to_bytes(32) + keccak(trust.owner.rjust(32, b"\0") + ANCHORS_SLOT.to_bytes(32)))
    length_slot = keccak(statement["liability"]["brand"].to_bytes(32) + of_kind)
    first = int.from_bytes(keccak(length_slot)) + 2 * anchor["number"]
    slots = [length_slot, *((first + place) % 2**256 for place in range(2))]
    length, root, more = (
        receipts._stored_word(storage_root, slot if isinstance(slot, bytes) else slot.to_bytes(32), proof)
        for slot, proof in zip(slots, anchoring["proofs"], strict=True)
    )
    if int.from_bytes(length) <= anchor["number"]:
        raise Refused("not_anchored", f"the owner has anchored {int.from_bytes(length)} statements")
    if root != anchor["root"] or int.from_bytes(more[-8:]) != anchor["count"]:
        raise Refused("anchoring_wrong")
    if int.from_bytes(length) != anchor["number"] + 1:
        raise Refused("superseded", f"there are {int.from_bytes(length)}, this is number {anchor['number']}, from 0")


def _state_root(block: dict[str, Any], sealed_by: dict[str, Any], first_sealer: bytes, trust: Trust) -> bytes:
    """Of a block that the trusted sealer sealed, or one to whom that one has handed over."""
    receipts._check_block(block, sealed_by, first_sealer, trust.of_receipts)
    header = receipts._header(block["header"], "header_altered")
    if int.from_bytes(header[8]) != block["number"] or int.from_bytes(header[11]) != block["timestamp"]:
        raise Refused("header_altered", "the stated number or time of the block is not the header's")
    return header[3]


# ---- a member's points inside it


def _check_receipt(text: str | bytes, statement: dict[str, Any], trust: Trust) -> dict[str, Any]:
    """Both are proven from one state: lot by lot her points are part of what is outstanding."""
    try:
        proven = receipts.verify(text, trust.of_receipts, may_omit=True)
    except Refused as refusal:
        raise Refused("receipt_refused", f"{refusal.code}: {receipts.REASONS[refusal.code]}") from None
    if proven["about"] != "member_points":
        raise Refused("receipt_refused", "it is of an entry; ask for one with `splittally receipt points`")
    block, about = statement["block"], statement["liability"]
    if proven["block"]["hash"] != _hex(block["hash"]):
        raise Refused("receipt_of_another_block", f"ask for one with `splittally receipt points MEMBER --block {block['number']}`")
    stated = {lot["lot_expiry_day"]: lot["outstanding"] for lot in about["lots"]}
    own = [lot for lot in proven["lots"] if lot["brand"] == about["brand"] and lot["held"]]
    if not own:
        raise Refused("receipt_outside", f"it shows no points of brand {about['brand']}")
    for lot in own:
        if lot["held"] > stated.get(lot["lot_expiry_day"], 0):
            raise Refused("receipt_outside", f"{lot['held']} points of the lot of day {lot['lot_expiry_day']}")
    return {"member": proven["member"], "held": sum(lot["held"] for lot in own)}


# ---- reading the file


_BLOCK = receipts._EVERY_RECEIPT["block"]
_data, _number, _record = receipts._data, receipts._number, receipts._record
_optional, _PROOF = receipts._optional, receipts._PROOF
_SHAPE: dict[str, receipts.Form] = {
    "format": receipts._word(re.escape(FORMAT)),
    "coalition": receipts._EVERY_RECEIPT["coalition"],
    "block": _BLOCK,
    "account_proof": _PROOF,
    "liability": _record(
        brand=_number(32),
        total=_number(256),
        slot=_data(32),
        proof=_PROOF,
        lots=receipts._list(_record(lot_expiry_day=_number(32), outstanding=_number(256), slot=_data(32), proof=_PROOF), 4096),
        coverage=_optional(_record(amount_minor=_number(128), currency=receipts._word("[A-Z]{3}"), source=_data(32))),
    ),
    "anchor": _record(
        chain_id=_number(256),
        anchors_address=_data(20),
        signer=_data(20),
        number=_number(64),
        previous=_data(32),
        root=_data(32),
        count=_number(64),
        signature=_optional(_data(65)),
    ),
    "anchoring": _optional(_record(**receipts._SEALED_BY, block=_BLOCK, account_proof=_PROOF, proofs=receipts._list(_PROOF, 3))),
}


def _parse(text: str | bytes) -> dict[str, Any]:
    document = receipts._document(text)
    statement: dict[str, Any] = receipts._object(document, _SHAPE, "statement")
    days = [lot["lot_expiry_day"] for lot in statement["liability"]["lots"]]
    if any(one >= other for one, other in pairwise(days)):
        raise Refused("malformed", "the lots must stand in rising order, each once")
    if statement["anchoring"] is not None and len(statement["anchoring"]["proofs"]) != 3:
        raise Refused("malformed", "an anchoring has three proofs")
    return statement


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


# ---- the command


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the verdict; 0 for a statement that holds, 1 for any other."""
    options = _options(arguments)
    trust = Trust(options.genesis_hash, options.sealer, options.points_address, options.anchors_address, options.owner)
    asked = Asked(int(time.time()) if options.now is None else options.now, options.max_age_days, not options.unanchored)
    try:
        receipt = None if options.receipt is None else receipts._read(options.receipt)
        proven = verify(receipts._read(options.file), trust, asked, receipt)
    except Refused as refusal:
        reason = REASONS[refusal.code] + (f" ({refusal.detail})" if refusal.detail else "")
        print(
            json.dumps({"holds": False, "code": refusal.code, "reason": reason}) if options.json else f"REFUSED {refusal.code}: {reason}."
        )
        return 1
    print(json.dumps({"holds": True, **proven}) if options.json else _in_words(proven))
    return 0


def _in_words(proven: dict[str, Any]) -> str:
    lines = [f"HOLDS: brand {proven['brand']} owed {proven['total']} points in block {proven['block']['number']}, all lots counted:"]
    lines += [f"  lot expiry {receipts._day(lot['lot_expiry_day'])}: {lot['outstanding']}" for lot in proven["lots"]]
    if proven["sandbox"]:
        lines.append(receipts.OF_A_SANDBOX)
    coverage = proven["stated_coverage"]
    if coverage:
        lines.append(
            f"It states a reserve of {coverage['amount_minor']} {coverage['currency']} in minor units, by the document with the hash "
            f"{coverage['source']}: see that document, this does not prove it."
        )
    if not proven["is_anchored"]:
        lines.append("Whether it is anchored was not asked.")
    if "receipt" in proven:
        lines.append(f"Inside it: {proven['receipt']['held']} points of member {proven['receipt']['member']}.")
    return "\n".join(lines)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    trusted = receipts._trusted
    parser = argparse.ArgumentParser(description="Checks offline what a brand states to owe its holders.")
    parser.add_argument("file", metavar="FILE", help="the statement, or - for standard input")
    parser.add_argument("--genesis-hash", required=True, type=trusted(32), help="hash of the coalition's genesis block")
    parser.add_argument("--sealer", required=True, type=trusted(20), help="address of the operator's sealing key")
    parser.add_argument("--points-address", required=True, type=trusted(20), help="address of the points ledger")
    parser.add_argument("--anchors-address", required=True, type=trusted(20), help="address of the anchors")
    parser.add_argument("--owner", required=True, type=trusted(20), help="the brand's owner, as the brand itself published it")
    parser.add_argument("--receipt", help="a member's receipt of points at the statement's block, to be found inside it")
    parser.add_argument("--max-age-days", type=int, default=MAX_AGE_DAYS, help=f"default: {MAX_AGE_DAYS}")
    parser.add_argument("--now", type=int, help="Unix seconds; default: this computer's clock")
    parser.add_argument("--unanchored", action="store_true", help="take a signed statement that is not shown to be anchored")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
