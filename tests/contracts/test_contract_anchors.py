"""Anchored roots on the real contract: whoever signs appends to a sequence of the signer's own; nothing ever changes in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from eth_account import Account
from eth_keys import keys
from eth_utils import keccak

from tests.builders.abi import Event, contract_abi
from tests.builders.ledger_chain import CHAIN_ID, GAS_PER_TRANSACTION, LedgerChain, Outcome, key_of
from tests.builders.points_ledger import COALITION_ID, SECP256K1_ORDER, address_of

ABI = contract_abi("Anchors")
AUDITOR, STRANGER = key_of("auditor"), key_of("stranger")
SUBJECT = keccak(text="reconciliations of brand 1")
NONE = bytes(32)
FIELDS = [
    ("kind", "uint16"),
    ("subject", "bytes32"),
    ("number", "uint64"),
    ("previous", "bytes32"),
    ("root", "bytes32"),
    ("count", "uint64"),
]


def root_of(number: int) -> bytes:
    return keccak(number.to_bytes(32))


@dataclass(frozen=True)
class Anchor:
    number: int = 0
    previous: bytes = NONE
    root: bytes = root_of(0)
    count: int = 10
    kind: int = 1
    subject: bytes = SUBJECT

    def message(self) -> dict[str, Any]:
        return {field: getattr(self, field) for field, _ in FIELDS}


FIRST = Anchor()
SECOND = Anchor(1, root_of(0), root_of(1), 20)
THIRD = Anchor(2, root_of(1), root_of(2), 0)


class Anchoring:
    def __init__(self) -> None:
        self.chain = LedgerChain()
        self.address = self.chain.deploy(ABI.creation(COALITION_ID))

    def signed(self, one: Anchor, *, key: keys.PrivateKey = AUDITOR, **other: Any) -> tuple[Any, ...]:
        """As the contract takes it; `domain` replaces parts of the domain, `signer` the named signer, `content` what is signed."""
        domain = {
            "name": "Splittally",
            "version": "1",
            "chainId": CHAIN_ID,
            "verifyingContract": "0x" + self.address.hex(),
            "salt": COALITION_ID,
        } | other.get("domain", {})
        types = {"Anchor": [{"name": name, "type": kind} for name, kind in FIELDS]}
        content = other.get("content", one).message()
        signature = other.get("signature") or bytes(Account.sign_typed_data(key.to_bytes(), domain, types, content).signature)
        signer = other.get("signer", address_of(key))
        return (signer, one.kind, one.subject, one.number, one.previous, one.root, one.count, signature)

    def send(self, *anchors: tuple[Any, ...]) -> Outcome:
        return self.chain.send(self.address, ABI.call("anchor", list(anchors)), sender=STRANGER)

    def anchor(self, *anchors: Anchor, key: keys.PrivateKey = AUDITOR) -> Outcome:
        return self.send(*(self.signed(one, key=key) for one in anchors))

    def refused(self, outcome: Outcome) -> tuple[str, tuple[Any, ...]]:
        assert not outcome.succeeded
        return ABI.error(outcome.output)

    def view(self, function: str, *arguments: Any) -> Any:
        outcome = self.chain.call(self.address, ABI.call(function, *arguments))
        assert outcome.succeeded
        return ABI.answer(function, outcome.output)

    def count(self, *, key: keys.PrivateKey = AUDITOR, kind: int = 1, subject: bytes = SUBJECT) -> int:
        return int(self.view("anchorCount", address_of(key), kind, subject))

    def at(self, number: int) -> tuple[bytes, int, int]:
        root, count, anchored_at = self.view("anchorOf", address_of(AUDITOR), 1, SUBJECT, number)
        return root, count, anchored_at

    def events(self, outcome: Outcome) -> list[Event]:
        return [ABI.event(topics, data) for _, topics, data in outcome.logs]


@pytest.fixture
def anchoring() -> Anchoring:
    return Anchoring()


def test_a_signed_root_is_anchored_by_whoever_relays_it(anchoring: Anchoring) -> None:
    outcome = anchoring.anchor(FIRST)
    assert outcome.succeeded
    assert anchoring.count() == 1
    assert anchoring.at(0) == (FIRST.root, FIRST.count, anchoring.chain.timestamp)
    (event,) = anchoring.events(outcome)
    signer = "0x" + address_of(AUDITOR).hex()
    assert (event.name, event.values) == ("RootAnchored", {"signer": signer} | FIRST.message())


def test_a_sequence_grows_by_one_number_after_the_other_each_naming_the_root_before(anchoring: Anchoring) -> None:
    assert anchoring.anchor(FIRST).succeeded
    assert anchoring.refused(anchoring.anchor(THIRD)) == ("AnchorOutOfTurn", (0, 1))
    assert anchoring.refused(anchoring.anchor(replace(SECOND, previous=root_of(7)))) == ("PreviousRootDiffers", (0, FIRST.root))
    assert anchoring.anchor(SECOND, THIRD).succeeded, "several of one sequence in one call"
    assert [anchoring.at(number)[:2] for number in range(3)] == [(one.root, one.count) for one in (FIRST, SECOND, THIRD)]


def test_the_first_root_has_none_before(anchoring: Anchoring) -> None:
    assert anchoring.refused(anchoring.anchor(replace(FIRST, previous=root_of(7)))) == ("PreviousRootDiffers", (0, NONE))


def test_the_same_root_again_is_passed_over_and_another_under_its_number_refused(anchoring: Anchoring) -> None:
    anchoring.anchor(FIRST)
    first_at = anchoring.at(0)
    outcome = anchoring.anchor(FIRST, SECOND)
    assert [event.values["number"] for event in anchoring.events(outcome)] == [1], "who relays first stops nobody"
    assert anchoring.refused(anchoring.anchor(replace(FIRST, root=root_of(9)))) == ("NumberTaken", (0,))
    assert anchoring.refused(anchoring.anchor(replace(FIRST, count=11))) == ("NumberTaken", (0,))
    assert anchoring.refused(anchoring.anchor(THIRD, replace(SECOND, count=3))) == ("NumberTaken", (1,))
    assert (anchoring.at(0), anchoring.count()) == (first_at, 2)


def test_a_signed_root_that_is_replayed_later_adds_nothing(anchoring: Anchoring) -> None:
    there_and_back = [FIRST, SECOND, Anchor(2, root_of(1), root_of(0)), Anchor(3, root_of(0), root_of(2))]
    anchoring.anchor(*there_and_back)
    replayed = anchoring.anchor(SECOND)
    assert replayed.succeeded
    assert (anchoring.events(replayed), anchoring.count()) == ([], 4)


def test_signers_kinds_and_subjects_have_sequences_of_their_own(anchoring: Anchoring) -> None:
    other_kind, other_subject = replace(FIRST, kind=65_535), replace(FIRST, subject=NONE)
    assert anchoring.send(
        anchoring.signed(FIRST),
        anchoring.signed(other_kind),
        anchoring.signed(other_subject),
        anchoring.signed(FIRST, key=STRANGER),
    ).succeeded
    counts = [anchoring.count(), anchoring.count(kind=65_535), anchoring.count(subject=NONE), anchoring.count(key=STRANGER)]
    assert counts == [1, 1, 1, 1]
    assert anchoring.count(kind=2) == 0


def test_a_root_of_zero_is_refused(anchoring: Anchoring) -> None:
    assert anchoring.refused(anchoring.anchor(FIRST, replace(SECOND, root=NONE))) == ("RootZero", (1,))


@pytest.mark.parametrize(
    "change",
    [{"number": 1}, {"previous": root_of(5)}, {"root": root_of(5)}, {"count": 11}, {"kind": 2}, {"subject": NONE}],
    ids=lambda change: next(iter(change)),
)
def test_every_word_is_signed(anchoring: Anchoring, change: dict[str, Any]) -> None:
    tampered = anchoring.signed(replace(FIRST, **change), content=FIRST)
    assert anchoring.refused(anchoring.send(tampered)) == ("AnchorSignatureInvalid", (0,))


@pytest.mark.parametrize(
    "domain",
    [{"chainId": CHAIN_ID + 1}, {"salt": b"\x01" * 32}, {"verifyingContract": "0x" + "11" * 20}],
    ids=lambda domain: next(iter(domain)),
)
def test_a_root_signed_for_another_domain_is_refused(anchoring: Anchoring, domain: dict[str, Any]) -> None:
    assert anchoring.refused(anchoring.send(anchoring.signed(FIRST, domain=domain)))[0] == "AnchorSignatureInvalid"


def test_nobody_anchors_in_anothers_name(anchoring: Anchoring) -> None:
    for signer in (address_of(STRANGER), bytes(20)):
        assert anchoring.refused(anchoring.send(anchoring.signed(FIRST, signer=signer)))[0] == "AnchorSignatureInvalid"


def test_a_signature_with_a_high_s_or_of_another_length_is_refused(anchoring: Anchoring) -> None:
    *_, good = anchoring.signed(FIRST)
    high = good[:32] + (SECP256K1_ORDER - int.from_bytes(good[32:64])).to_bytes(32) + bytes([55 - good[64]])
    for bad in (high, good[:64], good + b"\x00", bytes(65)):
        for signer in (address_of(AUDITOR), bytes(20)):
            refused = anchoring.refused(anchoring.send(anchoring.signed(FIRST, signature=bad, signer=signer)))
            assert refused == ("AnchorSignatureInvalid", (0,))


def test_one_bad_root_of_several_anchors_none(anchoring: Anchoring) -> None:
    bad = anchoring.signed(SECOND, key=STRANGER, signer=address_of(AUDITOR))
    assert anchoring.refused(anchoring.send(anchoring.signed(FIRST), bad)) == ("AnchorSignatureInvalid", (1,))
    assert anchoring.count() == 0


def test_as_many_as_one_call_takes_fit_a_transaction_and_more_or_none_are_refused(anchoring: Anchoring) -> None:
    # Of as many subjects: the dearest case, since every sequence is new.
    many = [anchoring.signed(replace(FIRST, subject=root_of(number))) for number in range(129)]
    assert anchoring.refused(anchoring.send(*many)) == ("AnchorsOutOfRange", (129,))
    assert anchoring.refused(anchoring.send()) == ("AnchorsOutOfRange", (0,))
    outcome = anchoring.send(*many[:128])
    assert outcome.succeeded
    assert outcome.gas_used < GAS_PER_TRANSACTION


def test_a_root_stands_where_a_proof_looks_for_it(anchoring: Anchoring) -> None:
    anchoring.anchor(FIRST, SECOND)
    (item,) = ABI.artifact["storageLayout"]["storage"]
    row = keccak(bytes(12) + address_of(AUDITOR) + int(item["slot"]).to_bytes(32))
    row = keccak((1).to_bytes(32) + row)
    sequence = keccak(SUBJECT + row)
    assert anchoring.chain.storage(anchoring.address, int.from_bytes(sequence)) == 2
    start = int.from_bytes(keccak(sequence)) + 2
    assert anchoring.chain.storage(anchoring.address, start).to_bytes(32) == SECOND.root
    assert anchoring.chain.storage(anchoring.address, start + 1) == SECOND.count | anchoring.chain.timestamp << 64
