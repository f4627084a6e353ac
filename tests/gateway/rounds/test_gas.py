"""Gas bounds hold against the real contract for the dearest entry of each kind: every slot new, every pair of brands new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from eth_utils import keccak

from gateway.ledger.entries import (
    BRAND_GRANT,
    MEMBER_GRANT,
    Authorize,
    ConsentProof,
    Entry,
    Expire,
    Extend,
    Issue,
    Redeem,
    Restore,
    Void,
    encode_entry,
)
from gateway.ledger.framing import pack_entries
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import grant_to_brand, grant_to_member
from gateway.rounds.gas import ENROLL_GAS, TRANSACTION_GAS_MAX, VERIFIER_GAS, batch_gas, entry_gas, release_gas
from gateway.values.calendar import SECONDS_PER_DAY, local_day, month_end
from tests.builders.entry_gas import AMPLE
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import LedgerChain, key_of
from tests.builders.member_acts import acts_on
from tests.builders.passkeys import SoftwareAuthenticator
from tests.builders.points_ledger import UTC_OFFSET_SECONDS, PointsLedger, member_named

ISSUERS = range(2, 18)
ACCEPTOR, SECOND_ACCEPTOR = 18, 19


class Measured:
    """What the dearest entries used and what was allowed for them, by name."""

    def __init__(self) -> None:
        self.used: dict[str, tuple[int, int]] = {}
        self.ledger = PointsLedger((1, *ISSUERS, ACCEPTOR, SECOND_ACCEPTOR), exposed=False)
        for issuer in ISSUERS:
            self.ledger.expose(ACCEPTOR, issuer, 1_000)
            self.ledger.expose(SECOND_ACCEPTOR, issuer, 1_000)
        today = local_day(self.ledger.now, UTC_OFFSET_SECONDS)
        self.days = [month_end(today + 31 * (month + 2)) for month in range(60)]
        self.names = [f"member {index}" for index in range(40)]
        for name in self.names:
            self.ledger.enroll(name)
        self.members = [member_named(name) for name in self.names]
        self._run()

    def _run(self) -> None:
        day, (first, second, *_) = self.days[0], self.members
        self._submit("issues into new lots", 1, [Issue(m, d, 100, BASIS, ref(1)) for m, d in zip(self.members, self.days, strict=False)])
        number = 0
        for brand in ISSUERS:
            self._submit("two issues", brand, [Issue(first, day, 100, BASIS, ref(2)), Issue(second, day, 100, BASIS, ref(3))])
            number = self.ledger.last_number if brand == 2 else number
        self._submit("an issue alone", 1, [Issue(first, self.days[50], 100, BASIS, ref(4))])
        lines = tuple(Line(brand, day, 10) for brand in ISSUERS)
        self._submit("redeem", ACCEPTOR, [self._consented(Redeem, ACCEPTOR, 0, lines)])
        self._redeem_under_grants(lines)
        reserved = self._consented(Authorize, SECOND_ACCEPTOR, 0, lines)
        self._submit("authorize", SECOND_ACCEPTOR, [reserved])
        captured = self.ledger.reservation_id(SECOND_ACCEPTOR, reserved)
        self._submit("capture", SECOND_ACCEPTOR, [self.ledger.capture(captured, lines, ref(5))])
        other = self._consented(Authorize, SECOND_ACCEPTOR, 1, lines)
        self._submit("authorize again", SECOND_ACCEPTOR, [other])
        self._submit("void", SECOND_ACCEPTOR, [Void(self.ledger.reservation_id(SECOND_ACCEPTOR, other), ref(6), lines)])
        self._submit("clawback", 2, [self.ledger.clawback(2, second, Line(2, day, 5), number=number, index=1)])
        self._submit("restore into a new lot", 2, [Restore(second, ref(7), number, 1, (Line(2, self.days[40], 5),))])
        self._submit("extend to a new lot", 2, [Extend(second, self.days[40], self.days[41], 5, ref(8))])
        moved = [Line(brand, day, 7) for brand in ISSUERS]
        keys = key_of(self.names[0]), key_of(self.names[2])
        self._submit("transfer", ACCEPTOR, [self.ledger.transfer(first, self.members[2], moved, *keys)])
        ends = (day + 1) * SECONDS_PER_DAY - UTC_OFFSET_SECONDS
        self.ledger.chain.set_time(ends - 60)
        left = self._consented(Authorize, SECOND_ACCEPTOR, 1, lines, nonce=1)
        late = self._consented(Authorize, SECOND_ACCEPTOR, 2, [replace(line, points=5) for line in lines])
        self._submit("authorize to be left", SECOND_ACCEPTOR, [left])
        self._submit("authorize to be voided late", SECOND_ACCEPTOR, [late])
        self.ledger.chain.set_time(late.deadline + 1)
        left_id, late_id = (self.ledger.reservation_id(SECOND_ACCEPTOR, entry) for entry in (left, late))
        released = self.ledger.release(left_id, [line.lot_id for line in lines])
        assert released.succeeded
        self.used["release into grace lots"] = released.gas_used, release_gas(len(lines))
        self._submit("void into grace lots", SECOND_ACCEPTOR, [Void(late_id, ref(11), late.lines)])
        self.ledger.chain.set_time(ends + 2 * SECONDS_PER_DAY)
        given_back = tuple(Line(line.brand_id, line.expiry_day, 5) for line in lines)
        self._submit("point refund into grace lots", SECOND_ACCEPTOR, [self.ledger.refund(captured, given_back, ref(9))])
        self._submit("expire", 2, [Expire(second, day, self.ledger.held(second, 2, day)[0])])

    def _redeem_under_grants(self, lines: Sequence[Line]) -> None:
        acts, (giver, spender) = acts_on(self.ledger), self.names[:2]
        for to in (grant_to_brand(ACCEPTOR), grant_to_member(member_named(spender))):
            assert acts.relay(acts.grant(self.members[0], to, AMPLE), key_of(giver)) is None
        self._submit("redeem under a grant to the brand", ACCEPTOR, [self._granted(lines)])
        terms = {"key": key_of(spender), "spender": member_named(spender), "reference": ref(13), "nonce": 5}
        self._submit(
            "redeem under a grant to a member", ACCEPTOR, [self.ledger.consented(Redeem, ACCEPTOR, self.members[0], lines, **terms)]
        )

    def _granted(self, lines: Sequence[Line]) -> Authorize | Redeem:
        return self.ledger.by_brand_grant(Redeem, ACCEPTOR, self.members[0], lines, ref(12))

    def _consented(
        self, kind: type[Authorize] | type[Redeem], brand: int, member: int, lines: Sequence[Line], nonce: int = 0
    ) -> Authorize | Redeem:
        key = key_of(self.names[member])
        return self.ledger.consented(kind, brand, self.members[member], lines, key=key, reference=ref(10), nonce=nonce)

    def _submit(self, name: str, brand: int, entries: Sequence[Entry]) -> None:
        assert self.ledger.submit(brand, entries) == []
        self.used[name] = self.ledger.last_outcome.gas_used, batch_gas(sum(entry_gas(entry) for entry in entries))


def ref(number: int) -> bytes:
    return keccak(text=f"reference {number}")


@pytest.fixture(scope="module")
def measured() -> Measured:
    return Measured()


def test_the_dearest_entries_stay_within_what_is_allowed_for_them(measured: Measured) -> None:
    assert {name: figures for name, figures in measured.used.items() if figures[0] > figures[1]} == {}


def test_issues_into_new_lots_are_allowed_little_more_than_they_need(measured: Measured) -> None:
    used, allowed = measured.used["issues into new lots"]
    assert allowed < 1.25 * used


def test_a_grant_is_allowed_no_verifier_but_where_another_members_proof_asks_one() -> None:
    giver, spender = b"\x01" * 20, b"\x02" * 20
    blank = Redeem(giver, ref(1), bytes(32), 0, 1, 10, 0, ConsentProof(1, b""), (Line(1, 0, 10),))
    by_key = entry_gas(blank)
    assert entry_gas(replace(blank, proof=ConsentProof(BRAND_GRANT, b""))) < by_key + VERIFIER_GAS // 4
    assert entry_gas(replace(blank, proof=ConsentProof(MEMBER_GRANT, spender + b"\x01"))) < by_key + VERIFIER_GAS // 4
    assert entry_gas(replace(blank, proof=ConsentProof(MEMBER_GRANT, spender + b"\x03"))) > by_key + VERIFIER_GAS


def test_no_batch_is_allowed_more_than_a_transaction_may_have() -> None:
    assert batch_gas(10**9) == TRANSACTION_GAS_MAX


@pytest.mark.parametrize("with_p256", [True, False], ids=["precompile", "library"])
def test_a_batch_of_passkeys_consents_has_gas_enough_to_ask_the_verifier(with_p256: bool) -> None:
    """With too little left the ledger reverts the batch rather than refuse a good proof."""
    ledger = PointsLedger((1,), chain=LedgerChain(with_p256=with_p256))
    ann = SoftwareAuthenticator("ann", origin="https://" + "a" * 120)
    member = ledger.enroll_passkey(ann.authorizer)
    ledger.submit(1, [Issue(member, 0, 100, BASIS, ref(1))])
    entries = []
    for nonce in range(4):
        blank = Redeem(member, ref(2), bytes(32), nonce, ledger.now + 600, 10, 0, ConsentProof(3, b""), (Line(1, 0, 10),))
        proof = ann.consent(ledger.reservation_id(1, blank), extensions=b"\xa0" * 218)
        entries.append(replace(blank, proof=ConsentProof(3, proof)))
    packed = pack_entries([encode_entry(entry) for entry in entries])
    call = ledger.abi.call("submitBatch", *ledger.signed(1, ledger.next_number(), packed))
    outcome = ledger.chain.send(ledger.address, call, gas=batch_gas(sum(entry_gas(entry) for entry in entries)))
    assert outcome.succeeded
    assert [event.name for event in ledger.events(outcome) if event.name == "EntryRefused"] == []
    assert ledger.held(member, 1) == (60, 0)


def test_the_longest_passkeys_are_enrolled_within_what_is_allowed() -> None:
    ledger = PointsLedger((1,))
    long = [SoftwareAuthenticator(str(number), origin="https://" + "a" * 120).authorizer for number in range(20)]
    register, abi = ledger.place("enroll")
    call = abi.call("enroll", [(3, authorizer, bytes(32)) for authorizer in long])
    assert ledger.chain.send(register, call, gas=50_000 + ENROLL_GAS * len(long)).succeeded
