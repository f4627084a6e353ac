"""What a brand's owner signs by command, and an act that its approvers execute where the gateway does not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from eth_utils import keccak

from gateway.chain.anchored import AnchorSequence
from gateway.commands.running.meeting import Meeting
from gateway.ledger.anchors import AnchorKind, brand_subject
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.ids import Address, Hash
from tests.builders.commanded_coalition import BRAND, CommandedCoalition
from tests.builders.lying_gateway import lying_gateway
from tests.node.running_node import throwaway_account

NEW_KEY = throwaway_account("another batch key").address.lower()
LOST_KEY = throwaway_account("a lost batch key").address.lower()
TERMS = ("--par", "9/10", "--redemption", "1/1", "--fee-basis-points", "25", "--run-off-days", "90", "--notice-days", "30")


def owner_says(commanded: CommandedCoalition, *command: str, person: str = "owner") -> Any:
    return commanded.command("brand", command[0], "--brand", str(BRAND), *command[1:], person=person)


def refused(commanded: CommandedCoalition, *command: str, person: str = "owner") -> Any:
    return commanded.command("brand", command[0], "--brand", str(BRAND), *command[1:], person=person, succeeds=False)


def shown(commanded: CommandedCoalition) -> dict[str, Any]:
    return dict(commanded.get(f"/v1/brands/{BRAND}"))


def keys(commanded: CommandedCoalition) -> dict[str, tuple[int, bool]]:
    """Until when each signs, and whether the operator holds it."""
    return {key["key_address"]: (key["valid_until"], key["managed"]) for key in shown(commanded)["keys"]}


def test_an_owner_says_how_many_points_of_others_the_brand_takes(commanded: CommandedCoalition) -> None:
    before = shown(commanded)["owner_acts"]
    answers = owner_says(commanded, "accept", "--issuer", "2", "--issuer", "3", "--most", "500")
    assert [answer["issuer_id"] for answer in answers] == [2, 3]
    for answer in answers:
        commanded.ended(answer["operation_id"], "confirmed")
    assert shown(commanded)["owner_acts"] == before + 2


def test_a_batch_key_is_added_and_withdrawn_by_its_brands_owner(commanded: CommandedCoalition) -> None:
    old = commanded.batch_key.address.lower()
    commanded.ended(owner_says(commanded, "key", "--key", NEW_KEY, "--managed")["operation_id"], "confirmed")
    assert keys(commanded) == {old: (2**40 - 1, False), NEW_KEY: (2**40 - 1, True)}
    commanded.ended(owner_says(commanded, "key", "--key", NEW_KEY, "--withdraw")["operation_id"], "confirmed")
    assert keys(commanded) == {old: (2**40 - 1, False), NEW_KEY: (1, False)}


def test_what_is_only_accepted_is_not_said_to_hold(commanded: CommandedCoalition) -> None:
    said = commanded.told("brand", "key", "--brand", str(BRAND), "--key", NEW_KEY, "--withdraw", person="owner")
    not_yet = "signed and handed over, but not on the ledger yet; it holds from when operation"
    found = re.fullmatch(rf"{NEW_KEY} is withdrawn: {not_yet} (\S+) is confirmed\.\n", said)
    assert found, said
    commanded.ended(found.group(1), "confirmed")


def test_a_key_is_withdrawn_on_a_chain_whose_time_is_behind(commanded: CommandedCoalition, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner's clock is two days ahead of the blocks'; for them the key has ended, too."""
    commanded.ended(owner_says(commanded, "key", "--key", LOST_KEY)["operation_id"], "confirmed")
    head = commanded.get("/v1/coalition")["head"]["timestamp"]
    monkeypatch.setattr(Meeting, "now", property(lambda _: head + 2 * SECONDS_PER_DAY))
    commanded.ended(owner_says(commanded, "key", "--key", LOST_KEY, "--withdraw")["operation_id"], "confirmed")
    valid_until, _ = keys(commanded)[LOST_KEY]
    block_time = int(commanded.node.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    assert (valid_until, valid_until <= block_time < head + 2 * SECONDS_PER_DAY) == (1, True)


def test_new_terms_hold_in_parts(commanded: CommandedCoalition) -> None:
    commanded.ended(owner_says(commanded, "terms", *TERMS)["operation_id"], "confirmed")
    brand = shown(commanded)
    assert brand["held_terms"]["par"] == {"numerator": 1, "denominator": 1}, "a lower par waits for the notice"
    announced = brand["announced_terms"]
    assert (announced["par"], announced["fee_basis_points"]) == ({"numerator": 9, "denominator": 10}, 25)


@pytest.mark.parametrize("command", [("key", "--key", NEW_KEY), ("terms", *TERMS), ("accept", "--issuer", "2", "--most", "5")])
def test_nobody_but_the_owner_says_it(commanded: CommandedCoalition, command: tuple[str, ...]) -> None:
    before = shown(commanded)["owner_acts"]
    told = refused(commanded, *command, person="successor")
    assert told["code"] == "wrong_state"
    assert "sign with its owner's key" in told["detail"]
    assert shown(commanded)["owner_acts"] == before


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("key", "--key", "0x12"), "0x and 40 hex digits"),
        (("key", "--key", NEW_KEY, "--withdraw", "--until", "5"), "leave --until out"),
        (("key", "--key", NEW_KEY, "--until", "5"), "name a moment to come, or end the key by --withdraw"),
        (("terms", *TERMS[:1], "0/5", *TERMS[2:]), "--par is 0/5: write minor units by points"),
        (("terms", *TERMS[:3], "1", *TERMS[4:]), "--redemption is 1: write minor units by points"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_signed(commanded: CommandedCoalition, command: tuple[str, ...], says: str) -> None:
    told = refused(commanded, *command)
    assert (told["code"], says in told["detail"]) == ("invalid", True), told


def test_a_document_is_never_signed_twice_under_a_number(commanded: CommandedCoalition) -> None:
    """A gateway that keeps back what the owner published would have the next one replace it."""
    owner_says(commanded, "publish", "--agent", NEW_KEY)
    posted: list[str] = []
    with lying_gateway(commanded.url, {f"/v1/brands/{BRAND}/documents": lambda truth: []}, posted) as url:
        again = "brand", "publish", "--brand", str(BRAND), "--agent", NEW_KEY
        told = commanded.command(*again, person="owner", gateway=url, succeeds=False)
    assert (told["code"], posted) == ("wrong_state", [])
    assert f"the gateway shows 0 documents of brand {BRAND}, you published 1: it keeps some back" in told["detail"]
    owner_says(commanded, "publish", "--agent", NEW_KEY)
    assert [each["number"] for each in commanded.get(f"/v1/brands/{BRAND}/documents")] == [1, 2]


def test_a_document_is_anchored_from_the_owners_own_account(commanded: CommandedCoalition) -> None:
    """Where the gateway throws it away, the chain keeps how many there were."""
    commanded.give_ether("owner")
    before = [owner_says(commanded, "publish", "--agent", NEW_KEY, *option) for option in ((), ("--anchor",), ("--anchor",))]
    assert [told["anchored"] is None for told in before] == [True, False, False]
    at, owner = commanded.known.contracts["Anchors"], Address.parse(commanded.account("owner").address)
    sequence = AnchorSequence(commanded.chain, at, owner, AnchorKind.BRAND_DOCUMENT, brand_subject(BRAND))
    kept = commanded.get(f"/v1/brands/{BRAND}/documents")[-2:]
    assert [(sequence.at(number).count, sequence.at(number).root) for number in range(sequence.length())] == [
        (each["number"], Hash(keccak(text=each["document"]))) for each in kept
    ]
