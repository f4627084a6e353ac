"""What a receipt shows beyond its seal: who countersigned, who handed over to whom, whether it is a sandbox, whether lots are left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

from scripts.verify_receipt import Refused, Trust, main, verify
from tests.receipts.own_chain import FIRST_SEALER, FUEL, GROCER, HIDDEN_LOT, LOT, MEMBERS, OTHER_LOT, OwnChain, address_of
from tests.receipts.test_forged_receipts import altered, flipped, raised
from tests.receipts.test_hostile_receipts import trusted

ANN, BOB, EVE, NEXT, LAST = (PrivateKey(keccak(name)) for name in (b"ann", b"bob", b"eve", b"next", b"last"))
BOTH = frozenset({address_of(ANN), address_of(BOB)})
WITNESSED = OwnChain(witnesses=((ANN, 0, 4), (BOB, 3, -2)), links=3)


def code(document: dict[str, Any], trust: Trust, **asked: Any) -> str:
    try:
        verify(json.dumps(document), trust, **asked)
    except Refused as refusal:
        return refusal.code
    return "genuine"


def asking(chain: OwnChain, witnesses: frozenset[bytes], needed: int) -> Trust:
    return replace(chain.trust, witnesses=witnesses, witnesses_needed=needed)


# Witnesses


def test_witnesses_at_the_block_and_above_it_are_counted_and_named() -> None:
    for document in (WITNESSED.entry_receipt(), WITNESSED.points_receipt()):
        proven = verify(json.dumps(document), asking(WITNESSED, BOTH, 2), may_omit=True)
        assert [(each["block_number"], each["trusted"], each["in_time"]) for each in proven["witnesses"]] == [
            (7, True, True),
            (10, True, True),
        ]
        assert not any("countersigned" in each for each in proven["not_shown"])


def test_a_receipt_without_the_witnesses_that_are_asked_for_is_refused() -> None:
    assert code(OwnChain().entry_receipt(), asking(OwnChain(), BOTH, 1)) == "not_witnessed"
    assert code(WITNESSED.entry_receipt(), asking(WITNESSED, frozenset({address_of(EVE)}), 1)) == "not_witnessed"
    alone = OwnChain(witnesses=((ANN, 0, 0),))
    assert code(alone.entry_receipt(), asking(alone, BOTH, 2)) == "not_witnessed"
    assert code(alone.entry_receipt(), asking(alone, BOTH, 1)) == "genuine"


def test_what_nobody_countersigned_is_said_to_show_less() -> None:
    said = verify(json.dumps(OwnChain().entry_receipt()), OwnChain().trust)["not_shown"]
    assert any("the sealer showed others another chain is not excluded" in each for each in said)
    assert any("time is the sealer's word alone" in each for each in said)


@pytest.mark.parametrize(("seconds", "verdict"), [(300, "genuine"), (301, "not_witnessed"), (-300, "genuine"), (-301, "not_witnessed")])
def test_a_witness_whose_clock_was_too_far_off_does_not_count_but_in_a_sandbox(seconds: int, verdict: str) -> None:
    chain = OwnChain(witnesses=((ANN, 0, seconds),))
    assert code(chain.entry_receipt(), asking(chain, BOTH, 1)) == verdict
    sandbox = replace(chain, sandbox=True)
    assert code(sandbox.entry_receipt(), asking(sandbox, BOTH, 1)) == "genuine"
    assert code(chain.entry_receipt(), replace(asking(chain, BOTH, 1), skew_seconds=400)) == "genuine"


CHECKPOINT_FORGERIES: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "a witness": ("checkpoint_wrong", lambda d: altered(d, "checkpoints", "signed", 0, "witness", to="0x" + address_of(EVE).hex())),
    "a clock": ("checkpoint_wrong", lambda d: altered(d, "checkpoints", "signed", 0, "witnessed_at", to=raised)),
    "a number": ("checkpoint_wrong", lambda d: altered(d, "checkpoints", "signed", 0, "number", to=raised)),
    "a number below the block": ("checkpoint_wrong", lambda d: altered(d, "checkpoints", "signed", 0, "number", to=1)),
    "a signature": (
        "checkpoint_wrong",
        lambda d: altered(d, "checkpoints", "signed", 1, "signature", to=d["checkpoints"]["signed"][0]["signature"]),
    ),
    "a header between": ("checkpoint_wrong", lambda d: altered(d, "checkpoints", "headers", 1, to=flipped)),
    "a header left out": ("checkpoint_wrong", lambda d: altered(d, "checkpoints", "headers", to=lambda headers: headers[1:])),
    "the last header left out": ("checkpoint_wrong", lambda d: altered(d, "checkpoints", "headers", to=lambda headers: headers[:-1])),
    "a header more": ("checkpoint_wrong", lambda d: altered(d, "checkpoints", "signed", to=lambda signed: signed[:1])),
    "a witness twice": ("malformed", lambda d: altered(d, "checkpoints", "signed", to=lambda signed: [signed[0], *signed])),
}


@pytest.mark.parametrize("name", CHECKPOINT_FORGERIES)
def test_an_altered_checkpoint_is_refused(name: str) -> None:
    expected, forge = CHECKPOINT_FORGERIES[name]
    assert code(forge(WITNESSED.entry_receipt()), asking(WITNESSED, BOTH, 0)) == expected


def test_a_checkpoint_of_another_chain_or_of_another_story_is_none_of_this_one() -> None:
    other_chain = replace(WITNESSED, seed=b"other").entry_receipt()["checkpoints"]
    assert code(altered(WITNESSED.entry_receipt(), "checkpoints", to=other_chain), WITNESSED.trust) == "checkpoint_wrong"
    other_story = replace(WITNESSED, points_of_first=121).entry_receipt()
    assert code(altered(WITNESSED.entry_receipt(), "checkpoints", to=other_story["checkpoints"]), WITNESSED.trust) == "checkpoint_wrong"
    assert code(other_story, WITNESSED.trust) == "genuine", "both are sealed: only the witnesses tell which"


# Sealers

ROTATED = OwnChain(sealer=LAST, handovers=((3, FIRST_SEALER, NEXT), (7, NEXT, LAST)))


@pytest.mark.parametrize("key", [FIRST_SEALER, NEXT, LAST])
def test_a_trusted_sealer_vouches_for_those_it_handed_over_to(key: PrivateKey) -> None:
    trust = replace(ROTATED.trust, sealer=address_of(key))
    proven = verify(json.dumps(ROTATED.entry_receipt()), trust)
    assert proven["sealer"] == "0x" + address_of(LAST).hex()


def test_a_sealer_vouches_for_none_before_it() -> None:
    assert code(OwnChain().entry_receipt(), replace(OwnChain().trust, sealer=address_of(NEXT))) == "sealer_not_trusted"
    before = replace(ROTATED, sealer=NEXT, handovers=ROTATED.handovers[:1])
    assert code(before.entry_receipt(), replace(before.trust, sealer=address_of(LAST))) == "sealer_not_trusted"


FORGED_HANDOVERS: dict[str, tuple[str, OwnChain]] = {
    "by a stranger": ("handover_wrong", replace(ROTATED, handovers=((3, EVE, NEXT), (7, NEXT, LAST)))),
    "by one that had handed over": ("handover_wrong", replace(ROTATED, handovers=((3, FIRST_SEALER, NEXT), (7, FIRST_SEALER, LAST)))),
    "in another order": ("handover_wrong", replace(ROTATED, handovers=((7, FIRST_SEALER, NEXT), (3, NEXT, LAST)))),
    "at one block": ("handover_wrong", replace(ROTATED, handovers=((7, FIRST_SEALER, NEXT), (7, NEXT, LAST)))),
    "at the genesis": ("handover_wrong", replace(ROTATED, handovers=((0, FIRST_SEALER, NEXT), (7, NEXT, LAST)))),
    "after the block": ("handover_wrong", replace(ROTATED, handovers=((3, FIRST_SEALER, NEXT), (8, NEXT, LAST)))),
    "to somebody else": ("sealer_not_trusted", replace(ROTATED, sealer=EVE)),
    "sealed by the one before": ("sealer_not_trusted", replace(ROTATED, sealer=NEXT)),
    "left out": ("sealer_not_trusted", replace(ROTATED, handovers=())),
}


@pytest.mark.parametrize("name", FORGED_HANDOVERS)
def test_a_forged_handover_is_refused(name: str) -> None:
    expected, chain = FORGED_HANDOVERS[name]
    assert code(chain.entry_receipt(), ROTATED.trust) == expected
    assert code(chain.entry_receipt(), replace(ROTATED.trust, sealer=address_of(FIRST_SEALER))) == expected


def test_a_handover_signed_for_another_block_is_none() -> None:
    document = altered(ROTATED.entry_receipt(), "coalition", "handovers", 0, "block", to=4)
    assert code(document, ROTATED.trust) == "handover_wrong"


# Lots


def test_a_receipt_of_points_that_may_leave_lots_out_is_refused_unless_asked() -> None:
    for document in (OwnChain().bare_points_receipt(), OwnChain().points_receipt()):
        assert code(document, OwnChain().trust) == "may_omit"
        assert code(document, OwnChain().trust, may_omit=True) == "genuine"
    assert code(OwnChain().bare_points_receipt(), OwnChain().trust, brands=(GROCER,)) == "may_omit"


def test_a_receipt_that_shows_every_lot_of_the_brands_asked_for_says_so() -> None:
    for member in (MEMBERS[0], MEMBERS[39]):
        proven = verify(json.dumps(OwnChain().points_receipt(member)), OwnChain().trust, brands=(GROCER, FUEL))
        assert proven["complete_for"] == [GROCER, FUEL]
        assert any("every lot is shown of these brands: 1, 2" in each for each in proven["not_shown"])
    assert code(OwnChain().points_receipt(), OwnChain().trust, brands=(GROCER, 3)) == "may_omit"


def test_a_lot_that_is_left_out_is_missed_in_what_is_outstanding() -> None:
    chain = OwnChain(hidden_points=77)
    assert code(chain.points_receipt(), chain.trust, brands=(GROCER,)) == "may_omit"
    assert code(chain.points_receipt(), chain.trust, brands=(FUEL,)) == "genuine"
    whole = verify(json.dumps(chain.points_receipt(lots=(LOT, HIDDEN_LOT, OTHER_LOT))), chain.trust, brands=(GROCER, FUEL))
    assert whole["held_total"] == 120 + 77
    without = chain.points_receipt(lots=(LOT, HIDDEN_LOT, OTHER_LOT))
    del without["points"]["lots"][1]
    without["points"]["held_total"] = 120
    assert code(without, chain.trust, brands=(GROCER,)) == "may_omit"
    without["points"]["lots"][0]["of_lot"] = None
    assert code(without, chain.trust, brands=(GROCER,)) == "may_omit"


# The command


def test_the_command_exits_by_what_was_asked(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(WITNESSED.points_receipt()))
    witnesses = [word for key in (ANN, BOB) for word in ("--witness", "0x" + address_of(key).hex())]
    everyone = [str(file), *trusted(WITNESSED), *witnesses]
    assert main(everyone) == 1
    assert "REFUSED may_omit" in capsys.readouterr().out
    assert main([*everyone, "--brand", "1", "--brand", "2"]) == 0
    printed = capsys.readouterr().out
    assert "a witness you trust, 4 s after the block's time" in printed
    assert "SANDBOX" not in printed
    stranger = ["--may-omit", "--witness", "0x" + address_of(EVE).hex()]
    assert main([*everyone, *stranger]) == 1
    assert "REFUSED not_witnessed" in capsys.readouterr().out
    assert main([*everyone, *stranger, "--witnesses-needed", "2"]) == 0
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main([*everyone, "--witnesses-needed", "3"])


def test_a_sandbox_says_so(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "receipt.json"
    sandbox = OwnChain(sandbox=True)
    file.write_text(json.dumps(sandbox.entry_receipt()))
    assert main([str(file), *trusted(sandbox)]) == 0
    assert "SANDBOX" in capsys.readouterr().out
    assert main([str(file), "--json", *trusted(sandbox)]) == 0
    assert json.loads(capsys.readouterr().out)["sandbox"] is True
