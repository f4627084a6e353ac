#!/usr/bin/env python3
"""Checks a Splittally receipt offline: one file, no network, nothing of the node or the gateway.

Trusted are only the values given as arguments: the genesis hash, the sealer's address, the points ledger's address, and the witnesses whose
countersignature is asked for. Everything in the file is a claim until it is proven from them. Needs Python 3.11 and the packages rlp,
eth-hash (with pysha3 or pycryptodome) and eth-keys.

    verify_receipt.py receipt.json --genesis-hash 0x… --sealer 0x… --points-address 0x… [--witness 0x… …] [--brand N … | --may-omit]

Exit 0: genuine. Exit 1: refused, with a stable code and the reason. The format is described in docs/receipts.md.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import Signature

FORMAT = "splittally-receipt/3"
EARLIER_FORMATS = {
    "splittally-receipt/1": "proves a root that the brand signed, and not the entry",
    "splittally-receipt/2": "names no checkpoint, and not who sealed before",
}
BALANCES_SLOT = 1  # where the contract's storageLayout puts `balances`; a test compares with the artifact
OUTSTANDING_OF_LOT_SLOT = 2  # the same of the others
OUTSTANDING_SLOT = 3
BATCHES_SLOT = 0
ROOT_WIDTH = 16  # children of a node at most
MAX_FILE_BYTES = 8 * 2**20
MAX_DEPTH = 16
SEAL_PREFIX = b"Splittally block seal"
HANDOVER_PREFIX = b"Splittally sealer handover"
CHECKPOINT_PREFIX = b"Splittally checkpoint"
SKEW_SECONDS = 300
LINKS_MAX = 256
OF_A_SANDBOX = "SANDBOX: a chain for trying out. What stands on it is worth no money."
KINDS = {
    1: "issue",
    2: "opening",
    3: "clawback",
    4: "authorize",
    5: "capture",
    6: "void",
    7: "redeem",
    8: "point_refund",
    9: "transfer",
    10: "expire",
    11: "restore",
    12: "extend",
}
AMOUNT_FIELDS = {"points", "lines"}
REASONS = {
    "malformed": "the file is not a receipt of the format " + FORMAT,
    "earlier_format": "the receipt is of an earlier format: ask for a new one",
    "other_chain": "the receipt is from another chain than the trusted genesis",
    "other_ledger": "the receipt is about another contract than the trusted points ledger",
    "sealer_not_trusted": "the block is sealed, but not by the trusted sealer",
    "seal_wrong": "the seal is not the trusted sealer's signature over this block",
    "handover_wrong": "the sealer before has not signed that it handed over, or not at this block",
    "checkpoint_wrong": "a checkpoint is not its witness's, or not of this block's chain",
    "not_witnessed": "too few of the trusted witnesses countersigned this block's chain",
    "may_omit": "the receipt may leave lots out: what else the member had is not excluded",
    "header_altered": "the block's header is not the one that was sealed",
    "account_proof_wrong": "the proof does not lead from the block's state root to the points ledger",
    "storage_proof_wrong": "the proof does not lead from the points ledger's storage to this slot",
    "not_on_ledger": "the ledger had recorded no such batch at this block",
    "batch_altered": "brand or batch number are not those that the proof is about",
    "outcome_wrong": "the root, the number of entries or the list of refusals is not what the ledger recorded",
    "entry_refused": "the ledger refused this entry: it moved no points",
    "branch_wrong": "the entry is not in the batch at this place",
    "amount_altered": "an amount is not what the ledger says",
    "member_altered": "the member is not the one that the ledger says",
    "lot_altered": "a lot is not the one that the proof is about",
    "entry_altered": "what the receipt says of the entry is not what its bytes say",
}


class Refused(Exception):
    """The receipt proves nothing; `code` is stable, `detail` is for people."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Trust:
    """What the verifier knows from elsewhere. Of `witnesses` at least `witnesses_needed` must have countersigned; outside a sandbox a
    countersignature further than `skew_seconds` from its block's time does not count."""

    genesis_hash: bytes
    sealer: bytes
    points_address: bytes
    witnesses: frozenset[bytes] = frozenset()
    witnesses_needed: int = 0
    skew_seconds: int = SKEW_SECONDS


def verify(
    text: str | bytes, trust: Trust, refused_entry: bool = False, *, may_omit: bool = False, brands: Sequence[int] = ()
) -> dict[str, Any]:
    """What the receipt proves, as plain JSON values; raises `Refused`.

    A receipt that proves the refusal of an entry is itself refused, unless `refused_entry` asks for it; and one of points that does not
    show every lot of each of `brands`, the coalition's, unless `may_omit` does.
    """
    receipt = _parse(text)
    coalition, block = receipt["coalition"], receipt["block"]
    sandbox, first_sealer = _check_chain(coalition, trust)
    _check_block(block, coalition, first_sealer, trust)
    header = _header(block["header"], "header_altered")
    if _uint(header[8]) != block["number"] or _uint(header[11]) != block["timestamp"]:
        raise Refused("header_altered", "the stated number or time of the block is not the header's")
    witnesses = _check_checkpoints(receipt["checkpoints"], block, trust, sandbox)
    storage_root = _storage_root(header[3], receipt["account_proof"], trust.points_address)
    if receipt["about"] == "entry":
        proven = _check_entry(receipt, storage_root, refused_entry)
    else:
        proven = _check_points(receipt, storage_root)
        _check_complete(proven["complete_for"], may_omit, brands)
    _check_witnessed(witnesses, trust)
    return {
        "about": receipt["about"],
        "block": {"number": block["number"], "hash": _hex(block["hash"]), "timestamp": block["timestamp"]},
        "coalition_id": _hex(coalition["coalition_id"]),
        "sandbox": sandbox,
        "sealer": _hex(coalition["sealer"]),
        "witnesses": witnesses,
        "not_shown": _not_shown(witnesses, sandbox, proven.get("complete_for")),
        **proven,
    }


