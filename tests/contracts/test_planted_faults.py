"""Every check of every contract is left out once, and a test finds it out: `planted/killed_by.json` says which.

A check without a fault, and a fault without a test, fail here. The contracts are compiled with all faults at once (`planted_sources.py`).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.ledger.passkeys import PasskeyRefusal
from gateway.ledger.refusals import RefusalReason
from tests.builders.abi import contract_abi
from tests.builders.planted_contracts import CONTRACT_NAMES, compile_planted
from tests.builders.planted_sources import MODIFIERS, SOURCES, Fault, planted
from tests.contracts.planted.plugin import SPOKEN
from tests.depth import in_a_soak

ROOT = Path(__file__).resolve().parents[2]
KILLED_BY = Path(__file__).parent / "planted" / "killed_by.json"
FAULTS = planted().faults
ELSEWHERE = {"Governed._requireGovernance": "NotGovernance"}  # asked by a modifier alone, whose uses are faults of their own
NOT_NEEDED = {  # checks that another check makes superfluous, so that nothing can find them out
    "BrandOwnerActs._requireSignature NotSignedBy": "a signature that gives no key gives the address zero, which owns no brand",
    "Clawbacks._clawBack MalformedEntry": "of an entry that is too short the lines begin behind its end, which the next check refuses",
    "MemberRegister._remove AuthorizerAbsent": "both callers have asked before",
    "Redemption._read MalformedEntry": "of an entry that is too short the lines begin behind its end, which is malformed",
    "Transfers._transfer MalformedEntry": "of an entry that is too short the lines begin behind its end, which is malformed",
    "Transfers._transfer MalformedEntry 2": "where the second proof begins behind the end, so do the lines, which the next check refuses",
}
SAMPLED_CONTRACTS, EVERY = in_a_soak((CONTRACT_NAMES, 1), (("PointsLedger", "Members"), 4))


def test_every_check_of_every_source_is_a_fault() -> None:
    planted_at = Counter((place, reason) for fault in FAULTS for place, reason in [fault.name.split(" ")[:2]])
    missing = Counter(refusals_in_the_sources()) - planted_at
    assert missing == Counter(ELSEWHERE.items())


@pytest.mark.parametrize("document", ["CHANGELOG.md", "contracts/README.md"])
def test_what_is_written_down_of_the_faults_is_how_many_there_are(document: str) -> None:
    assert re.findall(r"(\d+) (?:planted )?faults", (ROOT / document).read_text()) == [str(len(FAULTS))]


def test_every_use_of_a_modifier_is_a_fault() -> None:
    uses = sum(
        len(re.findall(rf"^(?!.*\bmodifier\b)[^/\n]*\)?[^/\n]*\b{name}\b(?!\w)", path.read_text(), re.M))
        for path in SOURCES.glob("*.sol")
        for name in MODIFIERS
    )
    assert sum(fault.reason in MODIFIERS for fault in FAULTS) == uses > 15


def test_every_refusal_and_every_error_has_a_fault() -> None:
    reasons = {fault.reason for fault in FAULTS} | {error for fault in FAULTS for error in SPOKEN.get(fault.reason, ())}
    declared = {name for path in SOURCES.glob("*.sol") for name in re.findall(r"^\s*error (\w+)\(", path.read_text(), re.M)}
    assert len(declared) > 100
    assert ({str(each) for each in RefusalReason} | {str(each) for each in PasskeyRefusal} | declared) - reasons == set()


def test_every_fault_has_a_test_that_finds_it_out() -> None:
    names = {fault.name for fault in FAULTS}
    killed_by = known()
    assert (names - set(killed_by), set(killed_by) - names) == (set(NOT_NEEDED), set())
    for test in set(killed_by.values()):
        file, _, function = test.partition("[")[0].rpartition("::")
        assert f"def {function}(" in (ROOT / file).read_text(), f"{test} is no more: renew planted/killed_by.json"


@pytest.mark.deep
@pytest.mark.nodejs
@pytest.mark.timeout(3_600)
def test_no_fault_survives(tmp_path: Path) -> None:
    """All of them in a soak; before, a sample of those in the ledger and the register of members."""
    compile_planted(tmp_path, SAMPLED_CONTRACTS)
    killed_by = known()
    tried = [fault for fault in faults_of(SAMPLED_CONTRACTS) if fault.name in killed_by][::EVERY]
    command = [sys.executable, "-m", "pytest", "-n0", "-p", "tests.contracts.planted.plugin", "-p", "no:cacheprovider", "--tb=no", "-rN"]
    options = [
        "--planted",
        str(tmp_path),
        "--planted-known",
        str(KILLED_BY),
        "--planted-only",
        ",".join(str(each.number) for each in tried),
    ]
    done = subprocess.run(
        [*command, *options, *sorted({killed_by[each.name] for each in tried})], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]
    found = json.loads((tmp_path / "found.json").read_text())
    assert len(found) == len(tried) > 30
    assert [name for name, test in found.items() if test is None] == [], "what these leave out no test finds out"


def known() -> dict[str, str]:
    found: dict[str, str] = json.loads(KILLED_BY.read_text())
    return found


def faults_of(names: tuple[str, ...]) -> list[Fault]:
    """In sources of these contracts alone: what others share, a test of theirs may be what finds it out."""
    others = {stem for name in CONTRACT_NAMES if name not in names for stem in stems_of(name)}
    stems = {stem for name in names for stem in stems_of(name)} - others
    return [fault for fault in FAULTS if re.split(r"[. ]", fault.name)[0] in stems]


def stems_of(name: str) -> set[str]:
    return {Path(source).stem for source in contract_abi(name).artifact["sources"]}


def refusals_in_the_sources() -> Iterator[tuple[str, str]]:
    """(file.function, error) wherever one is reverted with or answered, in what is no modifier."""
    for path in sorted(SOURCES.glob("*.sol")):
        function = ""
        for line in path.read_text().splitlines():
            code = line.partition("//")[0]
            if begun := re.match(r"\s*(?:(function|modifier) (\w+)|(constructor))\b", code):
                function = "" if begun[1] == "modifier" else begun[2] or "constructor"
            for reverted, answered in re.findall(r"revert (\w+)|\b([A-Z]\w+)\.selector", code):
                if function and "TransferSingle" not in code:
                    yield f"{path.stem}.{function}", reverted or answered
