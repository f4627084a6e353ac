"""Members' acts over HTTP: relayed if the ledger would take them, refused with its own reason and no trace otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

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
    member_act_digest,
)
from gateway.ledger.members import authorizer_id
from gateway.ledger.signing import Domain
from gateway.members.act_refusals import MEMBER_ACT_REFUSALS
from gateway.projection.member_tables import LedgerGrantRow, LedgerMemberRow, LedgerPendingActRow
from gateway.rounds.member_operation import MemberActOperation
from gateway.rounds.operation_codec import operation_of
from gateway.rounds.tables import OperationRow
from gateway.values.calendar import local_day
from gateway.values.ids import Hash, MemberId
from tests.builders.ledger_chain import address_of, key_of
from tests.builders.member_acts import Signer, authorizer_of, proof_of
from tests.builders.offline_coalition import START, OfflineCoalition
from tests.builders.passkeys import SoftwareAuthenticator

LATER = START + 3_600
TABLET, GUARDIAN = SoftwareAuthenticator("ann's tablet"), key_of("ann's guardian")


class Ann:
    """A member on the ledger with a key, and what her wallet signs."""

    def __init__(self, coalition: OfflineCoalition) -> None:
        coalition.brand(1)
        shopper = coalition.shopper()
        self.coalition, self.key = coalition, shopper.key
        self.member = MemberId.parse(shopper.member_id)
        facts = coalition.get("operator", "/v1/coalition").json()
        members, coalition_id = (bytes.fromhex(facts[name][2:]) for name in ("members_address", "coalition_id"))
        self.domain = Domain(facts["chain_id"], members, coalition_id)  # type: ignore[arg-type]

    def stands(self, **other: Any) -> None:
        """What the follower writes of her acts."""
        values = {"acts": 0, "turn": 0, "epoch": 0, "is_locked": False, "guardian_kind": 0, "guardian": b"", **other}
        with self.coalition.database.write() as session:
            session.merge(LedgerMemberRow(member_id=self.member, **values))

    def waits(self, act: Unlock, ready_at: int, turn: int = 0) -> str:
        act_id = member_act_digest(self.domain, act)
        values = {"what": 0, "kind": 0, "authorizer": b"", "nonce": str(act.nonce), "deadline": act.deadline, "turn": turn}
        with self.coalition.database.write() as session:
            session.add(LedgerPendingActRow(act_id=act_id, member_id=self.member, ready_at=ready_at, **values))
        return str(act_id)

    def send(self, path: str, act: MemberAct, by: Signer | None = None, kind: int | None = None, **body: Any) -> Any:
        proof_kind, proof = proof_of(by or self.key, member_act_digest(self.domain, act), kind)
        named = {} if isinstance(act, Veto) else {"nonce": act.nonce, "deadline": act.deadline}
        sent = {**named, "proof_kind": proof_kind, "proof": "0x" + proof.hex(), **body}
        return self.coalition.post("brand:1", f"/v1/members/{self.member}/{path}", sent)

    def standing(self) -> Any:
        return self.coalition.get("brand:1", f"/v1/members/{self.member}/standing").json()

    def accepted(self) -> MemberAct:
        """The act of the operation that was accepted last."""
        with self.coalition.database.read() as session:
            row = session.scalars(select(OperationRow).order_by(OperationRow.sequence.desc())).first()
        assert row is not None
        operation = operation_of(row)
        assert isinstance(operation, MemberActOperation)
        return operation.act


@pytest.fixture
def ann(coalition: OfflineCoalition) -> Ann:
    return Ann(coalition)


def named(signer: Signer) -> dict[str, Any]:
    kind, authorizer = authorizer_of(signer)
    return {"kind": kind, "authorizer": "0x" + authorizer.hex()}


def test_each_act_is_relayed_as_it_was_signed(ann: Ann) -> None:
    other = MemberId(address_of(key_of("bob")))
    limits = {"per_purchase": 10, "per_day": 20, "in_all": 30, "until": LATER}
    hers = authorizer_id(*authorizer_of(ann.key))
    change = AuthorizerChange(ann.member, *authorizer_of(TABLET), hers, 0, LATER)
    sent: list[tuple[str, MemberAct, dict[str, Any]]] = [
        ("authorizer-changes", change, {"add": named(TABLET), "remove_id": str(hers)}),
        ("grants", Grant(ann.member, grant_to_brand(1), 10, 20, 30, LATER, 0, LATER), {"brand_id": 1, **limits}),
        ("grants", Grant(ann.member, grant_to_member(other), 10, 20, 30, LATER, 0, LATER), {"member_id": str(other), **limits}),
        ("spend-locks", SpendLock(ann.member, 0, LATER), {}),
        ("guardians", SetGuardian(ann.member, *authorizer_of(GUARDIAN), 0, LATER), {"guardian": named(GUARDIAN)}),
    ]
    for path, act, body in sent:
        answer = ann.send(path, act, **body)
        assert (answer.status_code, answer.json()["kind"]) == (202, "member_act"), answer.text
        assert ann.accepted() == act


def test_acts_that_wait_are_relayed_for_a_locked_member(ann: Ann) -> None:
    kind, guardian = authorizer_of(GUARDIAN)
    ann.stands(turn=2, is_locked=True, guardian_kind=kind, guardian=guardian)
    ann.coalition.put_authorizer(str(ann.member), 1, key_of("second"))
    second = authorizer_of(key_of("second"))
    sent: list[tuple[str, MemberAct, dict[str, Any], Signer | None]] = [
        ("unlocks", Unlock(ann.member, 0, LATER), {}, None),
        ("removals", RemoveAuthorizer(ann.member, *second, 0, LATER), {"authorizer": named(key_of("second"))}, None),
        ("guardians", SetGuardian(ann.member, 0, b"", 0, LATER), {}, None),
        ("recoveries", Recovery(ann.member, *authorizer_of(TABLET), 7, LATER), {"authorizer": named(TABLET)}, GUARDIAN),
    ]
    for path, act, body, by in sent:
        answer = ann.send(path, act, by, **body)
        assert answer.status_code == 202, answer.text
        assert ann.accepted() == act
    assert (
        ann.send(
            "grants",
            Grant(ann.member, grant_to_brand(1), 1, 1, 1, LATER, 0, LATER),
            brand_id=1,
            per_purchase=1,
            per_day=1,
            in_all=1,
            until=LATER,
        ).json()["facts"]["reason"]
        == "SpendLocked"
    )


def test_what_the_ledger_would_refuse_leaves_no_trace_and_names_its_reason(ann: Ann) -> None:
    lock = SpendLock(ann.member, 0, LATER)
    tries = [
        ("MemberActOutOfTurn", lambda: ann.send("spend-locks", replace(lock, nonce=1))),
        ("MemberActExpired", lambda: ann.send("spend-locks", replace(lock, deadline=START - 10))),
        ("AuthorizerAbsent", lambda: ann.send("spend-locks", lock, GUARDIAN)),
        ("AuthorizerAbsent", lambda: ann.send("spend-locks", lock, deadline=LATER + 1)),
        ("ClaimKeyOnlyChanges", lambda: ann.send("spend-locks", lock, kind=2)),
        ("NotLocked", lambda: ann.send("unlocks", Unlock(ann.member, 0, LATER))),
        ("ActNotPending", lambda: ann.send("vetoes", Veto(ann.member, Hash(bytes(32))), act_id="0x" + "00" * 32)),
    ]
    for reason, sent in tries:
        with ann.coalition.no_trace():
            answer = sent()
        assert (answer.status_code, answer.json()["facts"]["reason"]) == (409, reason), answer.text
        assert answer.json()["detail"] == MEMBER_ACT_REFUSALS[reason]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"brand_id": 1, "member_id": "0x" + "01" * 20},
        {"brand_id": 2**32},
        {"brand_id": 1, "per_day": -1},
        {"brand_id": 1, "per_day": 2**53},
        {"brand_id": 1, "name": "the grocer"},
    ],
)
def test_a_grant_that_names_nobody_or_two_is_not_read(ann: Ann, body: dict[str, Any]) -> None:
    grant = Grant(ann.member, grant_to_brand(1), 1, 1, 1, LATER, 0, LATER)
    with ann.coalition.no_trace():
        answer = ann.send("grants", grant, **{"per_purchase": 1, "per_day": 1, "in_all": 1, "until": LATER, **body})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    "guardian", [{"kind": 3, "authorizer": "0x" + "01" * 120}, {"kind": 1, "authorizer": "0x" + "01" * 21}, {"kind": 2}]
)
def test_an_authorizer_that_can_prove_nothing_is_not_taken(ann: Ann, guardian: dict[str, Any]) -> None:
    with ann.coalition.no_trace():
        answer = ann.send("guardians", SetGuardian(ann.member, 0, b"", 0, LATER), guardian=guardian)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_a_member_that_is_not_on_the_ledger_acts_not(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    assert coalition.get("brand:1", "/v1/members/0x" + "07" * 20 + "/standing").status_code == 404


def test_a_pending_act_is_vetoed_and_carried_out_once_it_is_ready(ann: Ann) -> None:
    ann.stands(acts=1, turn=1, is_locked=True)
    early = ann.waits(Unlock(ann.member, 0, LATER), ready_at=START + 86_400, turn=1)
    ready = ann.waits(Unlock(ann.member, 0, LATER + 1), ready_at=START - 10, turn=1)
    fallen = ann.waits(Unlock(ann.member, 0, LATER + 2), ready_at=START - 10, turn=0)
    assert [(each["act_id"], each["what"], each["is_ready"]) for each in ann.standing()["pending_acts"]] == [
        (ready, "unlock", True),
        (early, "unlock", False),
    ]
    path = f"/v1/members/{ann.member}/executions"
    answers = {act_id: ann.coalition.post("brand:1", path, {"act_id": act_id}) for act_id in (early, ready, fallen)}
    assert answers[ready].json()["kind"] == "execute_member_act"
    assert [answers[each].json()["facts"]["reason"] for each in (early, fallen)] == ["ActNotReady", "ActFallen"]
    assert ann.coalition.post("brand:1", path, {"act_id": "0x" + "00" * 32}).status_code == 404
    assert ann.send("vetoes", Veto(ann.member, Hash.parse(early)), act_id=early).status_code == 202
    assert ann.accepted() == Veto(ann.member, Hash.parse(early))


def test_the_standing_shows_who_acts_and_what_grants_still_allow(ann: Ann) -> None:
    kind, guardian = authorizer_of(GUARDIAN)
    ann.stands(acts=3, turn=2, guardian_kind=kind, guardian=guardian)
    today = local_day(START, 0)
    rows = [
        (grant_to_brand(1), 10, 20, 30, 2**40 - 1, 15, 15, today),
        (grant_to_member(ann.member), 10, 20, 30, 2**40 - 1, 25, 20, today - 1),
        (grant_to_brand(2), 0, 20, 30, 2**40 - 1, 0, 0, 0),
        (grant_to_brand(3), 10, 20, 30, START - 10, 0, 0, 0),
    ]
    names = ("granted_to", "per_purchase", "per_day", "in_all", "until", "spent_in_all", "spent_on_day", "spent_day")
    with ann.coalition.database.write() as session:
        session.add_all(LedgerGrantRow(giver_id=ann.member, **dict(zip(names, row, strict=True))) for row in rows)
    standing = ann.standing()
    assert (standing["acts"], standing["turn"], standing["is_locked"], standing["guardian"]) == (3, 2, False, "0x" + guardian.hex())
    assert [each["authorizer"] for each in standing["authorizers"]] == ["0x" + address_of(ann.key).hex()]
    assert [(each["brand_id"], each["left_today"], each["left_in_all"]) for each in standing["grants"]] == [(1, 5, 15), (None, 5, 5)]
