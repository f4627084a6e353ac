"""Good requests for what a member's wallet signs: a member's who has a second authorizer, a guardian and acts that wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
    member_act_digest,
)
from gateway.ledger.members import member_id
from gateway.ledger.signing import Domain
from gateway.projection.member_tables import LedgerMemberRow, LedgerPendingActRow
from gateway.values.ids import Address, Hash
from tests.builders.ledger_chain import address_of, key_of
from tests.builders.member_acts import authorizer_of, id_of, proof_of
from tests.builders.offline_coalition import COALITION_ID, START, OfflineCoalition

FIRST = key_of("a member's first phone")
SECOND, GUARDIAN = key_of("second phone"), key_of("sister")
LATER = START + 3_600
MEMBER_WRITES = {
    "authorizer change": "authorizer-changes",
    "grant": "grants",
    "spend lock": "spend-locks",
    "unlock": "unlocks",
    "removal": "removals",
    "guardian": "guardians",
    "recovery": "recoveries",
    "veto": "vetoes",
    "execution": "executions",
}
MEMBER = member_id(Hash.parse(COALITION_ID), 1, address_of(FIRST), (99).to_bytes(32))
MEMBER_ID = str(MEMBER)


def prepare_member(coalition: OfflineCoalition) -> None:
    """A locked member with two keys and a guardian, for whom two unlocks wait."""
    for key in (FIRST, SECOND):
        coalition.put_authorizer(MEMBER_ID, 1, key)
    kind, guardian = authorizer_of(GUARDIAN)
    values = {"acts": 0, "turn": 0, "epoch": 0, "is_locked": True, "guardian_kind": kind, "guardian": guardian}
    with coalition.database.write() as session:
        session.add(LedgerMemberRow(member_id=MEMBER, **values))
        for later in (0, 1):
            act_id, terms = _waiting(coalition, later), {"what": 0, "kind": 0, "authorizer": b"", "nonce": "0"}
            session.add(
                LedgerPendingActRow(act_id=act_id, member_id=MEMBER, deadline=LATER + 100 + later, ready_at=START - 10, turn=0, **terms)
            )


def member_write(coalition: OfflineCoalition, name: str, later: int) -> dict[str, Any]:
    """The body; `later` makes another one."""
    deadline = LATER + later
    if name == "execution":
        return {"act_id": str(_waiting(coalition, later))}
    if name == "veto":
        act_id = _waiting(coalition, later)
        return {"act_id": str(act_id), **_proof(coalition, Veto(MEMBER, act_id))}
    limits = {"brand_id": 1, "per_purchase": 0, "per_day": 1, "in_all": 1, "until": LATER}
    fresh = key_of("new phone")
    acts: dict[str, tuple[Any, dict[str, Any]]] = {
        "authorizer change": (AuthorizerChange(MEMBER, 0, b"", id_of(FIRST), 0, LATER), {"remove_id": str(id_of(FIRST))}),
        "grant": (Grant(MEMBER, grant_to_brand(1), 0, 1, 1, LATER, 0, LATER), limits),
        "spend lock": (SpendLock(MEMBER, 0, LATER), {}),
        "unlock": (Unlock(MEMBER, 0, LATER), {}),
        "removal": (RemoveAuthorizer(MEMBER, *authorizer_of(SECOND), 0, LATER), {"authorizer": _named(SECOND)}),
        "guardian": (SetGuardian(MEMBER, 0, b"", 0, LATER), {}),
        "recovery": (Recovery(MEMBER, *authorizer_of(fresh), 0, LATER), {"authorizer": _named(fresh)}),
    }
    act, body = acts[name]
    act = replace(act, deadline=deadline)
    return {**body, "nonce": 0, "deadline": deadline, **_proof(coalition, act)}


def _waiting(coalition: OfflineCoalition, later: int) -> Hash:
    return member_act_digest(_domain(coalition), Unlock(MEMBER, 0, LATER + 100 + later))


def _proof(coalition: OfflineCoalition, act: MemberAct) -> dict[str, Any]:
    kind, proof = proof_of(GUARDIAN if isinstance(act, Recovery) else FIRST, member_act_digest(_domain(coalition), act))
    return {"proof_kind": kind, "proof": "0x" + proof.hex()}


def _domain(coalition: OfflineCoalition) -> Domain:
    facts = coalition.get("operator", "/v1/coalition").json()
    return Domain(facts["chain_id"], Address.parse(facts["members_address"]), Hash.parse(facts["coalition_id"]))


def _named(key: Any) -> dict[str, Any]:
    kind, authorizer = authorizer_of(key)
    return {"kind": kind, "authorizer": "0x" + authorizer.hex()}