# ---- chain and block


def _check_chain(coalition: dict[str, Any], trust: Trust) -> tuple[bool, bytes]:
    """Whether it is a sandbox, and who sealed first: the genesis block commits to both."""
    if coalition["genesis_hash"] != trust.genesis_hash or keccak(coalition["genesis_header"]) != trust.genesis_hash:
        raise Refused("other_chain", f"trusted is genesis {_hex(trust.genesis_hash)}")
    genesis = _header(coalition["genesis_header"], "other_chain")
    if genesis[12] != coalition["coalition_id"] or keccak(coalition["genesis"].encode()) != coalition["coalition_id"]:
        raise Refused("other_chain", "the genesis block names another coalition id, or that of another configuration")
    if coalition["points_address"] != trust.points_address:
        raise Refused("other_ledger", f"trusted is the ledger at {_hex(trust.points_address)}")
    return json.loads(coalition["genesis"])["sandbox"], genesis[2]


def _check_block(block: dict[str, Any], coalition: dict[str, Any], first_sealer: bytes, trust: Trust) -> None:
    if keccak(block["header"]) != block["hash"]:
        raise Refused("header_altered", "the header's hash is not the stated block hash")
    signer = _signer_of(block["seal"], keccak(SEAL_PREFIX + trust.genesis_hash + block["hash"]))
    if signer is None or signer != coalition["sealer"]:
        raise Refused("seal_wrong", f"named is {_hex(coalition['sealer'])}")
    sealers, last = [first_sealer], 0
    for handover in coalition["handovers"]:
        signed = keccak(HANDOVER_PREFIX + trust.genesis_hash + handover["block"].to_bytes(8) + handover["sealer"])
        if not last < handover["block"] <= block["number"] or _signer_of(handover["signature"], signed) != sealers[-1]:
            raise Refused("handover_wrong", f"at block {handover['block']}")
        sealers.append(handover["sealer"])
        last = handover["block"]
    if signer != sealers[-1] or trust.sealer not in sealers:
        raise Refused("sealer_not_trusted", f"trusted is {_hex(trust.sealer)}, which has not handed over to {_hex(signer)}")


# ---- checkpoints: witnesses countersigned this block or one that follows from it; headers link the two


def _check_checkpoints(stated: dict[str, Any], block: dict[str, Any], trust: Trust, sandbox: bool) -> list[dict[str, Any]]:
    chain = {block["number"]: (block["hash"], block["timestamp"])}
    parent, number = block["hash"], block["number"]
    for raw in stated["headers"]:
        number, header = number + 1, _header(raw, "checkpoint_wrong")
        if header[0] != parent or _uint(header[8]) != number:
            raise Refused("checkpoint_wrong", f"block {number} does not follow from the one before")
        parent = keccak(raw)
        chain[number] = parent, _uint(header[11])
    if number != max((each["number"] for each in stated["signed"]), default=block["number"]):
        raise Refused("checkpoint_wrong", "the headers do not end at the last block that was countersigned")
    return [_checkpoint(each, chain, trust, sandbox) for each in stated["signed"]]


def _checkpoint(stated: dict[str, Any], chain: dict[int, tuple[bytes, int]], trust: Trust, sandbox: bool) -> dict[str, Any]:
    number, witnessed_at = stated["number"], stated["witnessed_at"]
    if number not in chain or chain[number][1] >= 2**64:
        raise Refused("checkpoint_wrong", f"block {number} is not among the headers")
    block_hash, block_time = chain[number]
    signed = trust.genesis_hash + number.to_bytes(8) + block_hash + block_time.to_bytes(8) + witnessed_at.to_bytes(8)
    if _signer_of(stated["signature"], keccak(CHECKPOINT_PREFIX + signed)) != stated["witness"]:
        raise Refused("checkpoint_wrong", f"{_hex(stated['witness'])} has not countersigned block {number} so")
    return {
        "witness": _hex(stated["witness"]),
        "trusted": stated["witness"] in trust.witnesses,
        "in_time": sandbox or abs(witnessed_at - block_time) <= trust.skew_seconds,
        "block_number": number,
        "block_time": block_time,
        "witnessed_at": witnessed_at,
    }


