"""Transfers between members: drafted for both to sign, carried by the calling brand, shown."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from gateway.api.brands import the_brand
from gateway.api.context import ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsBrand, AsReader, brand_of, check_reads_brand
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import AddressText, Body, LotIdText, PointsAsked, Proof, TransferIdPath, UnixSeconds, Whole
from gateway.coalition.rows import SqlCoalition
from gateway.ledger.entries import ConsentProof
from gateway.ledger.lots import Line, split_lot_id
from gateway.ledger.packed_fields import MAX_LINES
from gateway.members.rows import SqlMembers
from gateway.members.signed_consent import MAX_NONCE
from gateway.points.rows import SqlPoints, SqlTransfers
from gateway.points.transfer import MAX_TRANSFER_SECONDS, MIN_TRANSFER_SECONDS, TransferOffer, draft_transfer, transfer
from gateway.points.transfer_views import TransferView, find_transfer, transfer_line
from gateway.rounds.rows import SqlOperations
from gateway.rounds.views import OperationView, find_operation
from gateway.store.unit_of_work import UnitOfWork, new_operation_id
from gateway.values.errors import Invalid
from gateway.values.hex import to_bytes
from gateway.values.ids import LotId, MemberId, ReservationId

router = Router(prefix="/v1", tags=["transfers"])


class TransferQuoteBody(Body):
    """`brand_id`: only points of this issuer."""

    giver_id: AddressText
    taker_id: AddressText
    points: PointsAsked
    brand_id: Annotated[int, Field(strict=True, ge=1, lt=2**32)] | None = None
    valid_seconds: Annotated[int, Field(strict=True, ge=MIN_TRANSFER_SECONDS, le=MAX_TRANSFER_SECONDS)] = 3_600


class TransferQuoteLine(BaseModel):
    lot_id: str
    brand_id: int
    expiry_date: str | None
    points: int


class TransferQuoteView(BaseModel):
    """`typed_data` is what giver and taker both sign (eth_signTypedData_v4; a passkey's challenge is `transfer_id`). Hand it in with these
    lots, `nonce` and `deadline`.
    """

    transfer_id: str
    giver_id: str
    taker_id: str
    points: int
    lots: list[TransferQuoteLine]
    nonce: int
    deadline: int
    typed_data: dict[str, Any]


class TransferLineBody(Body):
    lot_id: LotIdText
    points: PointsAsked


class SideProofBody(Body):
    """proof_kind 1 = a key's 65 bytes, 3 = a passkey's assertion, in the form of a consent's."""

    proof_kind: Literal[1, 3]
    proof: Proof

    def stated(self) -> ConsentProof:
        return ConsentProof(self.proof_kind, to_bytes(self.proof))


class TransferBody(Body):
    """What `POST /v1/transfer-quotes` gave out, with the proofs of both sides. A transfer is good once."""

    giver_id: AddressText
    taker_id: AddressText
    lots: Annotated[list[TransferLineBody], Field(min_length=1, max_length=MAX_LINES)]
    nonce: Whole
    deadline: UnixSeconds
    giver_proof: SideProofBody
    taker_proof: SideProofBody

    def offer(self) -> TransferOffer:
        lines = tuple(_line(lot) for lot in self.lots)
        return TransferOffer(MemberId.parse(self.giver_id), MemberId.parse(self.taker_id), lines, self.nonce, self.deadline)


class TransferDoneView(BaseModel):
    transfer: TransferView
    operation: OperationView


@router.post("/transfer-quotes", responses=WRITES)
def create_transfer_quote(body: TransferQuoteBody, caller: AsBrand, context: ContextNeeded) -> TransferQuoteView:
    """Drafts a transfer for both members to sign. Nothing is stored or reserved, so no idempotency key is needed."""
    with context.reading() as work:
        facts = work.of(SqlCoalition).facts
        offer = draft_transfer(
            MemberId.parse(body.giver_id),
            MemberId.parse(body.taker_id),
            body.points,
            body.brand_id,
            carrier=the_brand(work, brand_of(caller)),
            coalition=facts,
            members=work.of(SqlMembers),
            points=work.of(SqlPoints),
            nonce=secrets.randbelow(MAX_NONCE + 1),
            deadline=work.now + body.valid_seconds,
            now=work.now,
        )
    return TransferQuoteView(
        transfer_id=str(offer.digest(facts.signing_domain)),
        giver_id=body.giver_id,
        taker_id=body.taker_id,
        points=offer.points,
        lots=[TransferQuoteLine(**_shown(line)) for line in offer.lines],
        nonce=offer.nonce,
        deadline=offer.deadline,
        typed_data=offer.typed_data(facts.signing_domain),
    )


@router.post("/transfers", status_code=201, responses={202: {"model": TransferDoneView}, **WRITES})
def create_transfer(body: TransferBody, caller: AsBrand, write: WriteNeeded) -> TransferDoneView:
    """Moves points from one member to another, lot by lot as both have signed; the calling brand carries it."""

    def act(work: UnitOfWork) -> str:
        return transfer(
            body.offer(),
            body.giver_proof.stated(),
            body.taker_proof.stated(),
            carrier=the_brand(work, brand_of(caller)),
            coalition=work.of(SqlCoalition).facts,
            members=work.of(SqlMembers),
            points=work.of(SqlPoints),
            transfers=work.of(SqlTransfers),
            operations=work.of(SqlOperations),
            operation_id=new_operation_id(),
            now=work.now,
        )

    operation_id = write.once(caller, "operation", body.content(), act)
    write.await_ledger([operation_id])
    with write.context.database.read() as session:
        operation = find_operation(session, operation_id)
        assert operation.reservation_id is not None
        return TransferDoneView(transfer=find_transfer(session, ReservationId.parse(operation.reservation_id)), operation=operation)


@router.get("/transfers/{transfer_id}", responses=READS)
def get_transfer(transfer_id: TransferIdPath, caller: AsReader, context: ContextNeeded) -> TransferView:
    """A transfer that the calling brand carried."""
    with context.reading() as work:
        found = find_transfer(work.session, ReservationId.parse(transfer_id))
    check_reads_brand(caller, found.brand_id)
    return found


def _line(lot: TransferLineBody) -> Line:
    try:
        return Line(*split_lot_id(LotId(int(lot.lot_id))), lot.points)
    except ValueError as wrong:
        raise Invalid(str(wrong), field="lots.lot_id") from wrong


def _shown(line: Line) -> dict[str, Any]:
    shown = transfer_line(line)
    return {"lot_id": shown.lot_id, "brand_id": shown.brand_id, "expiry_date": shown.expiry_date, "points": shown.points}
