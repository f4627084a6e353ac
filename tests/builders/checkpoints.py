"""Checkpoints by throwaway witnesses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.brand_signer.key import Key
from gateway.ledger.checkpoints import Checkpoint
from gateway.values.hex import hex_text
from gateway.values.ids import Hash
from tests.builders.offline_coalition import START

ANN, BOB, EVE = (Key(bytes([number]) * 32) for number in (0xA1, 0xB2, 0xE3))


def countersigned(witness: Key = ANN, **fields: Any) -> Checkpoint:
    """Of the offline coalition's first block unless other fields are given; signed by `witness`."""
    known: dict[str, Any] = {
        "genesis_hash": Hash(bytes(32)),
        "number": 1,
        "block_hash": Hash(b"\x01" * 32),
        "block_time": START,
        "witnessed_at": START,
    }
    unsigned = Checkpoint(**{**known, **fields}, witness=witness.address, signature=b"")
    signature = witness.sign(unsigned.digest)
    return replace(unsigned, signature=signature[:64] + bytes([signature[64] - 27]))


def checkpoint_body(witness: Key = ANN, **fields: Any) -> dict[str, Any]:
    """As a witness brings it to the API."""
    signed = countersigned(witness, **fields)
    return {
        "number": signed.number,
        "block_hash": str(signed.block_hash),
        "block_time": signed.block_time,
        "witnessed_at": signed.witnessed_at,
        "witness": str(signed.witness),
        "signature": hex_text(signed.signature),
    }
