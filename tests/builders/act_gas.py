"""Gas of every act that is no entry of a batch, calldata included, each a transaction.

`python -m tests.builders.act_gas` prints the tables. A label names the contract's function, after it what is done with it.
"""

from __future__ import annotations

from dataclasses import replace

from eth_utils import keccak

from gateway.ledger.anchors import Anchor, anchor_digest
from gateway.ledger.entries import Authorize, Issue
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import DelayedAct
from gateway.ledger.owner_acts import HandOver, SetBrandKey, SetBrandTerms, SetExposure
from gateway.ledger.signing import Domain
from gateway.values.calendar import local_day
from gateway.values.ids import Address, Hash
from tests.builders import settlement_gas
from tests.builders.abi import contract_abi
from tests.builders.governance_acts import GUARDIAN, STRANGER, Act
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import COALITION_ID, ETHER, FOREVER, LedgerChain, Outcome, address_of, key_of
from tests.builders.member_acts import MemberActs, Signer, acts_on, authorizer_of
from tests.builders.passkeys import SoftwareAuthenticator
from tests.builders.points_ledger import MEMBER_DELAY, TERMS, UTC_OFFSET_SECONDS, PointsLedger, owner_key, registration, signature

GROCER, FUEL, NEW = 1, 2, 3
LIMITS_AT_ONCE = 20
ANCHORS_AT_ONCE = 128
CYCLE_BRANDS = 4

Gas = dict[str, int]


def measure() -> dict[str, Gas]:
    """{whose acts: {act: gas}}"""
    by_key, by_passkey = members(key_of("ann")), members(SoftwareAuthenticator("ann"))
    return {
        "members": by_key | {f"{act}, by a passkey": gas for act, gas in by_passkey.items() if gas != by_key[act]},
        "owners": owners(),
        "governance": governance(),
        "guardian": guardian(),
        "anybody": {**release(), **anchors()},
        "settlement": settlement(),
    }


def members(signer: Signer) -> Gas:
    acts = acts_on(PointsLedger((GROCER,), chain=LedgerChain(with_p256=True)))
    gas: Gas = {}
    member = acts.enroll(signer)
    gas["enroll: one member"] = acts.outcome.gas_used
    others = [authorizer_of(key_of(name)) for name in ("second", "third", "fourth")]
    gas["changeAuthorizers: a second one"] = _relayed(acts, acts.relay(acts.change(member, others[0]), signer))
    gas["changeAuthorizers: a further one"] = _relayed(acts, acts.relay(acts.change(member, others[1]), signer))
    gas["setGrant: a new one"] = _relayed(acts, acts.relay(acts.grant(member), signer))
    gas["setGrant: another in its place"] = _relayed(acts, acts.relay(acts.grant(member, limits=(1, 2, 3)), signer))
    gas["setGrant: withdrawn"] = _relayed(acts, acts.relay(acts.grant(member, limits=(0, 0, 0)), signer))
    keeper, next_keeper = key_of("guardian of ann"), key_of("next guardian of ann")
    gas["requestAct: the first guardian, at once"] = _relayed(acts, acts.relay(acts.guardian(member, authorizer_of(keeper)), signer))
    gas["lockSpending"] = _relayed(acts, acts.relay(acts.spend_lock(member), signer))
    vetoed = acts.unlock(member)
    _relayed(acts, acts.relay(vetoed, signer))
    gas["vetoAct"] = _relayed(acts, acts.relay(acts.veto(vetoed), signer))
    delayed: dict[str, tuple[DelayedAct, Signer]] = {
        "an unlock": (acts.unlock(member), signer),
        "a removal": (replace(acts.removal(member, others[0]), nonce=acts.record(member).acts + 1), signer),
        "another guardian": (replace(acts.guardian(member, authorizer_of(next_keeper)), nonce=acts.record(member).acts + 2), signer),
        "a recovery, by a guardian's key": (acts.recovery(member, others[2]), keeper),
    }
    for name, (act, by) in delayed.items():
        gas[f"requestAct: {name}"] = _relayed(acts, acts.relay(act, by))
    acts.after(MEMBER_DELAY)
    for name, (act, _) in delayed.items():
        if name != "a recovery, by a guardian's key":
            gas[f"executeAct: {name}"] = _relayed(acts, acts.execute(act))
    again = acts.recovery(member, others[2], nonce=1)
    _relayed(acts, acts.relay(again, next_keeper))
    acts.after(MEMBER_DELAY)
    gas["executeAct: a recovery"] = _relayed(acts, acts.execute(again))
    return gas


