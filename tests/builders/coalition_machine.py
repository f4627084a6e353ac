"""The ledger's state machine with every other act of a coalition among its batches: members' and owners' acts, governance, cycles, anchors.

All contracts stand on one chain. Each act goes to the contracts and to the models, and the machine keeps its own books beside both.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple, replace
from fractions import Fraction
from typing import Any, ClassVar

from eth_keys import keys
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from gateway.ledger.anchors import Anchor, anchor_digest, brand_subject
from gateway.ledger.consents import ConsentTerms, consent_digest
from gateway.ledger.brand_states import BrandState
from gateway.ledger.entries import (
    MEMBER_GRANT,
    Authorize,
    Clawback,
    ConsentProof,
    Entry,
    Expire,
    Extend,
    Issue,
    Opening,
    PointRefund,
    Redeem,
    Restore,
    Void,
)
from gateway.ledger.lots import Line, expiry_day_for
from gateway.ledger.member_acts import DelayedAct, grant_to_brand, grant_to_member
from gateway.ledger.netting import netted_pairs
from gateway.ledger.owner_acts import HandOver, SetExposure
from gateway.ledger.settlement import Cycle, Paid, PairRefused, SettledPair, SettlementModel, cycle_digest, cycle_over, paid_digest
from gateway.ledger.signing import Domain
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.ids import Address, Hash, MemberId, Reference, ReservationId
from tests.builders.abi import contract_abi
from tests.builders.governance_acts import GUARDIAN
from tests.builders.issues import BASIS, OPENING_BASIS
from tests.builders.ledger_chain import COALITION_ID, ETHER, FOREVER, LedgerChain, address_of, key_of
from tests.builders.ledger_machine import BRANDS, LIMIT, LedgerMachine, order, points
from tests.builders.member_acts import Signer, acts_on, authorizer_of, id_of, proof_of
from tests.builders.passkeys import SoftwareAuthenticator
from tests.builders.points_ledger import MEMBER_DELAY, UTC_OFFSET_SECONDS, owner_key, signature
from tests.builders.recording_chain import RecordingChain
from tests.builders.settlement import as_call, as_tuple

SIGNERS: tuple[Signer, ...] = (key_of("ann"), key_of("bob"), SoftwareAuthenticator("cyd"))
PHONE, SISTER = key_of("a phone"), key_of("a sister")
PAUSE_SECONDS = 72 * 3_600

brand_ids = st.sampled_from(BRANDS)
anyone = st.integers(0, len(SIGNERS) - 1)
WRONGS = (
    "another length",
    "no such kind",
    "nobody",
    "no points",
    "no month end",
    "expired",
    "not expired",
    "not so many",
    "not of this brand",
    "an unknown reservation",
    "other lines",
    "too many points",
    "too low",
    "another share",
    "more than is captured",
    "another sum",
    "late",
    "too early",
    "a refused issue",
    "a bad proof",
    "no grant",
    "twice",
)


class CoalitionMachine(LedgerMachine):
    """What was reached is counted over all histories: entries by kind, refusals by reason, acts by function."""

    reached: ClassVar[Counter[str]] = Counter()
    histories: ClassVar[int] = 0
    most_gas: ClassVar[int] = 0  # of a transaction

    def chain(self) -> LedgerChain:
        return RecordingChain(with_p256=True)

    @initialize()
    def deploy(self) -> None:
        super().deploy()
        CoalitionMachine.histories += 1
        self.members.append(acts_on(self.ledger).enroll(SIGNERS[2]))
        self.ledger.chain.send(address_of(GUARDIAN), b"", value=ETHER)
        self.anchors_abi = contract_abi("Anchors")
        self.anchors = self.ledger.chain.deploy(self.anchors_abi.creation(COALITION_ID))
        state = self.ledger.model.state
        self.settlement = SettlementModel(state.owed, state.exposure)
        self.cycles = 0
        self.discharged: Counter[tuple[int, int]] = Counter()  # by issuer and acceptor, netted or paid
        self.settled: Counter[tuple[int, int, int]] = Counter()
        self.anchored: dict[int, list[bytes]] = {brand: [] for brand in BRANDS}
        self.nonce = 0
        self.recoveries = 0

    def fresh(self) -> int:
        self.nonce += 1
        return self.nonce

    # Spending in every way

    @rule(brand=brand_ids, who=anyone, amount=points, order_index=order, is_good=st.booleans())
    def somebody_spends_by_her_own_authorizer(self, brand: int, who: int, amount: int, order_index: int, is_good: bool) -> None:
        """A key or a passkey; now and then with somebody else's."""
        signer = SIGNERS[who] if is_good or order_index else SIGNERS[who - 1]
        self.batch(
            brand, self.issue(who, amount), self.spend(Redeem, brand, who, amount, signer), self.spend(Authorize, brand, who, 5, signer)
        )

    @rule(brand=brand_ids, who=anyone)
    def a_reservation_is_captured_too_late(self, brand: int, who: int) -> None:
        """And voided then."""
        self.set_free(brand)
        self.batch(brand, self.issue(who, 5), entry := self.spend(Authorize, brand, who, 2, SIGNERS[who]))
        reservation_id = self.ledger.reservation_id(brand, entry)
        self.ledger.chain.set_time(entry.deadline + 1)
        self.batch(brand, self.ledger.capture(reservation_id, entry.lines), Void(ReservationId(reservation_id), entry.reference, entry.lines))

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

    def give_brand(self, brand: int, owner: keys.PrivateKey, to: keys.PrivateKey, by_governance: bool) -> None:
        if by_governance:
            self.ledger.by_governance("setBrandOwner", brand, address_of(to))
            return
        act = HandOver(brand, Address(address_of(to)), self.ledger.view("ownerActs", brand), FOREVER)
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
        wrong=st.sampled_from(["", "", "", "a signature", "more", "netted", "twice"]),
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
        if wrong == "more":
            pairs[-1] = replace(pairs[-1], points=2 * pairs[-1].points)
        if wrong == "netted":
            pairs[-1] = replace(pairs[-1], netted=abs(pairs[-1].points) + 1)
        self.cycles += 1
        cycle = cycle_over(Hash(self.cycles.to_bytes(32)), 0, pairs, FOREVER)
        domain = Domain(self.ledger.chain.chain_id, Address(self.ledger.settlement), Hash(COALITION_ID))
        signers = [owner_key(brand) for brand in cycle.brands]
        signed = [signature(key, cycle_digest(domain, cycle)) for key in (signers if wrong != "a signature" else [PHONE, *signers[1:]])]
        agreed = self.ledger.transact("agree", as_tuple(cycle), signed)
        if wrong == "a signature":
            assert self.ledger.reverted(agreed) == "CycleNotSignedBy", "a cycle without a brand took effect"
            return
        assert agreed.succeeded
        for index, pair in enumerate(pairs):
            for _ in range(1 + (wrong == "twice")):
                self.settle(cycle, pairs, index, None)
            if index % 2 == 0:
                paid = Paid(cycle.record, pair.creditor, pair.debtor)
                self.settle(cycle, pairs, index, signature(owner_key(pair.creditor), paid_digest(domain, paid)))

    def settle(self, cycle: Cycle, pairs: list[SettledPair], index: int, paid: bytes | None) -> None:
        """Applies a pair, or confirms with this signature that it was paid."""
        self.checked_at = (-1, -1)  # the invariants look again
        pair, more = pairs[index], () if paid is None else (paid,)
        outcome = self.ledger.transact("applyPairs" if paid is None else "confirmPaid", as_tuple(cycle), [as_call(pairs, index)], *more)
        step = self.settlement.apply if paid is None else self.settlement.pay
        try:
            is_new = step(cycle, index, pair)
        except PairRefused as refused:
            assert self.ledger.reverted(outcome) == refused.reason
            return
        assert outcome.succeeded, self.ledger.reverted(outcome)
        if is_new:
            self.discharged[pair.issuer, pair.acceptor] += pair.netted_points if paid is None else pair.points - pair.netted_points
            if paid is None:
                self.settled[pair.key] += pair.points
                assert abs(self.settled[pair.key]) <= abs(self.settlement.owed[pair.key]), "more was settled than was owed"

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

    def set_free(self, brand: int) -> None:
        """Room under the limit, and everything that expired out of the way."""
        self.ledger.set_limit(brand, LIMIT)
        held = self.ledger.model.state.held
        lots = sorted({lot for (_, lot), has in held.items() if has and lot >> 32 == brand})
        expired = [lot for lot in lots if 0 < lot & 0xFFFFFFFF < self.today()]
        members = [MemberId(member) for member in self.members]
        free = self.ledger.model.state.unreserved
        takes = [Expire(member, lot & 0xFFFFFFFF, free(member, lot)) for lot in expired for member in members if free(member, lot)]
        if takes:
            self.batch(brand, *takes)
        if not any(free(member, lot) for member in members[:2] for lot in lots):
            self.batch(brand, *(self.issue(who, 30) for who in (0, 1)))

    def every_kind(self, brand: int, who: int) -> list[Entry]:
        """One entry of every kind that is about this member, as far as there is something for it."""
        member, day, nothing = MemberId(self.members[who]), self.issue(who, 1).expiry_day, Reference(bytes(32))
        later = expiry_day_for(self.ledger.now, UTC_OFFSET_SECONDS, 9)
        signers = [key_of(name) for name in ("ann", "bob")]
        line = Line(*self.first_lot(who, brand), 1)
        self.batch(brand, self.issue(who, 9), opening := Opening(member, day, 2, OPENING_BASIS, nothing))
        place = (brand, self.ledger.last_number, 0)
        redeemed, reserved, voided = (self.spend(kind, brand, who, 1, SIGNERS[who]) for kind in (Redeem, Authorize, Authorize))
        self.batch(brand, redeemed, reserved, voided)
        ids = [self.ledger.reservation_id(brand, each) for each in (redeemed, reserved, voided)]
        entries: list[Entry] = [self.issue(who, 1), opening, Extend(member, day, later, 1, nothing)]
        if place in self.issues:
            taken = (Line(brand, day, 1),)
            entries += [Clawback(member, nothing, self.ledger.shown(*place), taken), Restore(member, nothing, place[1], place[2], taken)]
        if all(key in self.consents for key in ids):
            entries += [
                self.ledger.refund(ids[0], redeemed.lines),
                self.ledger.capture(ids[1], reserved.lines),
                Void(ReservationId(ids[2]), nothing, voided.lines),
                self.ledger.capture(ids[2], voided.lines),
            ]
        transfer = self.ledger.transfer(member, self.members[1 - who], [line], signers[who], signers[1 - who], nonce=self.fresh())
        entries += [transfer, self.spend(Redeem, brand, who, 1, SIGNERS[who])]
        self.batch(brand, *entries)
        return entries

    def wrong(self, brand: int, who: int, wrong: str) -> list[Entry | bytes]:
        issue, spend = self.issue(who, 9), self.spend(Redeem, brand, who, 4, SIGNERS[who])
        reservations = self.ledger.model.state.reservations
        open_ones = [key for key in self.consents if reservations[ReservationId(key)].state == 1 and self.consents[key].brand == brand]
        held = [line for key in open_ones[-1:] for line in self.lines_of(key)]
        capture = self.ledger.capture(open_ones[-1], held) if held else None
        match wrong:
            case "another length":
                return [bytes([kind]) + bytes(40) for kind in (1, 3, 5, 9, 12)]
            case "no such kind":
                return [bytes([13]) + bytes(40), bytes(40)]
            case "nobody":
                return [replace(issue, member=MemberId(bytes(20)))]
            case "no points":
                return [replace(issue, points=0), replace(spend, points=0, lines=(replace(spend.lines[0], points=0),))]
            case "no month end":
                return [replace(issue, expiry_day=issue.expiry_day - 3)]
            case "expired":
                return [replace(issue, expiry_day=expiry_day_for(self.ledger.now - 400 * SECONDS_PER_DAY, UTC_OFFSET_SECONDS, 0))]
            case "not expired":
                return [Expire(MemberId(self.members[who]), issue.expiry_day, 5)]
            case "not so many":
                day = expiry_day_for(self.ledger.now - 400 * SECONDS_PER_DAY, UTC_OFFSET_SECONDS, 0)
                return [Expire(MemberId(self.members[who]), day, 2**70)]
            case "not of this brand" if self.issues:
                place = self.issues[-1]
                return [Clawback(self.issue_at(place).member, Reference(bytes(32)), self.ledger.shown(*place), (Line(99, 0, 1),))]
            case "an unknown reservation":
                return [self.ledger.capture(b"\x05" * 32, spend.lines)]
            case "other lines" if capture:
                return [
                    replace(capture, lines=(Line(78, 0, 1), *capture.lines[:15])),
                    Void(capture.reservation_id, capture.reference, (Line(77, 0, 1),)),
                ]
            case "too many points" if capture:
                return [replace(capture, lines=tuple(replace(line, points=line.points + 1) for line in capture.lines))]
            case "too low":
                return [self.spend(Redeem, brand, who, 9, SIGNERS[who], discount=0)]
            case "more than is captured" if capture:
                return [PointRefund(capture.reservation_id, capture.reference, 0, capture.lines)]
            case "another share" if capture:
                return [replace(capture, discount=capture.discount + 1)]
            case "another sum":
                return [replace(spend, points=5)]
            case "late":
                return [self.spend(Redeem, brand, who, 4, SIGNERS[who], deadline=self.ledger.now - 1)]
            case "too early":
                return [self.spend(Redeem, brand, who, 4, SIGNERS[who], deadline=self.ledger.now + 9 * SECONDS_PER_DAY)]
            case "a refused issue":
                return self.clawback_of_a_refused_issue(brand, who)
            case "a bad proof":
                return [replace(spend, proof=ConsentProof(1, bytes(65))), replace(spend, proof=ConsentProof(2, spend.proof.proof))]
            case "no grant":
                return [self.spend(Redeem, brand, who, 4, SIGNERS[2], spender=2), self.by_brand_grant(brand, who, 4)]
            case "twice":
                return [spend, spend]
        return []

    def clawback_of_a_refused_issue(self, brand: int, who: int) -> list[Entry | bytes]:
        refused = replace(self.issue(who, 9), points=0)
        self.batch(brand, refused)
        line = Line(brand, refused.expiry_day, 1)
        return [Clawback(refused.member, Reference(bytes(32)), self.ledger.shown(brand, self.ledger.last_number, 0), (line,))]

    # Entries

    def batch(self, brand: int, *entries: Entry | bytes) -> None:
        now = self.ledger.now
        refused = dict(self.ledger.submit(brand, entries))
        self.note(brand, [entry for index, entry in enumerate(entries) if index not in refused], now)
        number = self.ledger.last_number
        self.issues += [
            (brand, number, index) for index, each in enumerate(entries) if index not in refused and isinstance(each, Issue | Opening)
        ]

    def note(self, brand: int, accepted: list[Entry | bytes], now: int) -> None:
        super().note(brand, accepted, now)
        for entry in accepted:
            self.reached[type(entry).__name__] += 1
            if isinstance(entry, Authorize | Redeem):
                self.reached[f"proof kind {entry.proof.kind}"] += 1
        _, refusals = self.ledger.recorded[brand, self.ledger.last_number]
        self.reached.update(str(reason) for _, reason in refusals)

    def refused_batch(self, brand: int) -> str:
        number = self.ledger.next_number()
        return self.ledger.reverted(self.ledger.transact("submitBatch", *self.ledger.signed(brand, number, b"")))

    def issue(self, who: int, amount: int) -> Issue:
        day = expiry_day_for(self.ledger.now, UTC_OFFSET_SECONDS, 2)
        return Issue(MemberId(self.members[who]), day, amount, BASIS, Reference(bytes(32)))

    def lines_of(self, reservation_id: bytes) -> list[Line]:
        lots = self.ledger.model.state.reservations[ReservationId(reservation_id)].lots
        return [Line(lot >> 32, lot & 0xFFFFFFFF, part.authorized) for lot, part in lots.items()]

    def spend(
        self,
        kind: type[Authorize] | type[Redeem],
        brand: int,
        who: int,
        amount: int,
        signer: Signer,
        *,
        spender: int | None = None,
        **other: Any,
    ) -> Authorize | Redeem:
        """Of the lot that comes first, whether or not it has the points."""
        line = Line(*other.get("lot", self.first_lot(who, brand)), amount)
        discount, deadline = (
            other.get("discount", self.ledger.least_discount(brand, amount)),
            other.get("deadline", self.ledger.now + 3_600),
        )
        member = MemberId(self.members[who])
        terms = ConsentTerms(
            member, MemberId(self.members[who if spender is None else spender]), brand, amount, discount,
            Hash(bytes(32)), Reference(bytes(32)), self.fresh(), deadline,
        )  # fmt: skip
        proof = ConsentProof(*proof_of(signer, consent_digest(self.ledger.domain, terms)))
        if spender is not None and spender != who:
            proof = ConsentProof(MEMBER_GRANT, self.members[spender] + bytes([proof.kind]) + proof.proof)
        return kind(member, terms.reference, terms.order, terms.nonce, deadline, amount, discount, proof, (line,))

    def by_brand_grant(self, brand: int, who: int, amount: int) -> Authorize | Redeem:
        reference = self.fresh().to_bytes(32)
        return self.ledger.by_brand_grant(
            Redeem, brand, MemberId(self.members[who]), [Line(*self.first_lot(who, brand), amount)], reference
        )

    def first_lot(self, who: int, brand: int) -> tuple[int, int]:
        available = sorted(self.ledger.model.state.available(MemberId(self.members[who])))
        own = [lot for lot in available if lot >> 32 == brand]
        lot = (own or available or [brand << 32])[-1]
        return lot >> 32, lot & 0xFFFFFFFF

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