def _check_witnessed(witnesses: list[dict[str, Any]], trust: Trust) -> None:
    counted = {each["witness"] for each in witnesses if each["trusted"] and each["in_time"]}
    if len(counted) < trust.witnesses_needed:
        late = sorted({each["witness"] for each in witnesses if each["trusted"] and not each["in_time"]})
        also = f"; further than {trust.skew_seconds} s from the block's time: {', '.join(late)}" if late else ""
        raise Refused("not_witnessed", f"{len(counted)} of the {trust.witnesses_needed} needed{also}")


def _not_shown(witnesses: list[dict[str, Any]], sandbox: bool, complete_for: list[int] | None) -> list[str]:
    """What a genuine receipt still leaves open, in sentences."""
    said = []
    if not any(each["trusted"] for each in witnesses):
        said.append("no witness that you trust countersigned it: that the sealer showed others another chain is not excluded")
    if sandbox:
        said.append("in a sandbox the sealer sets the time at will, and delays may be seconds")
    elif not any(each["trusted"] and each["in_time"] for each in witnesses):
        said.append("the block's time is the sealer's word alone")
    if complete_for is not None:
        shown = ", ".join(map(str, complete_for)) or "none"
        said.append(f"every lot is shown of these brands: {shown}. That the member had points of another brand is not excluded")
    return said


def _signer_of(seal: bytes, digest: bytes) -> bytes | None:
    r, s, v = int.from_bytes(seal[:32]), int.from_bytes(seal[32:64]), seal[64]
    if v > 1 or not 0 < r < SECPK1_N or not 0 < s <= SECPK1_N // 2:
        return None
    try:
        signature = Signature(vrs=(v, r, s))
        return bytes(signature.recover_public_key_from_msg_hash(digest).to_canonical_address())
    except Exception:  # r is no point of the curve: every backend has an exception of its own
        return None


# ---- Merkle-Patricia proofs (EIP-1186); nodes are believed for their hash alone, so they are decoded only after it fits


def _storage_root(state_root: bytes, proof: list[bytes], address: bytes) -> bytes:
    account = _rlp_list(_walk(state_root, keccak(address), proof, "account_proof_wrong"), "account_proof_wrong")
    if len(account) != 4 or not isinstance(account[2], bytes) or len(account[2]) != 32:
        raise Refused("account_proof_wrong", "the proof ends at something that is no account")
    return bytes(account[2])


def _stored_word(storage_root: bytes, slot: bytes, proof: list[bytes]) -> bytes:
    """The 32-byte word in a slot; zeros where the proof shows that nothing is stored."""
    leaf = _walk(storage_root, keccak(slot), proof, "storage_proof_wrong")
    if not leaf:
        return bytes(32)
    try:
        word = rlp.decode(leaf)
    except rlp.exceptions.RLPException:
        raise Refused("storage_proof_wrong", "the proof ends at something that is no word") from None
    if not isinstance(word, bytes) or not 0 < len(word) <= 32 or word[0] == 0:
        raise Refused("storage_proof_wrong", "the proof ends at something that is no word")
    return word.rjust(32, b"\0")


def _walk(root: bytes, key: bytes, proof: list[bytes], code: str) -> bytes:
    """The value at a 32-byte key, or empty if the proof shows that there is none. Every node of the proof must be on the way."""
    nibbles, at, used = key.hex(), 0, 0
    reference: Any = root
    while True:
        if reference == b"" or (used == 0 and not proof and root == keccak(b"\x80")):
            return _end_of_walk(b"", used, proof, code)
        if isinstance(reference, bytes):
            if used >= len(proof) or keccak(proof[used]) != reference:
                raise Refused(code, f"node {used} of the proof is missing or altered")
            node = _rlp_list(proof[used], code)
            used += 1
        else:
            node = reference  # a node shorter than a hash stands in its parent
        if len(node) == 17 and at < 64:
            reference = node[int(nibbles[at], 16)]
            at += 1
        elif len(node) == 2 and isinstance(node[0], bytes) and node[0]:
            flag, path = node[0][0] >> 4, node[0].hex()[1 if node[0][0] & 0x10 else 2 :]
            if nibbles[at : at + len(path)] != path:
                return _end_of_walk(b"", used, proof, code)
            at += len(path)
            reference = node[1]
            if flag & 2:
                if at != 64 or not isinstance(reference, bytes) or not reference:
                    raise Refused(code, "the proof ends before the key does")
                return _end_of_walk(reference, used, proof, code)
        else:
            raise Refused(code, f"node {used - 1} of the proof is no node of a trie")


def _end_of_walk(value: bytes, used: int, proof: list[bytes], code: str) -> bytes:
    if used != len(proof):
        raise Refused(code, f"the proof has {len(proof)} nodes, but the way to the key passes {used}: it is for another key or altered")
    return value


def _mapping_slot(base: int, first: int, second: int) -> bytes:
    return keccak(second.to_bytes(32) + keccak(first.to_bytes(32) + base.to_bytes(32)))


def _plain_slot(base: int, key: int) -> bytes:
    return keccak(key.to_bytes(32) + base.to_bytes(32))


# ---- an entry


