"""Transfers in rows and in what signers are told: lines as lot ids and points, since lot ids exceed what JSON numbers hold everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.ledger.entries import ConsentProof
from gateway.ledger.lots import Line, split_lot_id
from gateway.rounds.lot_operation import TransferOperation
from gateway.values.hex import hex_text, to_bytes
from gateway.values.ids import LotId, MemberId, OperationId, ReservationId
from gateway.values.points import Points


def transfer_body(operation: TransferOperation) -> dict[str, Any]:
    return {
        "taker_id": str(operation.taker_id),
        "points": operation.points,
        "lines": [{"lot_id": str(line.lot_id), "points": line.points} for line in operation.lines],
        "nonce": operation.nonce,
        "deadline": operation.deadline,
        "giver_proof": _shown(operation.giver_proof),
        "taker_proof": _shown(operation.taker_proof),
    }


def transfer_of(
    operation_id: OperationId, brand_id: int, giver: MemberId, reservation_id: ReservationId, body: Mapping[str, Any]
) -> TransferOperation:
    lines = tuple(Line(*split_lot_id(LotId(int(line["lot_id"]))), Points(line["points"])) for line in body["lines"])
    proofs = _proof(body["giver_proof"]), _proof(body["taker_proof"])
    taker = MemberId.parse(body["taker_id"])
    return TransferOperation(operation_id, brand_id, giver, taker, reservation_id, lines, body["nonce"], body["deadline"], *proofs)


def _shown(proof: ConsentProof) -> dict[str, Any]:
    return {"proof_kind": proof.kind, "proof": hex_text(proof.proof)}


def _proof(shown: Mapping[str, Any]) -> ConsentProof:
    return ConsentProof(shown["proof_kind"], to_bytes(shown["proof"]))
