"""A state machine that sends random acts of members to the real register and to the model's rules, and checks what holds of every member.

Signers, brands and amounts come from small pools, so that acts collide: the same wish twice, vetoes of what fell, grants that run dry.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.ledger.member_acts import DelayedAct, MemberAct, Recovery, grant_to_brand, grant_to_member, member_act_digest
from gateway.ledger.model_member_acts import MemberRules
from gateway.ledger.refusals import RefusalReason
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.ids import Hash, MemberId
from tests.builders.ledger_chain import key_of
from tests.builders.member_acts import NO_AUTHORIZER, LoneMembers, Signer, authorizer_of, id_of, proof_of
from tests.builders.passkeys import SoftwareAuthenticator
from tests.builders.points_ledger import MEMBER_DELAY

ANN, BOB, CLAIM = key_of("ann"), SoftwareAuthenticator("bob"), key_of("a receipt")
SIGNERS: tuple[Signer, ...] = (ANN, BOB, key_of("phone"), SoftwareAuthenticator("tablet"), key_of("sister"), CLAIM)

member = st.integers(0, 2)
signer = st.integers(0, len(SIGNERS) - 1)
by_whom = st.integers(0, 3 * len(SIGNERS) - 1)  # mostly one of the member's own
amount = st.integers(0, 12)
wishes = st.one_of(
    st.tuples(st.just("unlock"), st.just(0)),
    st.tuples(st.sampled_from(["removal", "guardian", "recovery"]), signer),
    st.tuples(st.just("no guardian"), st.just(0)),
)


class MemberMachine(RuleBasedStateMachine):
    rules_class: ClassVar[type[MemberRules]] = MemberRules

    @initialize()
    def deploy(self) -> None:
        self.register = LoneMembers(rules=self.rules_class)
        self.members = [self.register.enroll(ANN), self.register.enroll(BOB), self.register.enroll(CLAIM, kind=2)]
        self.to = [grant_to_brand(1), grant_to_brand(2), *(grant_to_member(each) for each in self.members)]
        self.delayed: list[DelayedAct] = []
        self.signed: list[tuple[MemberAct, int, bytes]] = []
        self.day = 20_600
        self.removed: dict[MemberId, set[Hash]] = {each: set() for each in self.members}
        self.checked: dict[MemberId, object] = {}
        self.spent_in_all: Counter[tuple[int, int]] = Counter()  # since the grant was set
        self.spent_on_day: Counter[tuple[int, int, int]] = Counter()

    @rule(who=member, by=by_whom, to=st.integers(0, 4), limits=st.tuples(amount, amount, amount), lasts=st.integers(0, 5))
    def a_grant_is_set(self, who: int, by: int, to: int, limits: tuple[int, int, int], lasts: int) -> None:
        until = self.register.chain.next_timestamp + lasts * SECONDS_PER_DAY
        if self.relayed(self.register.grant(self.members[who], self.to[to], limits, until=until), by) is None:
            self.forget(who, to)

    @rule(who=member, to=st.integers(0, 4), points=st.lists(amount, min_size=1, max_size=4), next_day=st.booleans())
    def points_are_spent_under_a_grant(self, who: int, to: int, points: list[int], next_day: bool) -> None:
        self.day += next_day
        record = self.register.record(self.members[who])
        for each in points:
            reason = self.register.spend(self.members[who], self.to[to], each, self.day)
            if record.is_locked:
                assert reason == RefusalReason.MEMBER_LOCKED, "a locked member was spent from"
            if reason is None:
                self.spent_in_all[who, to] += each
                self.spent_on_day[who, to, self.day] += each
                (_, per_day, in_all, until), _ = self.register.view("grantOf", self.members[who], self.to[to])
                assert self.register.chain.timestamp <= until, "a grant that ran out was spent"
                assert self.spent_on_day[who, to, self.day] <= per_day, "more than a day's"
                assert self.spent_in_all[who, to] <= in_all, "more than all"

    @rule(who=member, by=by_whom, add=st.none() | signer, removes=st.booleans())
    def authorizers_change(self, who: int, by: int, add: int | None, removes: bool) -> None:
        one, kind = self.chosen(self.members[who], by)
        added = NO_AUTHORIZER if add is None else authorizer_of(SIGNERS[add])
        mine = id_of(one, kind)
        act = self.register.change(self.members[who], added, mine if removes else bytes(32))
        if self.relayed(act, by) is None and (removes or kind):
            self.removed[self.members[who]].add(mine)

    @rule(who=member, by=by_whom, adds=st.none() | signer)
    def a_member_is_locked(self, who: int, by: int, adds: int | None) -> None:
        """And tries to add an authorizer."""
        self.relayed(self.register.spend_lock(self.members[who]), by)
        if adds is not None:
            self.authorizers_change(who, by, adds, False)

    @rule(who=member, by=by_whom, wish=wishes, nonce=st.integers(0, 3))
    def something_is_asked_for_that_waits(self, who: int, by: int, wish: tuple[str, int], nonce: int) -> None:
        self.asked(self.members[who], by, wish, nonce)

    @rule(by=by_whom, index=st.integers(0, 7))
    def a_wish_is_vetoed(self, by: int, index: int) -> None:
        if self.delayed:
            self.relayed(self.register.veto(self.delayed[-1 - index % len(self.delayed)]), by)

    @rule(index=st.integers(0, 7), waits=st.sampled_from([0, MEMBER_DELAY, MEMBER_DELAY, 31 * SECONDS_PER_DAY]))
    def a_wish_is_carried_out(self, index: int, waits: int) -> None:
        if not self.delayed:
            return
        self.register.after(waits)
        act = self.delayed[-1 - index % len(self.delayed)]
        before = set(self.register.record(act.member).authorizers)
        if self.register.execute(act) is not None:
            return
        after = set(self.register.record(act.member).authorizers)
        self.removed[act.member] = (self.removed[act.member] | before) - after
        if isinstance(act, Recovery):
            for to in range(len(self.to)):
                self.forget(self.members.index(act.member), to)
                assert self.register.view("grantOf", act.member, self.to[to])[0] == (0, 0, 0, 0), "a grant outlived a recovery"

    @rule(who=member, wish=wishes, by=by_whom, waits=st.sampled_from([MEMBER_DELAY - 3, MEMBER_DELAY]))
    def a_wish_waits_and_is_carried_out(self, who: int, wish: tuple[str, int], by: int, waits: int) -> None:
        guardian = self.register.record(self.members[who]).guardian
        guardians = [index for index, each in enumerate(SIGNERS) if id_of(each) == guardian]
        self.asked(self.members[who], guardians[0] if guardians and wish[0] == "recovery" else by, wish, len(self.delayed))
        self.a_wish_is_carried_out(0, waits)

    @rule(index=st.integers(0, 7))
    def a_signed_act_is_sent_again(self, index: int) -> None:
        if self.signed:
            act, kind, proof = self.signed[-1 - index % len(self.signed)]
            assert self.register.relay_proof(act, kind, proof) is not None, "an act counted twice"

    @invariant()
    def the_register_is_the_model(self) -> None:
        view = self.register.view
        for each in self.members:
            record = self.register.record(each)
            assert (view("memberActs", each), view("memberTurn", each), view("isLocked", each)) == (
                record.acts,
                record.turn,
                record.is_locked,
            )
            assert view("guardianOf", each) == (record.guardian or bytes(32))
            known = {id_of(one) for one in SIGNERS} | {id_of(CLAIM, 2)}
            assert {one for one in known if view("isAuthorizer", each, one)} == set(record.authorizers)
            assert record.authorizers, "nobody is left who acts for the member"
            for act_id, pending in list(record.pending.items())[-3:]:
                stood = view("pendingAct", act_id)
                assert stood[1:3] == (pending.ready_at, pending.turn)
                assert (stood[3] == 2) == pending.is_over

    @invariant()
    def who_was_removed_proves_nothing_and_a_locked_member_consents_to_nothing(self) -> None:
        digest = bytes(32)
        for each in self.members:
            record = self.register.record(each)
            stands = (record.is_locked, frozenset(record.authorizers), frozenset(self.removed[each]))
            if self.checked.get(each) == stands:
                continue
            self.checked[each] = stands
            for one in SIGNERS:
                reason = self.register.view("consents", each, digest, *proof_of(one, digest))
                is_hers = id_of(one) in record.authorizers
                assert any(reason) == (record.is_locked or not is_hers), "the wrong one consents"
                assert not (id_of(one) in self.removed[each] and not any(reason)), "a removed authorizer proves"

    def asked(self, who: MemberId, by: int, wish: tuple[str, int], nonce: int) -> None:
        what, whom = wish
        authorizer = authorizer_of(SIGNERS[whom])
        match what:
            case "unlock":
                act: DelayedAct = self.register.unlock(who)
            case "removal":
                act = self.register.removal(who, authorizer)
            case "recovery":
                act = self.register.recovery(who, authorizer, nonce)
            case _:
                act = self.register.guardian(who, NO_AUTHORIZER if what == "no guardian" else authorizer)
        if self.relayed(act, by) is None and "ActRequested" in self.register.event_names:
            self.delayed.append(act)

    def relayed(self, act: MemberAct, by: int) -> str | None:
        one, kind = self.chosen(act.member, by)
        before = set(self.register.record(act.member).authorizers)
        reason = self.register.relay(act, one, kind=kind)
        if reason is None:
            self.signed.append((act, *proof_of(one, member_act_digest(self.register.domain, act), kind)))
            self.removed[act.member] -= set(self.register.record(act.member).authorizers) - before
        return reason

    def chosen(self, who: MemberId, by: int) -> tuple[Signer, int | None]:
        """Who signs, and as what."""
        record = self.register.record(who)
        everyone: list[tuple[Signer, int | None]] = [(one, 2 if one is CLAIM else None) for one in SIGNERS]
        own = [each for each in everyone if id_of(*each) in record.authorizers]
        return own[by % len(own)] if own and by >= len(SIGNERS) else everyone[by % len(SIGNERS)]

    def forget(self, who: int, to: int) -> None:
        """The grant counts afresh."""
        del self.spent_in_all[who, to]
        for key in [key for key in self.spent_on_day if key[:2] == (who, to)]:
            del self.spent_on_day[key]