def _check_entry(receipt: dict[str, Any], storage_root: bytes, refused_entry: bool) -> dict[str, Any]:
    entry, batch = receipt["entry"], receipt["batch"]
    brand, number, index = batch["brand"], batch["number"], entry["index"]
    decoded = _decode_entry(entry["bytes"])
    _compare_decoded(entry["decoded"], decoded)
    slot = _mapping_slot(BATCHES_SLOT, brand, number)
    if batch["slot"] != slot:
        raise Refused("batch_altered", f"the slot of batch {number} of brand {brand} is {_hex(slot)}")
    record = _stored_word(storage_root, slot, batch["proof"])
    if not any(record):
        raise Refused("not_on_ledger", f"batch {number} of brand {brand}")
    refusals = _check_record(batch, record)
    if _root_of_branch(entry["bytes"], index, batch["entry_count"], entry["branch"]) != batch["root"]:
        raise Refused("branch_wrong", "entry bytes, place and branch do not lead to the root that the ledger recorded")
    reason, stated = refusals.get(index), entry["refused"]
    if (stated is None) != (reason is None) or (stated and (stated["reason"] != reason or keccak(stated["error"].encode())[:4] != reason)):
        raise Refused("entry_refused" if reason else "outcome_wrong", "the receipt says otherwise than the ledger whether and why")
    if stated and not refused_entry:
        raise Refused("entry_refused", f"its reason is {stated['error']}; --refused-entry asks for the proof of that")
    return {"brand": brand, "batch_number": number, "index": index, "refused": stated and stated["error"], "entry": _json_ready(decoded)}


def _check_record(batch: dict[str, Any], record: bytes) -> dict[int, bytes]:
    """The ledger keeps one word of a batch: the hash of the root, and of a word that counts the entries and hashes the refusals."""
    refusals = [(each["index"], each["reason"]) for each in batch["refusals"]]
    packed = b"".join(index.to_bytes(4) + reason for index, reason in refusals)
    outcome = batch["entry_count"].to_bytes(4) + len(refusals).to_bytes(4) + keccak(packed)[:24]
    if keccak(batch["root"] + outcome) != record:
        raise Refused("outcome_wrong")
    return dict(refusals)


def _root_of_branch(entry: bytes, index: int, count: int, branch: list[bytes]) -> bytes:
    """The root that an entry at a place among `count` leads to; every hash of the branch must be on the way."""
    if index >= count:
        raise Refused("branch_wrong", f"a batch of {count} entries has no place {index}")
    node, used = keccak(entry), 0
    while True:
        place = index % ROOT_WIDTH
        others = min(ROOT_WIDTH, count - (index - place)) - 1
        siblings = branch[used : used + others]
        node = keccak(b"".join([*siblings[:place], node, *siblings[place:]]))
        index, count, used = index // ROOT_WIDTH, -(-count // ROOT_WIDTH), used + others
        if count == 1:
            break
    if used != len(branch):
        raise Refused("branch_wrong", f"the branch has {len(branch)} hashes, but the way to the root passes {used}")
    return node


def _compare_decoded(stated: dict[str, Any] | None, decoded: dict[str, Any] | None) -> None:
    if stated == decoded:
        return
    if stated is None or decoded is None or stated.keys() != decoded.keys():
        raise Refused("entry_altered", "the bytes are an entry of another kind, or of none")
    wrong = sorted(name for name in decoded if stated[name] != decoded[name])
    code = "amount_altered" if AMOUNT_FIELDS & set(wrong) else "member_altered" if "member" in wrong else "entry_altered"
    raise Refused(code, f"by the entry's bytes, {wrong[0]} is {json.dumps(_json_ready(decoded[wrong[0]]))}")


def _decode_entry(data: bytes) -> dict[str, Any] | None:
    """The fields of an entry by the table in docs/ledger-format.md; None if the bytes are no whole entry."""
    reader = _Reader(data)
    try:
        fields = _ENTRY_BODIES[KINDS[reader.uint(1)]](reader)
    except (KeyError, EOFError):
        return None
    return {"kind": KINDS[data[0]], **fields} if reader.at_end() else None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 0

    def take(self, length: int) -> bytes:
        field = self.data[self.position : self.position + length]
        if len(field) != length:
            raise EOFError
        self.position += length
        return field

    def uint(self, length: int) -> int:
        return int.from_bytes(self.take(length))

    def lines(self) -> dict[str, Any]:
        count = self.uint(1)
        lines = [{"brand": self.uint(4), "lot_expiry_day": self.uint(4), "points": self.uint(8)} for _ in range(count)]
        if not 1 <= count <= 16 or len({(line["brand"], line["lot_expiry_day"]) for line in lines}) != count:
            raise EOFError
        return {"lines": lines}

    def at_end(self) -> bool:
        return self.position == len(self.data)


def _issue(r: _Reader) -> dict[str, Any]:
    amount = {"member": r.take(20), "lot_expiry_day": r.uint(4), "points": r.uint(8)}
    basis = {"programme": r.uint(4), "rule": r.uint(2), "award": r.uint(2), "decision": r.take(32)}
    return {**amount, **basis, "reference": r.take(32)}


