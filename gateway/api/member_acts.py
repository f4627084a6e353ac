"""What members do for themselves: their wallets sign, the gateway relays. Nobody else changes anything of a member."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from gateway.access.api_key import Caller
from gateway.api.brands import show_operation
from gateway.api.context import ContextNeeded
from gateway.api.idempotency import Write, WriteNeeded
from gateway.api.permissions import AsOperatorOrBrand, AsReader
from gateway.api.problems import READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import AddressText, Body, MemberIdPath, Proof, UnixSeconds, Whole, Word32
from gateway.coalition.rows import SqlCoalition
from gateway.ledger.member_acts import (
    AuthorizerChange,
    Grant,
    MemberAct,
    Recovery,
    RemoveAuthorizer,
    SetGuardian,
    SpendLock,
    Unlock,
    Veto,
    grant_to_brand,
    grant_to_member,
)
from gateway.ledger.passkeys import MAX_ORIGIN_LENGTH, authorizer_refusal
from gateway.members.act_for_member import execute_act, relay_act
from gateway.members.views import StandingView, member_record, member_standing
from gateway.rounds.rows import SqlOperations
from gateway.rounds.views import OperationView
from gateway.store.unit_of_work import UnitOfWork, new_operation_id
from gateway.values.errors import Invalid
from gateway.values.hex import to_bytes
from gateway.values.ids import Hash, MemberId

router = Router(prefix="/v1/members", tags=["members"])

AuthorizerText = Annotated[
    str, StringConstraints(pattern=rf"^0x([0-9a-fA-F]{{2}}){{20,{96 + MAX_ORIGIN_LENGTH}}}$"), AfterValidator(str.lower)
]


class ProofBody(Body):
    """`proof_kind` 1 = a key, 2 = a claim key, 3 = a passkey; `proof` in the form of a consent's, over the act in the ledger's format."""

    proof_kind: Literal[1, 2, 3]
    proof: Proof


class InTurnBody(ProofBody):
    """`nonce` is the next one that the member's standing names."""

    nonce: Whole
    deadline: UnixSeconds


class NamedAuthorizerBody(Body):
    """kind 1 = a key's 20-byte address, 3 = a passkey as the ledger's format has it."""

    kind: Literal[1, 3]
    authorizer: AuthorizerText

    def named(self) -> tuple[int, bytes]:
        """What can never prove anything is not taken."""
        authorizer = to_bytes(self.authorizer)
        if self.kind == 3:
            refusal = authorizer_refusal(authorizer)
            if refusal is not None:
                raise Invalid("a passkey is a point of P-256, a relying party and an origin as browsers write it", reason=refusal.value)
        elif len(authorizer) != 20:
            raise Invalid("a key is named by its 20-byte address", field="authorizer")
        return self.kind, authorizer


class AuthorizerChangeBody(InTurnBody):
    """Adds an authorizer and, or, takes the signer's own out: `remove_id` is its id."""

    add: NamedAuthorizerBody | None = None
    remove_id: Word32 | None = None


class GrantBody(InTurnBody):
    """To a brand or to another member; `per_purchase` 0 withdraws. `until` is its last second."""

    brand_id: Annotated[int, Field(strict=True, ge=1, lt=2**32)] | None = None
    member_id: AddressText | None = None
    per_purchase: Whole
    per_day: Whole
    in_all: Whole
    until: UnixSeconds


class OfAuthorizerBody(InTurnBody):
    authorizer: NamedAuthorizerBody


class GuardianBody(InTurnBody):
    """No `guardian`: none any more."""

    guardian: NamedAuthorizerBody | None = None


class VetoBody(ProofBody):
    act_id: Word32


class ExecutionBody(Body):
    act_id: Word32


@router.get("/{member_id}/standing", responses=READS)
def get_member_standing(member_id: MemberIdPath, _caller: AsReader, context: ContextNeeded) -> StandingView:
    """Who acts for the member, its lock and guardian, what waits and from when it may be carried out, and what its grants still allow."""
    with context.reading() as work:
        offset = work.of(SqlCoalition).facts.utc_offset_seconds
        return member_standing(work.session, MemberId.parse(member_id), offset, work.now)


