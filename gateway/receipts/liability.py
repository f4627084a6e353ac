"""Statements of a brand's total liability: drafted from the proven state, signed by the brand's owner, and shown to be anchored.

The document is one JSON file for anyone to check with scripts/verify_liability.py (docs/liability.md).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from gateway.chain.anchored import AnchorSequence
from gateway.chain.artifacts import brands, points_ledger
from gateway.chain.connection import Chain
from gateway.coalition.tables import CoalitionRow
from gateway.ledger.anchors import Anchor, AnchorKind, anchor_digest, anchor_slots, anchor_typed_data, brand_subject
from gateway.ledger.liability import Coverage, LiabilityStatement
from gateway.ledger.lots import split_lot_id
from gateway.ledger.positions import ledger_position
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import Domain
from gateway.ledger.slots import outstanding_slot
from gateway.projection.tables import LedgerBlockRow, LedgerMovementRow
from gateway.receipts.prove import coalition_row
from gateway.receipts.receipt import StateProof, evidence, nodes_as_json, word_as_json
from gateway.receipts.state_proof import prove, sealers_of
from gateway.receipts.witnessed import WitnessedBlock
from gateway.store.session import Database
from gateway.values.errors import Invalid, NotFound, TooLarge, Unavailable, WrongState
from gateway.values.hex import BadHex, hex_text
from gateway.values.ids import Address, Hash, LotId

STATEMENT_FORMAT = "splittally-liability/1"
MAX_STATED_LOTS = 1_000
Document = dict[str, Any]


def draft_statement(database: Database, chain: Chain, brand_id: int, block_number: int | None, coverage: Coverage | None) -> Document:
    """Unsigned, at a block (default: the last one projected), for the owner whom the brand has now."""
    with database.read() as session:
        coalition = coalition_row(session)
        head = session.scalar(select(func.max(LedgerBlockRow.number)))
        if head is None or (block_number is not None and not 0 <= block_number <= head):
            raise NotFound(f"Block {block_number} is not known here; the last one is {head}", head=head)
        at = head if block_number is None else block_number
        of_brand = LedgerMovementRow.lot_id.between(brand_id << 32, (brand_id << 32) + 2**32 - 1)
        moved = select(LedgerMovementRow.lot_id).where(of_brand, LedgerMovementRow.position < ledger_position(at + 1))
        lots = sorted(session.scalars(moved.distinct()))
    if len(lots) > MAX_STATED_LOTS:
        raise TooLarge(f"{len(lots)} lots do not fit a statement; state a later block, at which more of them have expired")
    ledger = points_ledger()
    slots = [outstanding_slot(ledger.storage_slot("outstandingOfLot"), lot) for lot in lots]
    slots.insert(0, outstanding_slot(ledger.storage_slot("outstanding"), brand_id))
    state = prove(chain, coalition, WitnessedBlock(at, ()), slots, sealers_of(chain))
    owner = _owner(chain, coalition, brand_id)
    return _document(chain, coalition, state, owner, brand_id, lots, coverage)


def signed_statement(chain: Chain, coalition: CoalitionRow, document: Document, signature: bytes) -> Document:
    """With the signature of the brand's owner, which is checked."""
    signer = Address.parse(document["anchor"]["signer"])
    recovered = recover_address(anchor_digest(anchors_domain(coalition), anchor_of(document)), signature)
    if recovered != signer:
        raise Invalid(f"The signature is not by {signer}, the brand's owner: sign the typed data of this draft with the owner's key")
    if _owner(chain, coalition, document["liability"]["brand"]) != signer:
        raise WrongState("The brand has another owner by now: draft the statement anew")
    return {**document, "anchor": {**document["anchor"], "signature": hex_text(signature)}}


def is_anchored(chain: Chain, coalition: CoalitionRow, document: Document) -> bool:
    """Whether this very statement stands in the owner's sequence; WrongState if another has its number."""
    anchor, signer = anchor_of(document), Address.parse(document["anchor"]["signer"])
    sequence = _sequence(chain, coalition, signer, anchor.subject)
    if sequence.length() <= anchor.number:
        return False
    if sequence.at(anchor.number).root != anchor.root:
        raise WrongState(f"Another statement is anchored as number {anchor.number}: draft this one anew")
    return True