def _opening(r: _Reader) -> dict[str, Any]:
    amount = {"member": r.take(20), "lot_expiry_day": r.uint(4), "points": r.uint(8)}
    basis = {"ratio_points": r.uint(4), "ratio_units": r.uint(4), "source": r.take(32)}
    return {**amount, **basis, "reference": r.take(32)}


def _clawback(r: _Reader) -> dict[str, Any]:
    fields = {"member": r.take(20), "reference": r.take(32), "number": r.uint(8), "index": r.uint(4)}
    r.uint(4)  # entries of that batch; with the refusals and the branch they prove to the contract what the ledger accepted
    r.take(8 * r.uint(4))
    r.take(32 * r.uint(2))
    return {**fields, "issue": r.take(r.uint(2)), **r.lines()}


def _restore(r: _Reader) -> dict[str, Any]:
    return {"member": r.take(20), "reference": r.take(32), "number": r.uint(8), "index": r.uint(4), **r.lines()}


def _extend(r: _Reader) -> dict[str, Any]:
    days = {"member": r.take(20), "lot_expiry_day": r.uint(4), "later_expiry_day": r.uint(4)}
    return {**days, "points": r.uint(8), "reference": r.take(32)}


def _consented(r: _Reader) -> dict[str, Any]:
    ids = {"member": r.take(20), "reference": r.take(32), "order": r.take(32)}
    terms = {"nonce": r.uint(8), "deadline": r.uint(5), "points": r.uint(8), "discount_minor": r.uint(8)}
    return {**ids, **terms, "proof_kind": r.uint(1), "proof": r.take(r.uint(2)), **r.lines()}


def _of_reservation(r: _Reader) -> dict[str, Any]:
    return {"reservation_id": r.take(32), "reference": r.take(32), **r.lines()}


def _with_discount(r: _Reader) -> dict[str, Any]:
    return {"reservation_id": r.take(32), "reference": r.take(32), "discount_minor": r.uint(8), **r.lines()}


def _transfer(r: _Reader) -> dict[str, Any]:
    fields = {"from": r.take(20), "to": r.take(20), "nonce": r.uint(8), "deadline": r.uint(5)}
    for _ in ("from", "to"):
        r.take(1)
        r.take(r.uint(2))
    return {**fields, **r.lines()}


def _expire(r: _Reader) -> dict[str, Any]:
    return {"member": r.take(20), "lot_expiry_day": r.uint(4), "points": r.uint(16)}


_ENTRY_BODIES: dict[str, Callable[[_Reader], dict[str, Any]]] = {
    "issue": _issue,
    "opening": _opening,
    "clawback": _clawback,
    "authorize": _consented,
    "redeem": _consented,
    "capture": _with_discount,
    "void": _of_reservation,
    "point_refund": _with_discount,
    "transfer": _transfer,
    "expire": _expire,
    "restore": _restore,
    "extend": _extend,
}


# ---- a member's points


def _check_points(receipt: dict[str, Any], storage_root: bytes) -> dict[str, Any]:
    points = receipt["points"]
    lots = points["lots"]
    slots = [_mapping_slot(BALANCES_SLOT, lot["brand"] << 32 | lot["lot_expiry_day"], int.from_bytes(points["member"])) for lot in lots]
    altered = [lot for lot, slot in zip(lots, slots, strict=True) if lot["slot"] != slot]
    if altered:
        raise Refused("member_altered" if len(altered) == len(lots) else "lot_altered", "member and lot do not lead to the proof's slot")
    for lot, slot in zip(lots, slots, strict=True):
        word = _stored_word(storage_root, slot, lot["proof"])
        reserved, held = int.from_bytes(word[:16]), int.from_bytes(word[16:])
        if (lot["held"], lot["reserved"]) != (held, reserved):
            raise Refused("amount_altered", f"the ledger says {held} held and {reserved} reserved")
    totals = {name: sum(lot[name] for lot in lots) for name in ("held", "reserved")}
    if totals != {"held": points["held_total"], "reserved": points["reserved_total"]}:
        raise Refused("amount_altered", "the totals are not the sums of the lots")
    shown = [{name: lot[name] for name in ("brand", "lot_expiry_day", "held", "reserved")} for lot in lots]
    complete = _brands_shown_whole(points, storage_root)
    of_member = {"member": _hex(points["member"]), "lots": shown, "held_total": totals["held"], "reserved_total": totals["reserved"]}
    return {**of_member, "complete_for": complete}


def _brands_shown_whole(points: dict[str, Any], storage_root: bytes) -> list[int]:
    """Brands of which the lots that are listed make up all that is outstanding: of any other lot nobody has points."""
    of_lots: dict[int, int] = {}
    for lot in points["lots"]:
        if lot["of_lot"] is not None:
            slot = _plain_slot(OUTSTANDING_OF_LOT_SLOT, lot["brand"] << 32 | lot["lot_expiry_day"])
            _check_outstanding(lot["of_lot"], slot, storage_root)
            of_lots[lot["brand"]] = of_lots.get(lot["brand"], 0) + lot["of_lot"]["outstanding"]
    for brand in points["brands"]:
        _check_outstanding(brand, _plain_slot(OUTSTANDING_SLOT, brand["brand"]), storage_root)
    return [brand["brand"] for brand in points["brands"] if of_lots.get(brand["brand"], 0) == brand["outstanding"]]


