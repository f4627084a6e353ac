"""The ledger's state machine with every other act of a coalition among its batches: members' and owners' acts, governance, cycles, anchors.

All contracts stand on one chain. Each act goes to the contracts and to the models, and the machine keeps its own books beside both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import ClassVar

from eth_keys import keys
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from gateway.ledger.anchors import Anchor, anchor_digest, brand_subject
from gateway.ledger.brand_states import BrandState
from gateway.ledger.entries import (
    Authorize,
    Entry,
    Redeem,
    Void,
)
from gateway.ledger.member_acts import DelayedAct, grant_to_brand, grant_to_member
from gateway.ledger.netting import netted_pairs
from gateway.ledger.owner_acts import HandOver, SetExposure
from gateway.ledger.settlement import Cycle, Paid, SettledPair, SettlementModel, SettlementRefused, cycle_digest, cycle_over, paid_digest
from gateway.ledger.signing import Domain
from gateway.values.ids import Address, Hash, ReservationId
from tests.builders.abi import contract_abi
from tests.builders.coalition_entries import SIGNERS, WRONGS, CoalitionEntries
from tests.builders.governance_acts import GUARDIAN
from tests.builders.ledger_chain import COALITION_ID, ETHER, FOREVER, Outcome, address_of, key_of
from tests.builders.ledger_machine import BRANDS, LIMIT, order, points
from tests.builders.member_acts import Signer, acts_on, authorizer_of, id_of
from tests.builders.points_ledger import MEMBER_DELAY, TERMS, owner_key, signature
from tests.builders.recording_chain import RecordingChain
from tests.builders.settlement import as_call, as_tuple

PHONE, SISTER = key_of("a phone"), key_of("a sister")
PAUSE_SECONDS = 72 * 3_600
MOST = 2**62  # that is settled or exposed, either way

brand_ids = st.sampled_from(BRANDS)
anyone = st.integers(0, len(SIGNERS) - 1)


class CoalitionMachine(CoalitionEntries):
    histories: ClassVar[int] = 0
    most_gas: ClassVar[int] = 0  # of a transaction

    @initialize()
    def deploy(self) -> None:
        super().deploy()
        CoalitionMachine.histories += 1
        self.ledger.chain.send(address_of(GUARDIAN), b"", value=ETHER)
        self.anchors_abi = contract_abi("Anchors")
        self.anchors = self.ledger.chain.deploy(self.anchors_abi.creation(COALITION_ID))
        state = self.ledger.model.state
        self.settlement = SettlementModel(state.owed, state.exposure)
        self.cycles = 0
        self.discharged: Counter[tuple[int, int]] = Counter()  # by issuer and acceptor, netted or paid
        self.settled: Counter[tuple[int, int, int]] = Counter()
        self.anchored: dict[int, list[bytes]] = {brand: [] for brand in BRANDS}
        self.recoveries = 0

    # Spending in every way

    @rule(brand=brand_ids, who=anyone, amount=points, order_index=order, is_good=st.booleans())
    def somebody_spends_by_her_own_authorizer(self, brand: int, who: int, amount: int, order_index: int, is_good: bool) -> None:
        """A key or a passkey; now and then with somebody else's."""
        signer = SIGNERS[who] if is_good or order_index else SIGNERS[who - 1]
        self.batch(
            brand, self.issue(who, amount), self.spend(Redeem, brand, who, amount, signer), self.spend(Authorize, brand, who, 5, signer)
        )

    @rule(brand=brand_ids, who=anyone)
    def reservations_are_captured_too_late(self, brand: int, who: int) -> None:
        """And one is voided then, another released."""
        self.set_free(brand)
        voided, released = (self.spend(Authorize, brand, who, 2, SIGNERS[who]) for _ in range(2))
        self.batch(brand, self.issue(who, 5), voided, released)
        ids = [self.ledger.reservation_id(brand, each) for each in (voided, released)]
        self.ledger.chain.set_time(released.deadline + 1)
        late = [self.ledger.capture(key, voided.lines) for key in ids]
        self.batch(brand, *late, Void(ReservationId(ids[0]), voided.reference, voided.lines))
        if ids[1] in self.consents:
            self.somebody_releases_a_reservation(sorted(self.consents).index(ids[1]), True)

    @rule(brand=brand_ids, giver=anyone, spender=anyone, limits=st.tuples(points, points, points), amounts=st.lists(points, max_size=3))
    def points_are_spent_under_grants(self, brand: int, giver: int, spender: int, limits: tuple[int, int, int], amounts: list[int]) -> None:
        acts = acts_on(self.ledger)
        for to in (grant_to_brand(brand), grant_to_member(self.members[spender])):
            acts.relay(acts.grant(self.members[giver], to, limits), SIGNERS[giver])
        self.set_free(brand)
        entries: list[Entry] = [self.issue(giver, 30)]
        for amount in (1, 61, *amounts):
            entries += [
                self.spend(Redeem, brand, giver, amount, SIGNERS[spender], spender=spender),
                self.by_brand_grant(brand, giver, amount),
            ]
        self.batch(brand, *entries)

    # What members do

    @rule(who=anyone, is_vetoed=st.booleans(), is_guardians=st.booleans(), waits=st.sampled_from([0, MEMBER_DELAY, MEMBER_DELAY]))
    def a_member_is_recovered(self, who: int, is_vetoed: bool, is_guardians: bool, waits: int) -> None:
        """Through a guardian, with a phone that then takes her own authorizer back and is removed."""
        acts, member, own = acts_on(self.ledger), self.members[who], SIGNERS[who]
        if acts.record(member).guardian is None:
            acts.relay(acts.guardian(member, authorizer_of(SISTER)), own)
        self.recoveries += 1
        recovery = acts.recovery(member, authorizer_of(PHONE), self.recoveries)
        acts.relay(recovery, SISTER)
        if is_vetoed:
            acts.relay(acts.veto(recovery), SISTER if is_guardians else own)
        acts.after(waits)
        if acts.execute(recovery) is None:
            assert not acts.record(member).grants, "a grant outlived a recovery"
            assert acts.relay(acts.change(member, authorizer_of(own)), PHONE) is None
            self.wanted(acts.removal(member, authorizer_of(PHONE)), own)
        assert acts.view("isAuthorizer", member, id_of(own)), "a member was left without her own"

    @rule(who=anyone)
    def a_guardian_is_replaced(self, who: int) -> None:
        acts = acts_on(self.ledger)
        other = PHONE if acts.record(self.members[who]).guardian == id_of(SISTER) else SISTER
        self.wanted(acts.guardian(self.members[who], authorizer_of(other)), SIGNERS[who])

    def wanted(self, act: DelayedAct, signer: Signer) -> None:
        acts = acts_on(self.ledger)
        if acts.relay(act, signer) is None and "ActRequested" in acts.event_names:
            acts.after(MEMBER_DELAY)
            assert acts.execute(act) is None

    # What owners, governance and its guardian do

    @rule(brand=brand_ids, by_governance=st.booleans())
    def a_brand_has_another_owner_for_a_while(self, brand: int, by_governance: bool) -> None:
        """Given by the owner and taken back by governance, or the other way round."""
        successor = key_of(f"successor of {brand}")
        own, ledger = owner_key(brand), self.ledger
        self.give_brand(brand, own, successor, by_governance)
        late = ledger.owner_act(SetExposure(brand, brand, 1, ledger.view("ownerActs", brand), FOREVER))
        assert ledger.reverted(late) == "NotSignedBy", "an owner of before acted"
        self.batch(brand, self.issue(0, 3))  # batch keys, lots and terms stay
        self.give_brand(brand, successor, own, not by_governance)

    @rule(who=st.integers(0, 1), runs_off=st.booleans())
    def a_brand_is_succeeded(self, who: int, runs_off: bool) -> None:
        """One of its own, that issues no more, whatever governance does; what it issued is accepted."""
        ledger, brand = self.ledger, max(self.ledger.model.state.brands) + 1
        if brand > BRANDS[-1] + 2:
            return
        own, founder = owner_key(brand), key_of(f"founder of {brand}")
        ledger.register(brand, LIMIT, exposed=False)
        ledger.expose(BRANDS[0], brand, 50)
        self.give_brand(brand, own, founder, by_governance=True)
        self.batch(brand, issue := self.issue(who, 9))
        self.give_brand(brand, founder, own, by_governance=False, issues_no_more=True)
        ledger.model.set_brand_status(brand, BrandState.SUSPENDED)
        if runs_off:
            ledger.start_run_off(brand, self.today() + TERMS.run_off_days + 1)
        again = ledger.attempt("setBrandStatus", brand, BrandState.ACTIVE)
        assert ledger.reverted(again) == "BrandIssuesNoMore", "a brand was active after its succession"
        issued = len(self.issues)
        self.batch(brand, self.issue(who, 1))
        assert len(self.issues) == issued, "a brand issued after its succession"
        self.batch(BRANDS[0], self.spend(Redeem, BRANDS[0], who, 3, SIGNERS[who], lot=(brand, issue.expiry_day)))

    def give_brand(
        self, brand: int, owner: keys.PrivateKey, to: keys.PrivateKey, by_governance: bool, *, issues_no_more: bool = False
    ) -> None:
        if by_governance:
            self.ledger.by_governance("setBrandOwner", brand, address_of(to))
            return
        act = HandOver(brand, Address(address_of(to)), issues_no_more, self.ledger.view("ownerActs", brand), FOREVER)
        assert self.ledger.owner_act(act, owner, to).succeeded

    @rule(approvers=st.integers(2, 3))
    def those_who_govern_change_for_a_while(self, approvers: int) -> None:
        ledger, governance, stranger = self.ledger, self.ledger.governance, key_of("stranger")
        salt = self.fresh().to_bytes(32, "little")
        assert governance.transact("proposeOperator", address_of(stranger), salt, sender=GUARDIAN).succeeded
        act = replace(governance.on_itself("replaceOperator", address_of(stranger)), salt=salt)
        ledger.chain.set_time(max(ledger.now, governance.ready(act)))
        assert governance.execute(act).succeeded
        assert not governance.propose(ledger.act(("setBrandLimit", (BRANDS[0], 0)))).succeeded, "an operator of before proposed"
        back = governance.on_itself("replaceOperator", address_of(ledger.chain.operator)).again(self.fresh())
        assert governance.propose(back, sender=stranger).succeeded
        ledger.chain.set_time(max(ledger.now, governance.ready(back)))
        assert governance.execute(back).succeeded
        accounts = [address_of(key) for key in governance.approvers]
        for function, arguments in (
            ("setApprovers", (accounts, approvers)),
            ("setApprovers", (accounts, 2)),
            ("replaceGuardian", (address_of(PHONE),)),
            ("replaceGuardian", (address_of(GUARDIAN),)),
            ("updateDelay", (0,)),
        ):
            act = governance.on_itself(function, *arguments).again(self.fresh())
            assert governance.execute(governance.proposed(act), governance.approvals(act, 3)).succeeded

    @rule(brand=brand_ids, limit=st.integers(0, LIMIT))
    def a_brand_loses_its_key_and_gets_another_limit(self, brand: int, limit: int) -> None:
        key = address_of(key_of(f"brand {brand}"))
        self.ledger.set_limit(brand, limit)
        self.ledger.set_key(brand, key, valid_until=self.ledger.now)
        assert self.refused_batch(brand) == "BatchKeyNotValid", "a withdrawn key signed a batch"
        self.ledger.set_key(brand, key)
        self.batch(brand, self.issue(1, 40))

    @rule(waits=st.booleans(), index=st.integers(0, 7), who=anyone)
    def the_guardian_pauses(self, waits: bool, index: int, who: int) -> None:
        """Members act on, and points are released."""
        ledger = self.ledger
        assert ledger.transact("pause", sender=GUARDIAN).succeeded
        assert self.refused_batch(BRANDS[0]) == "LedgerPaused"
        acts = acts_on(ledger)
        acts.relay(acts.grant(self.members[who], limits=(9, 9, 9)), SIGNERS[who])
        self.somebody_releases_a_reservation(index, True)
        if waits or ledger.now >= ledger.view("pauseState")[0]:
            ledger.chain.set_time(ledger.now + PAUSE_SECONDS)
        else:
            assert ledger.transact("unpause", sender=GUARDIAN).succeeded
        assert ledger.reverted(ledger.transact("pause", sender=GUARDIAN)) == "PauseSpent"
        self.batch(BRANDS[0], self.issue(0, 1))
        ledger.by_governance("rearmPause")

    @rule(brand=brand_ids)
    def acts_of_governance_are_stopped(self, brand: int) -> None:
        self.stopped(brand, is_vetoed=True)
        self.stopped(brand, is_vetoed=False)

    def stopped(self, brand: int, *, is_vetoed: bool) -> None:
        ledger = self.ledger
        act = ledger.act(("setBrandOwner", (brand, address_of(PHONE))))
        ledger.governance.proposed(act)
        stopped = ledger.governance.veto(act, owner_key(brand), brand=brand) if is_vetoed else ledger.governance.cancel(act)
        assert stopped.succeeded
        assert not ledger.governance.execute(act).succeeded, "what was stopped was carried out"
        assert ledger.view("brandOwner", brand)[2:] == address_of(owner_key(brand)).hex()

    @rule(signer=brand_ids, wrong=st.sampled_from(["", "", "previous", "number", "again"]))
    def a_root_is_anchored(self, signer: int, wrong: str) -> None:
        stands = self.anchored[signer]
        number, previous = len(stands), stands[-1] if stands else bytes(32)
        root = self.fresh().to_bytes(32)
        anchor = Anchor(7, brand_subject(signer), number, Hash(previous), Hash(root), 1)
        if wrong == "previous":
            anchor = replace(anchor, previous=Hash(b"\x01" * 32))
        elif wrong == "number":
            anchor = replace(anchor, number=number + 1)
        elif wrong == "again" and stands:
            anchor = replace(anchor, number=number - 1, previous=Hash(stands[-2] if number > 1 else bytes(32)))
        key = key_of(f"brand {signer}")
        domain = Domain(self.ledger.chain.chain_id, Address(self.anchors), Hash(COALITION_ID))
        called = anchor.called(Address(address_of(key)), signature(key, anchor_digest(domain, anchor)))
        outcome = self.ledger.chain.send(self.anchors, self.anchors_abi.call("anchor", [called]))
        if outcome.succeeded:
            stands.append(root)
        else:
            expected = {"previous": "PreviousRootDiffers", "number": "AnchorOutOfTurn", "again": "NumberTaken"}
            assert self.anchors_abi.error(outcome.output)[0] == expected[wrong]
        told = self.ledger.chain.call(self.anchors, self.anchors_abi.call("anchorCount", address_of(key), 7, brand_subject(signer)))
        assert self.anchors_abi.answer("anchorCount", told.output) == len(stands), "a root came or went"

    # Cycles

    @rule(
        brand=brand_ids,
        who=st.integers(0, 1),
        wrong=st.sampled_from(["", "", "", "a signature", "a brand", "more", "netted", "far", "exposed", "twice"]),
        kept=st.integers(1, 6),
    )
    def brands_settle(self, brand: int, who: int, wrong: str, kept: int) -> None:
        """What they owe by now, and by one more redemption."""
        self.set_free(brand)
        other = BRANDS[brand % len(BRANDS)]
        self.batch(brand, issue := self.issue(who, 5))
        self.batch(other, self.spend(Redeem, other, who, 3, SIGNERS[who], lot=(brand, issue.expiry_day)))
        left = {key: now for key in self.settlement.owed if (now := self.settlement.left(key))}
        pairs = netted_pairs(left, lambda issuer, terms: Fraction(issuer, 2))[:kept]
        if not pairs:
            return
        pairs[-1] = self.pair_with(pairs[-1], wrong)
        self.cycles += 1
        cycle = cycle_over(Hash(self.cycles.to_bytes(32)), self.ledger.chain.block_number, pairs, FOREVER)
        if wrong == "a brand":
            cycle = replace(cycle, brands=cycle.brands[1:])
        domain = Domain(self.ledger.chain.chain_id, Address(self.ledger.settlement), Hash(COALITION_ID))
        signers = [owner_key(brand) for brand in cycle.brands]
        signed = [signature(key, cycle_digest(domain, cycle)) for key in (signers if wrong != "a signature" else [PHONE, *signers[1:]])]
        agreed = self.ledger.transact("agree", as_tuple(cycle), signed)
        if wrong == "a signature":
            assert self.ledger.reverted(agreed) == "CycleNotSignedBy", "a cycle without a brand took effect"
            return
        self.agrees(agreed, self.settlement.agree, cycle, self.ledger.chain.block_number)
        if wrong == "twice":
            rival = replace(cycle, id=Hash(bytes(32)))
            for again in (cycle, rival):
                signed = [signature(key, cycle_digest(domain, again)) for key in signers]
                agreed = self.ledger.transact("agree", as_tuple(again), signed)
                self.agrees(agreed, self.settlement.agree, again, self.ledger.chain.block_number)
        for index, pair in enumerate(pairs):
            for _ in range(1 + (wrong == "twice")):
                self.settle(cycle, pairs, index, None)
            if index % 2 == 0 or pair is pairs[-1]:
                paid = Paid(cycle.record, pair.creditor, pair.debtor)
                self.settle(cycle, pairs, index, signature(owner_key(pair.creditor), paid_digest(domain, paid)))

    def pair_with(self, pair: SettledPair, wrong: str) -> SettledPair:
        """What is settled beyond what is owed is the other side's claim, up to what readers have room for."""
        settled, exposed = self.settlement.settled[pair.key], self.settlement.exposure[pair.issuer, pair.acceptor]
        match wrong:
            case "more":
                return replace(pair, points=2 * pair.points)
            case "netted":
                return replace(pair, netted=abs(pair.points) + 1)
            case "far":
                return replace(pair, points=2**63 - 1)
            case "exposed" if exposed + settled > 0:
                return replace(pair, points=-MOST - settled, netted=MOST + settled)
        return pair

    def settle(self, cycle: Cycle, pairs: list[SettledPair], index: int, paid: bytes | None) -> None:
        """Applies a pair, or confirms with this signature that it was paid."""
        self.checked_at = (-1, -1)  # the invariants look again
        pair, more = pairs[index], () if paid is None else (paid,)
        outcome = self.ledger.transact("applyPairs" if paid is None else "confirmPaid", as_tuple(cycle), [as_call(pairs, index)], *more)
        apply = partial(self.settlement.apply, in_block=self.ledger.chain.block_number)
        if self.agrees(outcome, apply if paid is None else self.settlement.pay, cycle, index, pair):
            self.discharged[pair.issuer, pair.acceptor] += pair.netted_points if paid is None else pair.points - pair.netted_points
            if paid is None:
                self.settled[pair.key] += pair.points

    def agrees(self, outcome: Outcome, step: Callable[..., bool | None], *arguments: object) -> bool:
        """Whether anything was new to the model; the contract did the same, or refused for the same reason."""
        is_new, reason = False, ""
        try:
            is_new = step(*arguments) is not False
        except SettlementRefused as refused:
            reason = refused.reason
            self.reached[reason] += 1
        assert (outcome.succeeded or self.ledger.reverted(outcome)) == (reason or True)
        return is_new

    # What has something wrong

    @rule(brand=brand_ids, who=st.integers(0, 1), first=st.integers(0, len(WRONGS) - 1))
    def entries_have_something_wrong(self, brand: int, who: int, first: int) -> None:
        """Each of them, beginning anywhere."""
        self.set_free(brand)
        self.batch(brand, self.issue(who, 20), self.spend(Authorize, brand, who, 6, SIGNERS[who]))
        self.batch(brand, *(entry for wrong in (*WRONGS[first:], *WRONGS[:first]) for entry in self.wrong(brand, who, wrong)))

    @rule(
        brand=brand_ids,
        who=st.integers(0, 1),
        status=st.sampled_from([BrandState.SUSPENDED, BrandState.RUNNING_OFF, BrandState.IN_DEFAULT]),
    )
    def a_brand_does_everything_and_then_is_in_another_state(self, brand: int, who: int, status: BrandState) -> None:
        self.set_free(brand)
        other = BRANDS[brand % len(BRANDS)]
        every = self.every_kind(brand, who)
        foreign = (brand, self.issue(who, 1).expiry_day)
        self.ledger.expose(other, brand, 0)
        self.batch(other, self.spend(Redeem, other, who, 1, SIGNERS[who], lot=foreign))
        self.ledger.expose(other, brand, 50)
        if status is BrandState.RUNNING_OFF:
            self.ledger.start_run_off(brand, self.today() + 1)
        else:
            self.ledger.set_status(brand, status)
        self.batch(brand, *every, *self.every_kind(brand, who))
        self.batch(other, self.spend(Redeem, other, who, 1, SIGNERS[who], lot=foreign))
        self.ledger.set_status(brand, BrandState.ACTIVE)

    # Invariants

    @invariant()
    def every_transaction_is_small_enough(self) -> None:
        chain = self.ledger.chain
        assert isinstance(chain, RecordingChain)
        assert chain.most_gas < 2**24, "a transaction no chain accepts"
        CoalitionMachine.most_gas = max(self.most_gas, chain.most_gas)
        self.reached.update(chain.take_called())

    def what_is_owed_is_what_reservations_say(self, issuer: int, acceptor: int) -> None:
        """Exposure is less what cycles netted or paid; what is settled is what they settled."""
        super().what_is_owed_is_what_reservations_say(issuer, acceptor)
        for number in range(self.ledger.model.state.brands[issuer].terms.versions[-1].number + 1):
            settled = self.ledger.view("settled", issuer, acceptor, number)
            assert settled == self.settled[issuer, acceptor, number] == self.settlement.settled[issuer, acceptor, number]

    def discharged_of(self, issuer: int, acceptor: int) -> int:
        return self.discharged[issuer, acceptor]
