"""A gateway that shows another act than it has signed, or speaks for another coalition: second people refuse, and sign nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.chain.artifacts import contract_named
from gateway.ledger.governance import act_id
from gateway.second_people import act_words
from gateway.second_people.act_words import ActCall
from gateway.second_people.check_act import ToldAct, check_act
from gateway.second_people.known_coalition import KnownCoalition
from gateway.second_people.person import make_person, open_person
from gateway.secret_files import UnsafeFile, make_secret
from gateway.values.errors import Invalid, WrongState
from gateway.values.ids import Address, Hash, OperationId
from tests.trust.powers import POWERS

BRANDS, GOVERNANCE, ELSEWHERE = (Address(bytes([number]) * 20) for number in (1, 2, 3))
COALITION = KnownCoalition(Hash(b"\x05" * 32), 1337, False, 100, {"Brands": BRANDS, "Governance": GOVERNANCE})
SALT = Hash(b"\x06" * 32)
BY_ACT = ("NotGovernance", "TimelockUnauthorizedCaller")


@dataclass(frozen=True)
class Standing:
    """A ledger on which the act is ready at a moment, and a limit of 7 holds."""

    ready: int | None = 50

    def ready_at(self, act: ToldAct) -> int | None:
        return self.ready

    def holds(self, call: ActCall) -> dict[str, Any]:
        return {"issue limit": 7}


def told(data: bytes, target: Address = BRANDS, salt: Hash = SALT) -> ToldAct:
    return ToldAct(OperationId("act"), act_id(target, data, salt), target, data, salt)


LIMIT = contract_named("Brands").call("setBrandLimit", 1, 9)


def test_an_honest_act_is_told_with_what_it_changes_and_when_it_may_be_signed() -> None:
    checked = check_act(told(LIMIT), COALITION, Standing(), first_seen=lambda: 30)
    assert (checked.words, checked.changes) == ("brand 1 may have at most 9 points outstanding", {"issue limit": (7, 9)})
    assert checked.signable_from == 130, "the delay since it was first seen"
    assert check_act(told(LIMIT), COALITION, Standing(ready=500), first_seen=lambda: 30).signable_from == 500, "or since it was proposed"


@pytest.mark.parametrize("function", ["replaceGuardian", "replaceOperator"])
def test_whom_it_replaces_has_three_delays_by_the_persons_own_clock_too(function: str) -> None:
    """Where the chain lagged behind when it was proposed, it is ready early."""
    act = told(contract_named("Governance").call(function, ELSEWHERE), GOVERNANCE)
    assert check_act(act, COALITION, Standing(), first_seen=lambda: 30).signable_from == 330


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (replace(told(LIMIT), data=contract_named("Brands").call("setBrandLimit", 1, 10)), "is not that of the call"),
        (replace(told(LIMIT), salt=Hash(bytes(32))), "is not that of the call"),
        (replace(told(LIMIT), act_id=Hash(bytes(32))), "is not that of the call"),
        (told(LIMIT, ELSEWHERE), "no contract of this coalition"),
        (told(LIMIT, GOVERNANCE), "no act of Governance"),
        (told(LIMIT + b"\0"), "no act of Brands"),
        (told(LIMIT[:-1]), "no act of Brands"),
        (told(b""), "no act of Brands"),
    ],
    ids=["another call", "another salt", "another id", "elsewhere", "another contract", "more bytes", "fewer bytes", "none"],
)
def test_an_act_that_is_not_what_it_is_shown_as_is_refused(act: ToldAct, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        check_act(act, COALITION, Standing(), first_seen=lambda: 30)


def test_an_act_that_is_not_on_the_chain_is_refused() -> None:
    with pytest.raises(WrongState, match="not proposed"):
        check_act(told(LIMIT), COALITION, Standing(ready=None), first_seen=lambda: 30)


def test_nobodys_delay_begins_with_an_act_that_is_not_what_it_is_shown_as_or_not_proposed(tmp_path: Path) -> None:
    make_person(tmp_path / "ann")
    person = open_person(tmp_path / "ann")
    for act, ledger in ((replace(told(LIMIT), data=b""), Standing()), (told(LIMIT), Standing(ready=None))):
        with pytest.raises((Invalid, WrongState)):
            check_act(act, COALITION, ledger, lambda: person.first_saw(told(LIMIT).act_id, 5))
    assert check_act(told(LIMIT), COALITION, Standing(), lambda: person.first_saw(told(LIMIT).act_id, 900)).signable_from == 1_000


def test_no_date_in_an_act_is_beyond_words() -> None:
    """Whoever proposes writes any number into it: telling one act may not keep the others from being told."""
    assert (act_words.day_text(1), act_words.day_text(2**24 - 1)) == ("1970-01-02", "day 16,777,215 since 1970")
    assert (act_words.moment_text(2**40 - 1), act_words.moment_text(2**40 - 2)) == ("for good", "second 1,099,511,627,774 since 1970")


def test_every_function_that_only_an_act_may_call_has_its_words_and_what_it_changes() -> None:
    by_act = {name for powers in POWERS.values() for name, power in powers.items() if power.refusal in BY_ACT}
    assert by_act == set(act_words._SENTENCES) == set(act_words._THEN)


def test_another_coalition_than_the_one_first_seen_is_refused(tmp_path: Path) -> None:
    make_person(tmp_path / "ann")
    person = open_person(tmp_path / "ann")
    assert person.known(COALITION) == COALITION
    assert person.known(replace(COALITION, delay_seconds=5)).delay_seconds == 5, "an act changes it: the contract has the last word"
    for other in (
        replace(COALITION, chain_id=1),
        replace(COALITION, sandbox=True),
        replace(COALITION, contracts={**COALITION.contracts, "Governance": ELSEWHERE}),
    ):
        with pytest.raises(WrongState, match="another coalition"):
            person.known(other)


def test_an_act_was_first_seen_once(tmp_path: Path) -> None:
    make_person(tmp_path / "ann")
    for _ in range(2):
        person = open_person(tmp_path / "ann")
        assert [person.first_saw(SALT, now) for now in (5, 9)] == [5, 5]


def test_a_key_is_made_once_and_opens_with_its_own_passphrase(tmp_path: Path) -> None:
    for name, words in (("right", "correct horse"), ("wrong", "battery staple")):
        make_secret(tmp_path / name, words)
    address = make_person(tmp_path / "bea", tmp_path / "right")
    assert open_person(tmp_path / "bea", tmp_path / "right").address == address
    for passphrase in (tmp_path / "wrong", None):
        with pytest.raises(UnsafeFile, match="passphrase"):
            open_person(tmp_path / "bea", passphrase)
    with pytest.raises(WrongState, match="a key is never made twice"):
        make_person(tmp_path / "bea")
    files = [path for path in (tmp_path / "bea").rglob("*") if path.is_file()]
    assert [path.stat().st_mode & 0o077 for path in files] == [0] * len(files)