def _check_outstanding(stated: dict[str, Any], slot: bytes, storage_root: bytes) -> None:
    if stated["slot"] != slot:
        raise Refused("lot_altered", f"what is outstanding stands in slot {_hex(slot)}")
    outstanding = int.from_bytes(_stored_word(storage_root, slot, stated["proof"]))
    if stated["outstanding"] != outstanding:
        raise Refused("amount_altered", f"the ledger says that {outstanding} are outstanding")


def _check_complete(complete_for: list[int], may_omit: bool, brands: Sequence[int]) -> None:
    if may_omit:
        return
    if not brands:
        shown = ", ".join(map(str, complete_for)) or "none"
        raise Refused("may_omit", f"it shows every lot of brands: {shown}; name the coalition's with --brand, or accept with --may-omit")
    missing = sorted(set(brands) - set(complete_for))
    if missing:
        raise Refused("may_omit", f"not every lot is shown of brands: {', '.join(map(str, missing))}; --may-omit accepts that")


# ---- reading the file: every field must be there, of its form and nothing else, so that nothing unproven can ride along


def _document(text: str | bytes) -> Any:
    """JSON within bounds."""
    if len(text) > MAX_FILE_BYTES:
        raise Refused("malformed", f"more than {MAX_FILE_BYTES} bytes")
    try:
        text = text.decode() if isinstance(text, bytes) else text
        _check_depth(text)
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused("malformed", f"not JSON: {type(error).__name__}") from None


def _parse(text: str | bytes) -> dict[str, Any]:
    document = _document(text)
    about = document.get("about") if isinstance(document, dict) else None
    shape = {"entry": _ENTRY_RECEIPT, "member_points": _POINTS_RECEIPT}.get(about) if isinstance(about, str) else None
    stated = document.get("format") if isinstance(document, dict) else None
    if isinstance(stated, str) and stated in EARLIER_FORMATS:
        raise Refused("earlier_format", f"{stated} {EARLIER_FORMATS[stated]}")
    if shape is None or document.get("format") != FORMAT:
        raise Refused("malformed", "format or subject is not known")
    receipt: dict[str, Any] = _object(document, shape, "receipt")
    witnesses = [each["witness"] for each in receipt["checkpoints"]["signed"]]
    if len(set(witnesses)) != len(witnesses):
        raise Refused("malformed", "a witness stands twice")
    if receipt["about"] == "member_points":
        lots = [(lot["brand"], lot["lot_expiry_day"]) for lot in receipt["points"]["lots"]]
        brands = [brand["brand"] for brand in receipt["points"]["brands"]]
        if any(one >= other for one, other in (*pairwise(lots), *pairwise(brands))):
            raise Refused("malformed", "lots and brands must stand in rising order, each once")
    return receipt


def _check_depth(text: str) -> None:
    """Brackets nest at most six deep in a receipt; a parser asked to go deep can take the interpreter down."""
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("not a number")


Form = Callable[[Any, str], Any]


