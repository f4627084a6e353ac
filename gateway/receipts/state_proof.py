"""Asks the node for a sealed block, who sealed up to there, the headers up to what witnesses countersigned, and proofs of slots in it.

No unit of work is open meanwhile. Nothing that the node says is checked here but that it fits together: whoever reads the receipt checks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak

from gateway.chain.connection import METHOD_NOT_FOUND, Call, Chain, NodeRefused
from gateway.checkpoints.tables import CheckpointRow
from gateway.coalition.tables import CoalitionRow
from gateway.ledger.seals import SIGNATURE_BYTES, Handover, Sealers
from gateway.receipts.receipt import CoalitionEvidence, Countersigned, SealedBlock, SlotProof, StateProof
from gateway.receipts.witnessed import WitnessedBlock
from gateway.values.errors import NoSeal, Unavailable
from gateway.values.hex import from_int, hex_text, to_bytes, to_int
from gateway.values.ids import Address

SLOTS_IN_ONE_ASK = 500
_TIMESTAMP, _NUMBER = 11, 8


def sealers_of(chain: Chain) -> Sealers:
    """Up to the chain's head. Raises NoSeal on an engine that seals nothing."""
    first, *handed = _answers(chain, [("splittally_getSealers", ())])[0]
    handovers = (Handover(to_int(each["fromBlock"]), Address.parse(each["sealer"]), to_bytes(each["signature"])) for each in handed)
    return Sealers(Address.parse(first["sealer"]), tuple(handovers))


def prove(
    chain: Chain,
    coalition: CoalitionRow,
    witnessed: WitnessedBlock,
    slots: Sequence[int],
    sealers: Sealers,
    contract: Address | None = None,
) -> StateProof:
    """The slots in a block: of the points ledger, unless of another contract."""
    at, address = from_int(witnessed.number), hex_text(contract or coalition.points_address)
    keys = [hex_text(slot.to_bytes(32)) for slot in slots]
    asked: list[Call] = [
        ("splittally_getSeal", (at,)),
        ("splittally_getGenesis", ()),
        *(("debug_getRawHeader", (from_int(number),)) for number in (0, *range(witnessed.number, witnessed.last + 1))),
        *(
            ("eth_getProof", (address, keys[start : start + SLOTS_IN_ONE_ASK], at))
            for start in range(0, max(1, len(keys)), SLOTS_IN_ONE_ASK)
        ),
    ]
    seal, said, *rest = _answers(chain, asked)
    blocks = witnessed.last - witnessed.number + 1
    genesis, header, *links = (to_bytes(each) for each in rest[: 1 + blocks])
    proofs = rest[1 + blocks :]
    fields = rlp.decode(header)
    if to_bytes(seal["blockHash"]) != keccak(header):
        raise Unavailable(f"The node's seal is not for the header of block {witnessed.number}")
    return StateProof(
        CoalitionEvidence(
            coalition_id=coalition.coalition_id,
            genesis=json.dumps(said["config"], sort_keys=True, separators=(",", ":")),
            genesis_hash=keccak(genesis),
            genesis_header=genesis,
            points_address=coalition.points_address,
            sealer=to_bytes(seal["sealer"]),
            handovers=tuple(each for each in sealers.handovers if each.number <= witnessed.number),
        ),
        SealedBlock(
            number=int.from_bytes(fields[_NUMBER]),
            timestamp=int.from_bytes(fields[_TIMESTAMP]),
            hash=keccak(header),
            header=header,
            seal=to_bytes(seal["signature"])[:SIGNATURE_BYTES],
        ),
        _nodes(proofs[0]["accountProof"]),
        tuple(
            SlotProof(slot, to_int(found["value"]), _nodes(found["proof"]))
            for slot, found in zip(slots, (each for proof in proofs for each in proof["storageProof"]), strict=True)
        ),
        tuple(links),
        tuple(map(_countersigned, witnessed.checkpoints)),
    )


def _answers(chain: Chain, asked: Sequence[Call]) -> list[Any]:
    answers = chain.call_all(asked)
    for (method, _), answer in zip(asked, answers, strict=True):
        if isinstance(answer, NodeRefused):
            if method.startswith("splittally_") and answer.code == METHOD_NOT_FOUND:
                raise NoSeal("This engine's blocks carry no seal, and a receipt is checked against its block's seal")
            raise Unavailable(f"The node cannot prove this block: {method} answers {answer.message}")
    return answers


def _countersigned(row: CheckpointRow) -> Countersigned:
    return Countersigned(row.witness, row.number, row.witnessed_at, row.signature)


def _nodes(nodes: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(to_bytes(node) for node in nodes)