def with_anchoring(chain: Chain, coalition: CoalitionRow, document: Document) -> Document:
    """With the proof, at the chain's head, that the statement is anchored and how many there are."""
    anchor, signer = anchor_of(document), Address.parse(document["anchor"]["signer"])
    slots = anchor_slots(signer, anchor.kind, anchor.subject, anchor.number)
    head = WitnessedBlock(chain.head_number(), ())
    state = prove(chain, coalition, head, slots, sealers_of(chain), coalition.anchors_address)
    return {**document, "anchoring": anchoring_as_json(state)}


def anchoring_as_json(state: StateProof) -> Document:
    """Its block may be sealed by a later key than the statement's."""
    shown = evidence(state)
    sealed_by = {name: shown["coalition"][name] for name in ("sealer", "handovers")}
    proofs = [nodes_as_json(each.nodes) for each in state.slots]
    return {**sealed_by, "block": shown["block"], "account_proof": shown["account_proof"], "proofs": proofs}


def statement_typed_data(coalition: CoalitionRow, document: Document) -> dict[str, Any]:
    """What the owner's wallet signs."""
    return anchor_typed_data(anchors_domain(coalition), anchor_of(document))


def anchors_domain(coalition: CoalitionRow) -> Domain:
    return Domain(coalition.chain_id, coalition.anchors_address, coalition.coalition_id)


def anchor_of(document: Document) -> Anchor:
    """What the document says is anchored. Raises Invalid for one of another form."""
    try:
        if document["format"] != STATEMENT_FORMAT:
            raise Invalid(f"This is no statement of the format {STATEMENT_FORMAT}: draft one with `splittally liability draft`")
        stated = document["anchor"]
        previous, root = Hash.parse(stated["previous"]), Hash.parse(stated["root"])
        brand, number, count = int(document["liability"]["brand"]), int(stated["number"]), int(stated["count"])
        return Anchor(AnchorKind.LIABILITY, brand_subject(brand), number, previous, root, count)
    except (BadHex, LookupError, TypeError, ValueError, OverflowError) as error:
        raise Invalid("This is no statement of liability: draft one with `splittally liability draft`") from error


def _document(
    chain: Chain,
    coalition: CoalitionRow,
    state: StateProof,
    owner: Address,
    brand_id: int,
    lots: list[LotId],
    coverage: Coverage | None,
) -> Document:
    total, *of_lots = state.slots
    held = [(split_lot_id(lot)[1], proof) for lot, proof in zip(lots, of_lots, strict=True) if proof.word]
    block = state.block
    statement = LiabilityStatement(brand_id, block.number, Hash(block.hash), tuple((day, each.word) for day, each in held), coverage)
    if statement.total != total.word:
        raise Unavailable(
            f"The ledger has {total.word} points of brand {brand_id} outstanding, the projection knows lots of {statement.total}: "
            "run `splittally rebuild`, then draft again"
        )
    sequence = _sequence(chain, coalition, owner, brand_subject(brand_id))
    number = sequence.length()
    previous = sequence.at(number - 1).root if number else Hash(bytes(32))
    anchor = statement.anchor(number, previous)
    stated = coverage and {"amount_minor": coverage.amount_minor, "currency": coverage.currency, "source": str(coverage.source)}
    return {
        "format": STATEMENT_FORMAT,
        **evidence(state),
        "liability": {
            "brand": brand_id,
            "total": statement.total,
            "slot": word_as_json(total.slot),
            "proof": nodes_as_json(total.nodes),
            "lots": [
                {"lot_expiry_day": day, "outstanding": each.word, "slot": word_as_json(each.slot), "proof": nodes_as_json(each.nodes)}
                for day, each in held
            ],
            "coverage": stated,
        },
        "anchor": {
            "chain_id": coalition.chain_id,
            "anchors_address": str(coalition.anchors_address),
            "signer": str(owner),
            "number": anchor.number,
            "previous": str(anchor.previous),
            "root": str(anchor.root),
            "count": anchor.count,
            "signature": None,
        },
        "anchoring": None,
    }


def _owner(chain: Chain, coalition: CoalitionRow, brand_id: int) -> Address:
    (found,) = brands().returned("brandOwner", chain.eth_call(coalition.brands_address, brands().call("brandOwner", brand_id)))
    owner = Address.parse(found)
    if not any(owner):
        raise NotFound(f"There is no brand {brand_id} on the ledger")
    return owner


def _sequence(chain: Chain, coalition: CoalitionRow, signer: Address, subject: Hash) -> AnchorSequence:
    return AnchorSequence(chain, coalition.anchors_address, signer, AnchorKind.LIABILITY, subject)