def _object(value: Any, shape: dict[str, Form], where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != shape.keys():
        raise Refused("malformed", f"{where} must have exactly the fields {', '.join(shape)}")
    return {name: form(value[name], f"{where}.{name}") for name, form in shape.items()}


def _record(**shape: Form) -> Form:
    return lambda value, where: _object(value, shape, where)


def _data(length: int | None = None, limit: int = 2**16) -> Form:
    def form(value: Any, where: str) -> bytes:
        if not isinstance(value, str) or len(value) > 2 + 2 * limit or not re.fullmatch("0x([0-9a-f]{2})*", value):
            raise Refused("malformed", f"{where} must be lower-case hex with 0x")
        data = bytes.fromhex(value[2:])
        if length is not None and len(data) != length:
            raise Refused("malformed", f"{where} must have {length} bytes")
        return data

    return form


def _number(bits: int) -> Form:
    def form(value: Any, where: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**bits:
            raise Refused("malformed", f"{where} must be a whole number of at most {bits} bits")
        return value

    return form


def _list(form: Form, limit: int) -> Form:
    def of_list(value: Any, where: str) -> list[Any]:
        if not isinstance(value, list) or len(value) > limit:
            raise Refused("malformed", f"{where} must be a list of at most {limit}")
        return [form(each, f"{where}[{position}]") for position, each in enumerate(value)]

    return of_list


def _word(pattern: str) -> Form:
    def form(value: Any, where: str) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise Refused("malformed", f"{where} is not of its form")
        return value

    return form


def _optional(form: Form) -> Form:
    return lambda value, where: None if value is None else form(value, where)


def _decoded(value: Any, where: str) -> dict[str, Any]:
    kind = value.get("kind") if isinstance(value, dict) else None
    shape = _DECODED.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise Refused("malformed", f"{where} must be an entry of a known kind")
    return _object(value, shape, where)


_PROOF = _list(_data(limit=1024), 65)
_LINE = _record(brand=_number(32), lot_expiry_day=_number(32), points=_number(64))
_FIELDS: dict[str, Form] = {
    "member": _data(20),
    "reference": _data(32),
    "number": _number(64),
    "index": _number(32),
    "issue": _data(),
    "reservation_id": _data(32),
    "lot_expiry_day": _number(32),
    "points": _number(128),
    "order": _data(32),
    "discount_minor": _number(64),
    "from": _data(20),
    "to": _data(20),
    "later_expiry_day": _number(32),
    "programme": _number(32),
    "rule": _number(16),
    "award": _number(16),
    "decision": _data(32),
    "ratio_points": _number(32),
    "ratio_units": _number(32),
    "source": _data(32),
    "nonce": _number(64),
    "deadline": _number(40),
    "proof_kind": _number(8),
    "proof": _data(),
    "lines": _list(_LINE, 16),
}
_DECODED: dict[str, dict[str, Form]] = {
    kind: {"kind": _word(kind), **{name: _FIELDS[name] for name in names.split()}}
    for kind, names in {
        "issue": "member lot_expiry_day points programme rule award decision reference",
        "opening": "member lot_expiry_day points ratio_points ratio_units source reference",
        "clawback": "member reference number index issue lines",
        "authorize": "member reference order nonce deadline points discount_minor proof_kind proof lines",
        "redeem": "member reference order nonce deadline points discount_minor proof_kind proof lines",
        "capture": "reservation_id reference discount_minor lines",
        "void": "reservation_id reference lines",
        "point_refund": "reservation_id reference discount_minor lines",
        "transfer": "from to nonce deadline lines",
        "expire": "member lot_expiry_day points",
        "restore": "member reference number index lines",
        "extend": "member lot_expiry_day later_expiry_day points reference",
    }.items()
}
_GENESIS = (
    r'\{"allocations":\{[0-9a-fx",:]*\},"baseFeePerGas":\d+,"chainId":\d+,"gasLimit":\d+,"random":"0x[0-9a-f]{64}","rules":"[a-z0-9+]+",'
    r'"sandbox":(true|false),"sealer":"0x[0-9a-f]{40}","timestamp":\d+\}'
)
_OUTSTANDING: dict[str, Form] = {"outstanding": _number(256), "slot": _data(32), "proof": _PROOF}
_SEALED_BY: dict[str, Form] = {
    "sealer": _data(20),
    "handovers": _list(_record(block=_number(64), sealer=_data(20), signature=_data(65)), 4096),
}
_EVERY_RECEIPT: dict[str, Form] = {
    "format": _word(re.escape(FORMAT)),
    "about": _word("entry|member_points"),
    "coalition": _record(
        coalition_id=_data(32),
        genesis=_word(_GENESIS),
        genesis_hash=_data(32),
        genesis_header=_data(limit=4096),
        points_address=_data(20),
        **_SEALED_BY,
    ),
    "block": _record(number=_number(64), timestamp=_number(64), hash=_data(32), header=_data(limit=4096), seal=_data(65)),
    "checkpoints": _record(
        headers=_list(_data(limit=4096), LINKS_MAX),
        signed=_list(_record(witness=_data(20), number=_number(63), witnessed_at=_number(63), signature=_data(65)), 256),
    ),
    "account_proof": _PROOF,
}
_ENTRY_RECEIPT: dict[str, Form] = {
    **_EVERY_RECEIPT,
    "batch": _record(
        brand=_number(32),
        number=_number(64),
        slot=_data(32),
        proof=_PROOF,
        root=_data(32),
        entry_count=_number(32),
        refusals=_list(_record(index=_number(32), reason=_data(4)), 2**16),
    ),
    "entry": _record(
        index=_number(32),
        bytes=_data(limit=2**21),  # a fragment may be long
        decoded=_optional(_decoded),
        branch=_list(_data(32), 8 * (ROOT_WIDTH - 1)),
        refused=_optional(_record(reason=_data(4), error=_word(r"[A-Za-z][A-Za-z0-9]{0,63}\(\)"))),
    ),
}
_POINTS_RECEIPT: dict[str, Form] = {
    **_EVERY_RECEIPT,
    "points": _record(
        member=_data(20),
        held_total=_number(128),
        reserved_total=_number(128),
        lots=_list(
            _record(
                brand=_number(32),
                lot_expiry_day=_number(32),
                held=_number(128),
                reserved=_number(128),
                slot=_data(32),
                proof=_PROOF,
                of_lot=_optional(_record(**_OUTSTANDING)),
            ),
            4096,
        ),
        brands=_list(_record(brand=_number(32), **_OUTSTANDING), 4096),
    ),
}


def _header(data: bytes, code: str) -> list[bytes]:
    fields = _rlp_list(data, code)
    if len(fields) < 15 or any(not isinstance(field, bytes) for field in fields):
        raise Refused(code, "not a block header")
    return fields


def _rlp_list(data: bytes, code: str) -> list[Any]:
    try:
        items = rlp.decode(data)
    except (rlp.exceptions.RLPException, RecursionError):
        raise Refused(code, "not RLP") from None
    if not isinstance(items, (list, tuple)):
        raise Refused(code, "not a list")
    return list(items)


def _uint(value: Any) -> int:
    return int.from_bytes(value)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _json_ready(value: Any) -> Any:
    if isinstance(value, bytes):
        return _hex(value)
    if isinstance(value, dict):
        return {name: _json_ready(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_json_ready(each) for each in value]
    return value


# ---- the command


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the verdict; 0 for a genuine receipt, 1 for any other."""
    options = _options(arguments)
    witnesses = frozenset(options.witness)
    needed = len(witnesses) if options.witnesses_needed is None else options.witnesses_needed
    trust = Trust(options.genesis_hash, options.sealer, options.points_address, witnesses, needed, options.skew)
    try:
        proven = verify(_read(options.file), trust, options.refused_entry, may_omit=options.may_omit, brands=options.brand)
    except Refused as refusal:
        reason = REASONS[refusal.code] + (f" ({refusal.detail})" if refusal.detail else "")
        if options.json:
            print(json.dumps({"genuine": False, "code": refusal.code, "reason": reason}))
        else:
            print(f"REFUSED {refusal.code}: {reason}.")
        return 1
    print(json.dumps({"genuine": True, **proven}) if options.json else _in_words(proven))
    return 0


def moment(seconds: int) -> str:
    """Unix seconds for people."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "a time after the year 9999"


def _in_words(proven: dict[str, Any]) -> str:
    block = proven["block"]
    lines = [f"GENUINE: sealed in block {block['number']} of {moment(block['timestamp'])} by {proven['sealer']}."]
    if proven["sandbox"]:
        lines.append(OF_A_SANDBOX)
    for each in proven["witnesses"]:
        whose = "a witness you trust" if each["trusted"] else "a witness you did not name"
        off = each["witnessed_at"] - each["block_time"]
        lines.append(f"Countersigned at block {each['block_number']} by {each['witness']}, {whose}, {off} s after the block's time.")
    lines += [f"Not shown: {each}." for each in proven["not_shown"]]
    if proven["about"] == "member_points":
        held, reserved = proven["held_total"], proven["reserved_total"]
        lines.append(f"Member {proven['member']} had {held} points in these lots, {reserved} of them reserved:")
        for lot in proven["lots"]:
            expiry = _day(lot["lot_expiry_day"])
            lines.append(f"  brand {lot['brand']}, lot expiry {expiry}: {lot['held']} held, {lot['reserved']} reserved")
        return "\n".join(lines)
    place = f"entry {proven['index']} of batch {proven['batch_number']} of brand {proven['brand']}"
    lines.append(f"The ledger REFUSED {place}: {proven['refused']}" if proven["refused"] else f"The ledger accepted {place}:")
    for name, value in (proven["entry"] or {}).items():
        if name == "lines":
            lines += [f"  {each['points']} points of brand {each['brand']}, lot expiry {_day(each['lot_expiry_day'])}" for each in value]
        else:
            lines.append(f"  {name}: {_day(value) if name == 'lot_expiry_day' else value}")
    return "\n".join(lines)


def _day(number: int) -> str:
    try:
        return "never" if number == 0 else (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=number)).strftime("%Y-%m-%d")
    except OverflowError:
        return f"day {number}"


def _read(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Refused("malformed", f"cannot be read: {error.strerror}") from None


def _trusted(length: int) -> Callable[[str], bytes]:
    def parse(text: str) -> bytes:
        if not re.fullmatch(f"0x[0-9a-fA-F]{{{2 * length}}}", text):
            raise argparse.ArgumentTypeError(f"0x and {2 * length} hex digits are needed")
        return bytes.fromhex(text[2:])

    return parse


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Checks a Splittally receipt offline.")
    parser.add_argument("file", metavar="FILE", help="the receipt, or - for standard input")
    parser.add_argument("--genesis-hash", required=True, type=_trusted(32), help="hash of the coalition's genesis block")
    parser.add_argument("--sealer", required=True, type=_trusted(20), help="address of the operator's sealing key")
    parser.add_argument("--points-address", required=True, type=_trusted(20), help="address of the points ledger")
    parser.add_argument("--refused-entry", action="store_true", help="accept the proof that the ledger refused the entry")
    parser.add_argument("--witness", metavar="0x…", action="append", default=[], type=_trusted(20), help="who must have countersigned")
    parser.add_argument("--witnesses-needed", metavar="N", type=_count, help="how many of them; default: all")
    parser.add_argument(
        "--skew", metavar="SECONDS", type=_count, default=SKEW_SECONDS, help="between a witness's clock and the block's time"
    )
    parser.add_argument("--brand", metavar="N", action="append", default=[], type=_count, help="a brand whose every lot must be shown")
    parser.add_argument("--may-omit", action="store_true", help="accept a receipt of points that may leave lots out")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    options = parser.parse_args(arguments)
    if options.witnesses_needed is not None and options.witnesses_needed > len(set(options.witness)):
        parser.error("--witnesses-needed is more than the witnesses that are named with --witness")
    return options


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise argparse.ArgumentTypeError("a whole number is needed")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
