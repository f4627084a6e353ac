"""A brand's liability on the real ledger, by the product's own commands: what is published is what a stranger adds up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from gateway.commands.liability import liability
from gateway.receipts.prove import receipt_of_points
from scripts.verify_liability import Asked, Refused, Trust, verify
from tests.builders.coalition import brand_owner
from tests.node.running_node import throwaway_account
from tests.receipts.lived_coalition import FUEL, GROCER, LivedCoalition

SOURCE = "0x" + keccak(b"the bank's confirmation").hex()


def run(lived: LivedCoalition, *arguments: object) -> Result:
    return CliRunner().invoke(liability, [str(one) for one in arguments], obj=lived.coalition.settings)


def drafted(lived: LivedCoalition, file: Path, brand: int = GROCER, *more: object) -> dict[str, Any]:
    done = run(lived, "draft", "--brand", brand, "-o", file, "--json", *more)
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.output)
    return answer


def signed(draft: dict[str, Any], brand: int = GROCER) -> str:
    message = encode_typed_data(full_message=draft["typed_data"])
    return "0x" + bytes(Account.sign_message(message, brand_owner(brand).key).signature).hex()


def published(lived: LivedCoalition, file: Path, brand: int = GROCER) -> dict[str, Any]:
    draft = drafted(lived, file, brand, "--coverage-minor", 123_456, "--coverage-source", SOURCE)
    handed_over = run(lived, "publish", file, "--signature", signed(draft, brand))
    assert handed_over.exit_code == 0, handed_over.output
    assert "Run this again" in handed_over.output
    lived.coalition.work_off()
    done = run(lived, "publish", file, "--json")
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.output)
    assert (answer["is_signed"], answer["is_anchored"]) == (True, True)
    return answer


def trust(lived: LivedCoalition, brand: int = GROCER) -> Trust:
    owner = bytes.fromhex(brand_owner(brand).address[2:])
    anchors = lived.coalition.coalition.anchors_address
    return Trust(lived.trust.genesis_hash, lived.trust.sealer, lived.trust.points_address, anchors, owner)


def verdict(lived: LivedCoalition, file: Path, **other: Any) -> dict[str, Any]:
    document = file.read_text()
    asked = Asked(now=json.loads(document)["block"]["timestamp"] + 60)
    return verify(document, other.get("trust", trust(lived)), asked, other.get("receipt"))


def test_the_published_total_is_a_strangers_sum_and_holds_members_points(lived: LivedCoalition, tmp_path: Path) -> None:
    file = tmp_path / "statement.json"
    answer = published(lived, file)
    database, chain, block = lived.coalition.database, lived.coalition.chain, answer["block"]
    receipts = [receipt_of_points(database, chain, str(member), block) for member in lived.coalition.member_keys]
    of_grocer = [lot for receipt in receipts for lot in receipt["points"]["lots"] if lot["brand"] == GROCER]
    assert answer["total"] == sum(lot["held"] for lot in of_grocer) > 0
    for receipt in receipts:
        proven = verdict(lived, file, receipt=json.dumps(receipt))
        assert proven["total"] == answer["total"]
        assert 0 < proven["receipt"]["held"] <= answer["total"]
    assert proven["stated_coverage"] == {"amount_minor": 123_456, "currency": "USD", "source": SOURCE}
    shown = run(lived, "show", file).output
    assert f"brand 1 owed {answer['total']:,} points" in shown
    assert "1234.56 USD" in shown
    assert "signed by 0x" in shown


def test_a_later_statement_makes_an_earlier_one_stale(lived: LivedCoalition, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    published(lived, first)
    assert verdict(lived, first)["is_anchored"]
    number = json.loads(first.read_text())["anchor"]["number"]
    published(lived, second)
    assert json.loads(second.read_text())["anchor"]["number"] == number + 1
    assert run(lived, "publish", first).exit_code == 0
    with pytest.raises(Refused) as refused:
        verdict(lived, first)
    assert refused.value.code == "superseded"
    verdict(lived, second)


def test_nobody_but_the_brands_owner_signs_it(lived: LivedCoalition, tmp_path: Path) -> None:
    file = tmp_path / "statement.json"
    draft = drafted(lived, file, FUEL)
    unsigned = run(lived, "publish", file)
    assert unsigned.exit_code == 1
    assert "give its owner's signature with --signature" in unsigned.stderr
    other = run(lived, "publish", file, "--signature", signed(draft, GROCER))
    assert other.exit_code == 1
    assert "sign the typed data of this draft with the owner's key" in other.stderr
    assert json.loads(file.read_text())["anchor"]["signature"] is None
    with pytest.raises(Refused) as refused:
        verdict(lived, file, trust=trust(lived, FUEL))
    assert refused.value.code == "not_signed"
    assert throwaway_account("anyone").address != draft["signer"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--brand", 9), "There is no brand 9"),
        (("--brand", 1, "--block", 10**6), "is not known here"),
        (("--brand", 1, "--coverage-minor", 5), "give both or neither"),
        (("--brand", 1, "--coverage-minor", 5, "--coverage-source", "0x1"), "0x and 64 hex digits"),
    ],
)
def test_what_cannot_be_drafted_is_refused_with_what_to_do(
    lived: LivedCoalition, tmp_path: Path, arguments: tuple[object, ...], said: str
) -> None:
    done = run(lived, "draft", "-o", tmp_path / "statement.json", *arguments)
    assert done.exit_code != 0
    assert said in done.stderr


def test_what_is_no_statement_is_refused(lived: LivedCoalition, tmp_path: Path) -> None:
    file = tmp_path / "statement.json"
    for text in ("no JSON", "[]", "{}", '{"format": "splittally-liability/1"}'):
        file.write_text(text)
        for command in ("show", "publish"):
            done = run(lived, command, file)
            assert done.exit_code == 1, text
            assert "splittally liability draft" in done.stderr
