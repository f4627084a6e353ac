"""Members' acts on the real register and by the model's rules: every act goes to both, and their verdicts must be the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

from eth_keys import keys

from gateway.ledger.member_acts import (
    AuthorizerChange,
    DelayedAct,
    Grant,
    MemberAct,
    Recovery,
    RemoveAuthorizer,
    SetGuardian,
    SpendLock,
    Unlock,
    Veto,
    delayed_act_arguments,
    grant_to_brand,
    member_act_digest,
)
from gateway.ledger.members import AuthorizerKind, authorizer_id, member_id
from gateway.ledger.model_member_acts import MemberActRefused, MemberRules
from gateway.ledger.model_members import grant_refusal
from gateway.ledger.passkeys import verify_passkey
from gateway.ledger.proofs import Proofs
from gateway.ledger.refusals import REFUSALS, RefusalReason
from gateway.ledger.signing import Domain
from gateway.ledger.state import MemberRecord
from gateway.values.ids import Address, Hash, MemberId
from tests.builders.abi import Event, contract_abi
from tests.builders.governance_acts import Governance
from tests.builders.ledger_chain import COALITION_ID, ETHER, FOREVER, LedgerChain, Outcome, address_of, key_of
from tests.builders.passkeys import SoftwareAuthenticator
from tests.builders.points_ledger import MEMBER_DELAY, PointsLedger, recover, signature

Signer = keys.PrivateKey | SoftwareAuthenticator
NO_AUTHORIZER = (0, b"")
LEDGER = key_of("the points ledger")  # stands in for it where a register is tested alone


class MemberActs:
    """`record` is the model's; `outcome` that of the last transaction."""

    def __init__(
        self, chain: LedgerChain, address: bytes, records: dict[MemberId, MemberRecord], rules: type[MemberRules] = MemberRules
    ) -> None:
        self.chain, self.address, self.records = chain, address, records
        self.abi = contract_abi("Members")
        self.domain = Domain(chain.chain_id, Address(address), Hash(COALITION_ID))
        operator = Address(address_of(chain.operator))
        self.rules = rules(self.domain, Proofs(recover, verify_passkey), self.view("memberDelay"), operator)
        self.outcome: Outcome

    def record(self, member: bytes) -> MemberRecord:
        return self.records[MemberId(member)]

    def enroll(self, signer: Signer, kind: int | None = None) -> MemberId:
        kind, authorizer = authorizer_of(signer, kind)
        self._send("enroll", [(kind, authorizer, bytes(32))])
        member = member_id(COALITION_ID, kind, authorizer, bytes(32))
        self.records.setdefault(member, MemberRecord({authorizer_id(kind, authorizer): kind}))
        return member

    # Acts

    def relay(self, act: MemberAct, signer: Signer, *, kind: int | None = None) -> str | None:
        """The name of the error, None if the act counts."""
        return self.relay_proof(act, *proof_of(signer, member_act_digest(self.domain, act), kind))

    def relay_proof(self, act: MemberAct, kind: int, proof: bytes) -> str | None:
        now = self.chain.next_timestamp
        self._send(*_call(act), kind, proof)
        return self._verdict(lambda: self.rules.apply(self.record(act.member), act, kind, proof, now))

    def execute(self, act: DelayedAct) -> str | None:
        now = self.chain.next_timestamp
        self._send("executeAct", delayed_act_arguments(act))
        return self._verdict(lambda: self.rules.execute(self.record(act.member), act, now))

    def spend(self, giver: bytes, to: bytes, points: int, day: int, *, sender: keys.PrivateKey = LEDGER) -> RefusalReason | str | None:
        """As the points ledger spends under a grant; an error's name where it reverts."""
        now = self.chain.next_timestamp
        self._send("spend", giver, to, points, day, sender=sender)
        if not self.outcome.succeeded:
            return self.abi.error(self.outcome.output)[0]
        answered = self.abi.answer("spend", self.outcome.output)
        reason = REFUSALS[answered] if any(answered) else None
        assert reason == grant_refusal(self.records.get(MemberId(giver)), Hash(to), points, day, now), (
            "the register's verdict is the model's"
        )
        return reason

    def after(self, seconds: int) -> None:
        self.chain.set_time(self.chain.next_timestamp + seconds)

    # What is signed, with the nonce that is next

    def grant(self, giver: bytes, to: bytes = grant_to_brand(1), limits: tuple[int, int, int] = (100, 150, 300), **other: Any) -> Grant:
        until, nonce = other.get("until", FOREVER), other.get("nonce", self.record(giver).acts)
        return Grant(MemberId(giver), Hash(to), *limits, until, nonce, other.get("deadline", FOREVER))

    def change(self, member: bytes, add: tuple[int, bytes] = NO_AUTHORIZER, remove: bytes = bytes(32)) -> AuthorizerChange:
        return AuthorizerChange(MemberId(member), *add, Hash(remove), self.record(member).acts, FOREVER)

    def spend_lock(self, member: bytes) -> SpendLock:
        return SpendLock(MemberId(member), self.record(member).turn, FOREVER)

    def unlock(self, member: bytes) -> Unlock:
        return Unlock(MemberId(member), self.record(member).acts, FOREVER)

    def removal(self, member: bytes, authorizer: tuple[int, bytes]) -> RemoveAuthorizer:
        return RemoveAuthorizer(MemberId(member), *authorizer, self.record(member).acts, FOREVER)

    def guardian(self, member: bytes, authorizer: tuple[int, bytes] = NO_AUTHORIZER) -> SetGuardian:
        return SetGuardian(MemberId(member), *authorizer, self.record(member).acts, FOREVER)

    def recovery(self, member: bytes, authorizer: tuple[int, bytes], nonce: int = 0) -> Recovery:
        return Recovery(MemberId(member), *authorizer, nonce, FOREVER)

    def veto(self, act: DelayedAct) -> Veto:
        return Veto(act.member, member_act_digest(self.domain, act))

    # Chain

    def view(self, function: str, *arguments: Any) -> Any:
        outcome = self.chain.call(self.address, self.abi.call(function, *arguments))
        assert outcome.succeeded, outcome.output
        return self.abi.answer(function, outcome.output)

    @property
    def events(self) -> list[Event]:
        """Of the last transaction."""
        return [self.abi.event(topics, data) for _, topics, data in self.outcome.logs]

    @property
    def event_names(self) -> list[str]:
        return [event.name for event in self.events]

    def _send(self, function: str, *arguments: Any, sender: keys.PrivateKey | None = None) -> None:
        self.outcome = self.chain.send(self.address, self.abi.call(function, *arguments), sender=sender)

    def _verdict(self, by_rules: Callable[[], None]) -> str | None:
        reason = None if self.outcome.succeeded else self.abi.error(self.outcome.output)[0]
        assert _refused(by_rules) == reason, "the register's verdict is the model's"
        return reason


