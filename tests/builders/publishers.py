"""A brand's publisher: the key that signs its rules, and what it signs for brand 1 of an offline coalition."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from eth_keys.datatypes import PrivateKey

from gateway.ledger.signing import Domain
from gateway.loyalty.rule_document import RuleDocument
from gateway.values.ids import Address, Hash
from tests.builders.offline_coalition import COALITION_ID, POINTS_ADDRESS

PUBLISHER = PrivateKey((8_001).to_bytes(32))
STRANGER = PrivateKey((8_002).to_bytes(32))
PUBLISHER_ADDRESS = PUBLISHER.public_key.to_address()
STRANGER_ADDRESS = STRANGER.public_key.to_address()
DOMAIN = Domain(7_951, Address.parse(POINTS_ADDRESS), Hash.parse(COALITION_ID))


def rule_signature(document: RuleDocument, key: PrivateKey = PUBLISHER, domain: Domain = DOMAIN) -> bytes:
    """The 65 bytes r, s, v."""
    made = key.sign_msg_hash(document.digest(domain))
    return bytes(made.r.to_bytes(32) + made.s.to_bytes(32) + bytes([27 + made.v]))


def signed_rule(version: int, points: int, valid_from: int = 0, key: PrivateKey = PUBLISHER) -> dict[str, Any]:
    """The body that publishes `points` for every 100 minor units."""
    document = RuleDocument(1, version, points, 100, valid_from)
    begins = datetime.fromtimestamp(valid_from, UTC).isoformat() if valid_from else None
    signature = "0x" + rule_signature(document, key).hex()
    return {"points": points, "per_minor": 100, "valid_from": begins, "version": version, "signature": signature}


def hash_of(body: dict[str, Any], valid_from: int = 0) -> str:
    return str(RuleDocument(1, body["version"], body["points"], body["per_minor"], valid_from).hash)