def owners() -> Gas:
    ledger = PointsLedger((GROCER, FUEL))

    def turn() -> int:
        return int(ledger.view("ownerActs", GROCER))

    def done(act: SetBrandKey | SetBrandTerms | SetExposure | HandOver, *signers: str) -> int:
        outcome = ledger.owner_act(act, *[owner_key(GROCER), *map(key_of, signers)] if signers else [])
        assert outcome.succeeded, ledger.reverted(outcome)
        return outcome.gas_used

    till, successor = Address(address_of(key_of("till"))), Address(address_of(key_of("successor")))
    better, worse = replace(TERMS, fee_basis_points=TERMS.fee_basis_points - 1), replace(TERMS, fee_basis_points=TERMS.fee_basis_points + 1)
    return {
        "setBrandKey: a new one": done(SetBrandKey(GROCER, till, 0, FOREVER, False, turn(), FOREVER)),
        "setBrandKey: withdrawn": done(SetBrandKey(GROCER, till, 0, 1, False, turn(), FOREVER)),
        "setBrandTerms: better ones, at once": done(SetBrandTerms(GROCER, better, turn(), FOREVER)),
        "setBrandTerms: worse ones, announced": done(SetBrandTerms(GROCER, worse, turn(), FOREVER)),
        "setExposure: another in its place": done(SetExposure(GROCER, FUEL, 5, turn(), FOREVER)),
        "setExposure: of a brand for the first time": done(SetExposure(GROCER, NEW, 5, turn(), FOREVER)),
        "handOver: a succession": done(HandOver(GROCER, successor, True, turn(), FOREVER), "successor"),
    }


def governance() -> Gas:
    """Each act proposed, then executed with two approvals."""
    ledger = PointsLedger((GROCER, FUEL))
    last_day = local_day(ledger.now, UTC_OFFSET_SECONDS) + 400
    calls = {
        "registerBrand": (registration(NEW),),
        "setBrandLimit": (GROCER, 5),
        "startRunOff": (GROCER, last_day),
        "setBrandStatus": (GROCER, 1),
        "setBrandOwner": (GROCER, address_of(key_of("successor"))),
    }
    gas: Gas = {}
    for function, arguments in calls.items():
        _measure(ledger, gas, function, ledger.act((function, arguments)))
    _pause(ledger)
    _measure(ledger, gas, "rearmPause", ledger.act(("rearmPause", ())))
    many = ledger.act(*[("setBrandLimit", (GROCER, 10 + each)) for each in range(LIMITS_AT_ONCE)])
    _measure(ledger, gas, f"setBrandLimit, {LIMITS_AT_ONCE} at once", many)
    vetoed = ledger.governance.proposed(ledger.act(("setBrandOwner", (FUEL, address_of(key_of("x"))))))
    gas["veto"] = _succeeded(ledger, ledger.governance.veto(vetoed, owner_key(FUEL), brand=FUEL))
    own = {
        "setApprovers": ([address_of(key) for key in ledger.governance.approvers], 2),
        "updateDelay": (0,),
        "replaceOperator": (address_of(key_of("next operator")),),
        "replaceGuardian": (address_of(key_of("next guardian")),),
    }
    for function, arguments in own.items():
        if function == "replaceGuardian":
            ledger.chain.operator = key_of("next operator")
            assert ledger.chain.send(address_of(ledger.chain.operator), b"", value=ETHER, sender=STRANGER).succeeded
        _measure(ledger, gas, function, ledger.governance.on_itself(function, *arguments))
    return gas


def guardian() -> Gas:
    ledger = PointsLedger((GROCER,))
    gas: Gas = {"pause": _pause(ledger), "unpause": _succeeded(ledger, ledger.transact("unpause", sender=GUARDIAN))}
    act = ledger.governance.proposed(ledger.act(("setBrandLimit", (GROCER, 5))))
    gas["cancel"] = _succeeded(ledger, ledger.governance.cancel(act))
    successor = address_of(key_of("next operator"))
    gas["proposeOperator"] = _succeeded(ledger, ledger.governance.transact("proposeOperator", successor, bytes(32), sender=GUARDIAN))
    return gas


