"""The document of a rule: to the byte what a publisher signs, and good for one brand, version and ledger alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from gateway.loyalty.rule_document import RuleDocument
from gateway.values.errors import Invalid
from gateway.values.ids import Address, Hash
from tests.builders.publishers import DOMAIN, PUBLISHER, PUBLISHER_ADDRESS, STRANGER_ADDRESS, rule_signature

DOCUMENT = RuleDocument(1, 2, 5, 100, 1_490_000_000)
TEXT = '{"brand_id":1,"per_minor":100,"points":5,"valid_from":1490000000,"version":2}'


def test_the_document_is_canonical_json_and_read_back() -> None:
    assert DOCUMENT.text() == TEXT
    assert RuleDocument.parse(TEXT) == DOCUMENT
    assert RuleDocument.of(1, DOCUMENT.rule(7)) == DOCUMENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "1" * 5_000,
        "[" * 100_000,
        TEXT.replace(",", ", "),
        TEXT.replace('"points":5', '"points":5.0'),
        TEXT.replace('"points":5', '"points":true'),
        TEXT.replace('"points":5', '"points":-5'),
        TEXT.replace('"points":5', '"points":1000000001'),
        TEXT.replace('"per_minor":100', '"per_minor":0'),
        TEXT.replace('"version":2', '"version":0'),
        TEXT.replace('"version":2', '"version":2,"more":1'),
        json.dumps({"version": 2}),
    ],
)
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        RuleDocument.parse(text)


def test_a_wallet_that_signs_typed_data_gives_the_same_signature() -> None:
    message = {"brand": 1, "version": 2, "document": bytes(DOCUMENT.hash), "validFrom": 1_490_000_000}
    fields = [("brand", "uint32"), ("version", "uint64"), ("document", "bytes32"), ("validFrom", "uint40")]
    types = {"RuleVersion": [{"name": name, "type": kind} for name, kind in fields]}
    domain = {"name": "Splittally", "version": "1", "chainId": 7_951, "verifyingContract": str(DOMAIN.verifying_contract)}
    signable = encode_typed_data({**domain, "salt": bytes(DOMAIN.coalition_id)}, types, message)
    signed = Account.from_key(PUBLISHER.to_bytes()).sign_message(signable)
    assert bytes(signed.signature) == rule_signature(DOCUMENT)


@pytest.mark.parametrize("changed", ["brand_id", "version", "points", "per_minor", "valid_from"])
def test_a_signature_is_good_for_what_was_signed_alone(changed: str) -> None:
    signature, publisher = rule_signature(DOCUMENT), Address.parse(PUBLISHER_ADDRESS)
    assert DOCUMENT.is_signed_by(publisher, signature, DOMAIN)
    assert not DOCUMENT.is_signed_by(Address.parse(STRANGER_ADDRESS), signature, DOMAIN)
    assert not replace(DOCUMENT, **{changed: getattr(DOCUMENT, changed) + 1}).is_signed_by(publisher, signature, DOMAIN)
    for other in (replace(DOMAIN, chain_id=1), replace(DOMAIN, coalition_id=Hash(bytes(32)))):
        assert not DOCUMENT.is_signed_by(publisher, signature, other)