@router.post("/{member_id}/authorizer-changes", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def create_authorizer_change(
    member_id: MemberIdPath, body: AuthorizerChangeBody, caller: AsOperatorOrBrand, write: WriteNeeded
) -> OperationView:
    """Adds an authorizer at once, or takes the signer out. Another authorizer is removed by a removal, which waits."""
    add = (0, b"") if body.add is None else body.add.named()
    remove_id = Hash(bytes(32)) if body.remove_id is None else Hash.parse(body.remove_id)
    return _relay(write, caller, body, AuthorizerChange(MemberId.parse(member_id), *add, remove_id, body.nonce, body.deadline))


@router.post("/{member_id}/grants", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def create_grant(member_id: MemberIdPath, body: GrantBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> OperationView:
    """Lets a brand or another member spend the member's points within limits, in place of what was granted to it before."""
    if (body.brand_id is None) == (body.member_id is None):
        raise Invalid("a grant is to a brand or to another member: send one of brand_id and member_id", field="brand_id")
    to = grant_to_member(MemberId.parse(body.member_id)) if body.member_id else grant_to_brand(body.brand_id or 0)
    limits = body.per_purchase, body.per_day, body.in_all, body.until
    return _relay(write, caller, body, Grant(MemberId.parse(member_id), to, *limits, body.nonce, body.deadline))


@router.post("/{member_id}/spend-locks", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def create_spend_lock(member_id: MemberIdPath, body: InTurnBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> OperationView:
    """Stops all spending of the member's points at once, at every brand. Its nonce is the member's turn."""
    return _relay(write, caller, body, SpendLock(MemberId.parse(member_id), body.nonce, body.deadline))


@router.post("/{member_id}/unlocks", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def create_unlock(member_id: MemberIdPath, body: InTurnBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> OperationView:
    """Requests that the spend lock ends: it waits, and may be vetoed."""
    return _relay(write, caller, body, Unlock(MemberId.parse(member_id), body.nonce, body.deadline))


@router.post("/{member_id}/removals", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def create_removal(member_id: MemberIdPath, body: OfAuthorizerBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> OperationView:
    """Requests that another authorizer is removed: it waits, and may be vetoed."""
    act = RemoveAuthorizer(MemberId.parse(member_id), *body.authorizer.named(), body.nonce, body.deadline)
    return _relay(write, caller, body, act)


@router.post("/{member_id}/guardians", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def create_guardian(member_id: MemberIdPath, body: GuardianBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> OperationView:
    """Names a first guardian at once; another one, or none, by an act that waits."""
    guardian = (0, b"") if body.guardian is None else body.guardian.named()
    return _relay(write, caller, body, SetGuardian(MemberId.parse(member_id), *guardian, body.nonce, body.deadline))


@router.post("/{member_id}/recoveries", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def create_recovery(member_id: MemberIdPath, body: OfAuthorizerBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> OperationView:
    """The guardian's: requests a new authorizer in place of all. It waits, and may be vetoed."""
    return _relay(write, caller, body, Recovery(MemberId.parse(member_id), *body.authorizer.named(), body.nonce, body.deadline))


@router.post("/{member_id}/vetoes", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def create_veto(member_id: MemberIdPath, body: VetoBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> OperationView:
    """Stops an act that waits, by any authorizer of the member or its guardian."""
    return _relay(write, caller, body, Veto(MemberId.parse(member_id), Hash.parse(body.act_id)))


@router.post("/{member_id}/executions", status_code=201, responses={202: {"model": OperationView}, **WRITES})
def create_execution(member_id: MemberIdPath, body: ExecutionBody, caller: AsOperatorOrBrand, write: WriteNeeded) -> OperationView:
    """Carries out an act whose delay is over and that nobody vetoed. No signature is needed."""
    member = MemberId.parse(member_id)

    def accept(work: UnitOfWork) -> str:
        operation_id = new_operation_id()
        execute_act(
            Hash.parse(body.act_id),
            member,
            member_record(work.session, member),
            coalition=work.of(SqlCoalition).facts,
            operations=work.of(SqlOperations),
            operation_id=operation_id,
            now=work.now,
        )
        return operation_id

    return show_operation(write, write.once(caller, "operation", body.content(), accept))


def _relay(write: Write, caller: Caller, body: ProofBody, act: MemberAct) -> OperationView:
    def accept(work: UnitOfWork) -> str:
        operation_id = new_operation_id()
        relay_act(
            act,
            body.proof_kind,
            to_bytes(body.proof),
            member_record(work.session, act.member),
            coalition=work.of(SqlCoalition).facts,
            operations=work.of(SqlOperations),
            operation_id=operation_id,
            now=work.now,
        )
        return operation_id

    return show_operation(write, write.once(caller, "operation", body.content(), accept))