def release() -> Gas:
    gas: Gas = {}
    for lots in (1, 16):
        ledger = PointsLedger((FUEL, *range(3, 3 + lots)))
        member = ledger.enroll("ann")
        lines = [Line(brand, 0, 10) for brand in range(3, 3 + lots)]
        for line in lines:
            assert ledger.submit(line.brand_id, [Issue(member, 0, 100, BASIS, bytes(32))]) == []
        entry = ledger.consented(Authorize, FUEL, member, lines, key=key_of("ann"))
        assert ledger.submit(FUEL, [entry]) == []
        ledger.chain.set_time(entry.deadline + 1)
        outcome = ledger.release(ledger.reservation_id(FUEL, entry), [line.lot_id for line in lines])
        gas[f"release: a reservation of {lots} lot{'s' * (lots > 1)}"] = _succeeded(ledger, outcome)
    return gas


def anchors() -> Gas:
    chain, abi = LedgerChain(), contract_abi("Anchors")
    address = chain.deploy(abi.creation(COALITION_ID))
    signer, domain = key_of("auditor"), Domain(chain.chain_id, Address(address), Hash(COALITION_ID))

    def anchored(*given: Anchor) -> int:
        called = [each.called(Address(address_of(signer)), signature(signer, anchor_digest(domain, each))) for each in given]
        outcome = chain.send(address, abi.call("anchor", called), sender=STRANGER)
        assert outcome.succeeded, outcome.output
        return outcome.gas_used

    roots = [Hash(keccak(number.to_bytes(32))) for number in range(2 + ANCHORS_AT_ONCE)]
    subject, none = roots[0], Hash(bytes(32))
    sequence = [Anchor(1, subject, number, roots[number - 1] if number else none, root, 10) for number, root in enumerate(roots)]
    sequences = [Anchor(2, root, 0, none, root, 10) for root in roots[2:]]
    return {
        "anchor: the first of a sequence": anchored(sequence[0]),
        "anchor: a further one": anchored(sequence[1]),
        f"anchor: {ANCHORS_AT_ONCE} of one sequence at once": anchored(*sequence[2:]),
        f"anchor: {ANCHORS_AT_ONCE} of as many new sequences at once": anchored(*sequences),
    }


def settlement() -> Gas:
    agreed, pairs, applied, confirmed = settlement_gas.measure(CYCLE_BRANDS)
    return {
        f"agree: a cycle of {CYCLE_BRANDS} brands": agreed,
        f"applyPairs: one of {pairs} at once": applied,
        "confirmPaid: one pair": confirmed,
    }


def table(gas: Gas) -> str:
    """As it stands in contracts/README.md."""
    return "\n".join(["| Act | Gas |", "|---|--:|", *(f"| {act} | {used:,} |" for act, used in gas.items())])


def _relayed(acts: MemberActs, reason: str | None) -> int:
    assert reason is None, reason
    return acts.outcome.gas_used


def _measure(ledger: PointsLedger, gas: Gas, name: str, act: Act) -> None:
    kind = "Batch" if act.is_batch else ""
    proposed = ledger.governance.propose(act)
    gas[f"schedule{kind}: {name}"] = _succeeded(ledger, proposed)
    ledger.chain.set_time(max(ledger.now, ledger.governance.ready(act)))
    gas[f"execute{kind}Approved: {name}"] = _succeeded(ledger, ledger.governance.execute(act))


def _pause(ledger: PointsLedger) -> int:
    assert ledger.chain.send(address_of(GUARDIAN), b"", value=ETHER).succeeded
    return _succeeded(ledger, ledger.transact("pause", sender=GUARDIAN))


def _succeeded(ledger: PointsLedger, outcome: Outcome) -> int:
    assert outcome.succeeded, ledger.reverted(outcome)
    return outcome.gas_used


if __name__ == "__main__":
    print("\n\n".join(f"{whose}:\n\n{table(gas)}" for whose, gas in measure().items()))
