"""A brand's owner stops the act that replaces the owner: a signature, relayed to the ledger whatever the operator thinks of it."""

from __future__ import annotations

from gateway.coalition.coalition import Coalition
from gateway.governance.ports import PendingActs
from gateway.ledger.governance import veto_digest
from gateway.ledger.governing import VetoActOperation
from gateway.ledger.recover import recover_address
from gateway.rounds.ports import Operations
from gateway.values.errors import Invalid, NotFound
from gateway.values.ids import Address, OperationId


def veto_act(
    vetoed: OperationId,
    signature: bytes,
    *,
    coalition: Coalition,
    acts: PendingActs,
    operations: Operations,
    operation_id: OperationId,
    now: int,
) -> Address:
    """The owner who vetoes."""
    act = acts.find(vetoed)
    if act is None or act.ready_at is None:
        raise NotFound(f"no act of governance with the operation id {vetoed} waits on the ledger", operation_id=vetoed)
    if act.replaces_owner_of is None:
        raise Invalid("an owner vetoes the act that replaces the owner, no other: ask the guardian to cancel this one")
    brand_id, owner = act.replaces_owner_of
    if owner is None or recover_address(veto_digest(coalition.governance_domain, act.act_id, brand_id), signature) != owner:
        raise Invalid(f"the signature is not by the owner of brand {brand_id}: sign the veto with its owner's key", field="signature")
    operations.accept(VetoActOperation(operation_id, brand_id, act.target, act.data, act.salt, signature), now)
    return owner
