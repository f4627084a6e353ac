"""Gas per entry by kind, calldata included: what one more entry adds to a batch; and of whole batches of issues.

`python -m tests.builders.entry_gas` prints the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eth_utils import keccak

from gateway.ledger.entries import Authorize, Clawback, ConsentProof, Entry, Expire, Extend, Issue, Opening, Redeem, Restore, Void
from gateway.ledger.lots import Line, expiry_day_for
from gateway.ledger.member_acts import grant_to_brand, grant_to_member
from gateway.ledger.members import AuthorizerKind
from gateway.values.calendar import SECONDS_PER_DAY
from tests.builders.issues import BASIS, OPENING_BASIS
from tests.builders.ledger_chain import LedgerChain, key_of
from tests.builders.member_acts import acts_on
from tests.builders.passkeys import SoftwareAuthenticator
from tests.builders.points_ledger import UTC_OFFSET_SECONDS, PointsLedger, member_named

GROCER, FUEL = 1, 2
MEMBERS = 42
AMPLE = (2**40, 2**40, 2**40)
BATCHES = (1, 10, 100, 1_000)
NEW_AT_ONCE = 500


def measure() -> dict[str, int]:
    """{kind: gas}, for existing members and one lot an entry unless the kind says otherwise."""
    ledger = PointsLedger((GROCER, FUEL))
    day = expiry_day_for(ledger.now, UTC_OFFSET_SECONDS, 12)
    names = [f"member {index}" for index in range(MEMBERS)]
    for name in names:
        ledger.enroll(name)
    members = [member_named(name) for name in names]
    line = Line(GROCER, day, 60)

    def reference(index: int) -> bytes:
        return keccak(text=f"reference {index}")

    def consents(kind: type[Authorize] | type[Redeem], nonce: int) -> list[Authorize | Redeem]:
        return [
            ledger.consented(kind, FUEL, member, [line], key=key_of(name), nonce=nonce, reference=reference(nonce))
            for name, member in zip(names, members, strict=True)
        ]

    gas: dict[str, int] = {}
    issues = [Issue(member, day, 1_000, BASIS, reference(index)) for index, member in enumerate(members)]
    gas["issue, new member"] = _per_entry(ledger, GROCER, issues)
    gas["issue, existing member"] = _per_entry(ledger, GROCER, issues)
    openings = [Opening(member, day, 1_000, OPENING_BASIS, reference(index)) for index, member in enumerate(members)]
    gas["opening, existing member"] = _per_entry(ledger, GROCER, openings)
    ledger.submit(GROCER, [replace(issues[index % MEMBERS], reference=reference(index)) for index in range(1_000)], number=1_000)
    shown = [ledger.shown(GROCER, 1_000, index) for index in range(MEMBERS)]
    clawbacks = [Clawback(member, reference(1), issue, (line,)) for member, issue in zip(members, shown, strict=True)]
    gas["clawback, of one of 1,000 issues"] = _per_entry(ledger, GROCER, clawbacks)
    gas["clawback, further of the same issue"] = _per_entry(ledger, GROCER, clawbacks)
    restores = [Restore(member, reference(6), issue.number, issue.index, (line,)) for member, issue in zip(members, shown, strict=True)]
    gas["restore"] = _per_entry(ledger, GROCER, restores)
    gas["extend, new lot"] = _per_entry(ledger, GROCER, [Extend(member, day, 0, 10, reference(7)) for member in members])
    authorized = consents(Authorize, 1)
    gas["authorize"] = _per_entry(ledger, FUEL, authorized)
    reservations = [ledger.reservation_id(FUEL, entry) for entry in authorized]
    gas["capture"] = _per_entry(ledger, FUEL, [ledger.capture(each, [line], reference(3)) for each in reservations])
    gas["point refund"] = _per_entry(ledger, FUEL, [ledger.refund(each, [line], reference(4)) for each in reservations])
    authorized = consents(Authorize, 2)
    ledger.submit(FUEL, authorized)
    reservations = [ledger.reservation_id(FUEL, entry) for entry in authorized]
    gas["void"] = _per_entry(ledger, FUEL, [Void(each, reference(5), (line,)) for each in reservations])
    gas["redeem"] = _per_entry(ledger, FUEL, consents(Redeem, 3))
    acts = acts_on(ledger)
    for name, member, spender in zip(names, members, [*members[1:], members[0]], strict=True):
        for to in (grant_to_brand(FUEL), grant_to_member(spender)):
            assert acts.relay(acts.grant(member, to, AMPLE), key_of(name)) is None
    for nonce, time in ((4, "the first time"), (5, "again")):
        granted = [ledger.by_brand_grant(Redeem, FUEL, member, [line], reference(10 + nonce)) for member in members]
        gas[f"redeem, under a grant to the brand, {time}"] = _per_entry(ledger, FUEL, granted)
        spending = [
            ledger.consented(Redeem, FUEL, member, [line], key=key_of(name), spender=member_named(name), nonce=nonce)
            for name, member in zip([*names[1:], names[0]], members, strict=True)
        ]
        gas[f"redeem, under a grant to a member, {time}"] = _per_entry(ledger, FUEL, spending)
    (taker, takers_key), *givers = [(member, key_of(name)) for name, member in zip(names, members, strict=True)]
    gas["transfer"] = _per_entry(ledger, FUEL, [ledger.transfer(giver, taker, [line], key, takers_key) for giver, key in givers])
    ledger.chain.set_time((day + 1) * SECONDS_PER_DAY)
    left = [ledger.held(member, GROCER, day)[0] for member in members]
    gas["expire"] = _per_entry(ledger, GROCER, [Expire(member, day, points) for member, points in zip(members, left, strict=True)])
    return gas


def by_passkey() -> dict[str, int]:
    """Of members who consent by a passkey, on a chain with the precompile."""
    ledger = PointsLedger((GROCER, FUEL), chain=LedgerChain(with_p256=True))
    phones = [SoftwareAuthenticator(f"member {index}") for index in range(MEMBERS)]
    members = [ledger.enroll_passkey(phone.authorizer) for phone in phones]
    ledger.submit(GROCER, [Issue(member, 0, 1_000, BASIS, keccak(text="reference")) for member in members])
    entries = []
    for phone, member in zip(phones, members, strict=True):
        entry = ledger.consented(Redeem, FUEL, member, [Line(GROCER, 0, 60)], key=key_of("nobody"))
        entries.append(replace(entry, proof=ConsentProof(AuthorizerKind.PASSKEY, phone.consent(ledger.reservation_id(FUEL, entry)))))
    return {"redeem, by a passkey": _per_entry(ledger, FUEL, entries)}


def batches() -> dict[int, int]:
    """{issues: gas} of whole batches to existing members, all in one lot."""
    ledger = PointsLedger((GROCER,))
    day = expiry_day_for(ledger.now, UTC_OFFSET_SECONDS, 12)
    issues = [Issue(member_named(f"member {index}"), day, 1_000, BASIS, keccak(index.to_bytes(2))) for index in range(BATCHES[-1])]
    for first in range(0, len(issues), NEW_AT_ONCE):
        assert ledger.submit(GROCER, issues[first : first + NEW_AT_ONCE]) == []
    gas = {}
    for size in BATCHES:
        assert ledger.submit(GROCER, issues[:size]) == []
        gas[size] = ledger.last_outcome.gas_used
    return gas


def table(gas: dict[str, int]) -> str:
    """As it stands in contracts/README.md."""
    rows = [f"| {kind} | {gas[kind]:,} |" for kind in gas]
    return "\n".join(["| Entry | Gas |", "|---|--:|", *rows])


def batches_table(gas: dict[int, int]) -> str:
    """As it stands in contracts/README.md."""
    return "\n".join(["| Issues | Gas of the batch |", "|--:|--:|", *(f"| {size:,} | {used:,} |" for size, used in gas.items())])


def _per_entry(ledger: PointsLedger, brand: int, entries: Sequence[Entry]) -> int:
    """What one more entry adds, once the lot, the brands and what they owe have been written to before."""
    assert ledger.submit(brand, entries[:1]) == []
    assert ledger.submit(brand, entries[1:2]) == []
    alone = ledger.last_outcome.gas_used
    assert ledger.submit(brand, entries[2:]) == []
    return round((ledger.last_outcome.gas_used - alone) / (len(entries) - 3))


if __name__ == "__main__":
    print(table(measure() | by_passkey()), batches_table(batches()), sep="\n\n")