class LoneMembers(MemberActs):
    """A register of its own, with an account in the place of the points ledger."""

    def __init__(self, *, delay: int = MEMBER_DELAY, sandbox: bool = False, rules: type[MemberRules] = MemberRules) -> None:
        chain = LedgerChain(with_p256=True)
        self.governance = Governance(chain, sandbox=sandbox)
        verifier = chain.deploy(contract_abi("PasskeyVerifier").creation())
        members = contract_abi("Members").creation(self.governance.address, verifier, address_of(LEDGER), delay)
        assert chain.send(address_of(LEDGER), b"", value=ETHER).succeeded
        super().__init__(chain, chain.deploy(members), {}, rules)


def acts_on(ledger: PointsLedger) -> MemberActs:
    """Acts on the members of a whole ledger."""
    return MemberActs(ledger.chain, ledger.members, ledger.model.state.members)


def authorizer_of(signer: Signer, kind: int | None = None) -> tuple[int, bytes]:
    if isinstance(signer, SoftwareAuthenticator):
        return AuthorizerKind.PASSKEY, signer.authorizer
    return kind or AuthorizerKind.KEY, address_of(signer)


def id_of(signer: Signer, kind: int | None = None) -> Hash:
    return authorizer_id(*authorizer_of(signer, kind))


def proof_of(signer: Signer, digest: bytes, kind: int | None = None) -> tuple[int, bytes]:
    if isinstance(signer, SoftwareAuthenticator):
        return kind or AuthorizerKind.PASSKEY, signer.consent(digest)
    return kind or AuthorizerKind.KEY, signature(signer, digest)


def _refused(by_rules: Callable[[], None]) -> str | None:
    try:
        by_rules()
    except MemberActRefused as refused:
        return refused.reason
    return None


def _call(act: MemberAct) -> tuple[Any, ...]:
    match act:
        case AuthorizerChange():
            return "changeAuthorizers", astuple(act)
        case Grant():
            return "setGrant", astuple(act)
        case SpendLock():
            return "lockSpending", *astuple(act)
        case Veto():
            return "vetoAct", act.act
        case _:
            return "requestAct", delayed_act_arguments(act)
