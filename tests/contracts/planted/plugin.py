"""A pytest plugin that runs tests on contracts with planted faults: first to see which test meets which check, then each fault alone.

`--planted DIRECTORY` holds the contracts' artifacts. A test that passes on them and fails with a fault finds it out.
"""

from __future__ import annotations

import inspect
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from eth.vm.state import BaseState

from tests.builders import abi
from tests.builders.planted_sources import FIRST_SLOT, planted

FAULTS = planted().faults
SPOKEN = {  # the errors of checks that are called by a name of their own
    "known": ("BrandUnknown",),
    "onlyGovernance": ("NotGovernance",),
    "onlyGuardian": ("NotGuardian",),
    "onlyByAct": ("TimelockUnauthorizedCaller",),
    "_requireSignature": ("NotSignedBy", "AnchorSignatureInvalid"),
    "_requireApprovals": ("TooFewApprovals", "NotAnApprover", "ApprovalTooEarly", "ApprovalExpired", "ActLapsed"),
    "_requireGuardianPossible": ("GuardianUnchanged", "GuardianIsOperator"),
    "_requireRecoveryPossible": ("GuardianIsOperator", "AuthorizerKindUnknown"),
    "_requirePossible": ("NotLocked", "GuardianUnchanged", "AuthorizerAbsent", "LastAuthorizer"),
    "an owner's act counts once": ("OwnerActOutOfTurn",),
    "agreeing is kept": ("SettledSinceCutOff",),
    "applying is kept of the issuer": ("SettledSinceCutOff",),
    "applying is kept of the acceptor": ("SettledSinceCutOff",),
    "the latest lot counts": ("LotNotLater",),
    "_requireOwner": ("NotSignedBy", "OwnerActOutOfTurn"),
    "_requireInTime": ("MemberActExpired",),
    "_refuseClaimKey": ("ClaimKeyOnlyChanges",),
    "_requireUnlocked": ("SpendLocked",),
    "_requireGuardian": ("NotGuardian",),
    "_requireAuthorizer": ("AuthorizerAbsent",),
    "_inTurn": ("MemberActOutOfTurn", "AuthorizerAbsent"),
    "_requireKind": ("AuthorizerNotAnAddress", "AuthorizerKindUnknown"),
    "_requireNoRole": ("SeveralRoles", "AccountZero"),
    "_requireDelay": ("DelayOutOfRange",),
    "_agreedRecord": ("CycleNotAgreed",),
    "_requireUnderRoot": ("PairNotUnderRoot",),
    "_requireBrand": ("BrandNotInCycle",),
    "_requirePaid": ("PaidNotSignedBy",),
    "_requireNotPaused": ("LedgerPaused",),
}
MOST_TRIED = 25  # tests for one fault


class Watch:
    """What the checks that would have refused are called, and the one that is left out."""

    def __init__(self) -> None:
        self.left_out: int | None = None
        self.met: dict[int, int] = {}  # fault → how near to it another check refused
        self.last: int | None = None

    def answer(self, fault: int) -> int:
        if self.last is not None and FAULTS[fault].reason in SPOKEN.get(FAULTS[self.last].reason, ()):
            self.met[self.last] += 1  # a call of a check, and then what it refuses
        self.met.setdefault(fault, 0)
        self.last = fault
        return int(fault == self.left_out)


WATCH = Watch()


@contextmanager
def watched() -> Iterator[None]:
    usual = BaseState.get_storage

    def get_storage(state: Any, address: Any, slot: int, *others: Any, **named: Any) -> int:
        if FIRST_SLOT <= slot < FIRST_SLOT + len(FAULTS):
            return WATCH.answer(slot - FIRST_SLOT)
        return int(usual(state, address, slot, *others, **named))

    BaseState.get_storage = get_storage  # type: ignore[method-assign]
    try:
        yield
    finally:
        BaseState.get_storage = usual  # type: ignore[method-assign]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--planted", type=Path)
    parser.addoption("--planted-known", type=Path, help="{fault: test that finds it out}; without it every test is run first")
    parser.addoption("--planted-only", default="", help="numbers of faults, with commas between")


class Results:
    def __init__(self) -> None:
        self.failed = False

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed


def pytest_configure(config: pytest.Config) -> None:
    directory: Path | None = config.getoption("--planted")
    if directory is None:
        return
    usual = abi.ARTIFACTS

    class Artifacts:
        def __truediv__(self, name: str) -> Path:
            return directory / name if (directory / name).exists() else usual / name

    abi.ARTIFACTS = Artifacts()  # type: ignore[assignment]
    config.stash[RESULTS] = Results()
    config.pluginmanager.register(config.stash[RESULTS])


RESULTS = pytest.StashKey[Results]()


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    directory: Path | None = session.config.getoption("--planted")
    if directory is None:
        return None
    only = [int(number) for number in session.config.getoption("--planted-only").split(",") if number]
    known = session.config.getoption("--planted-known")
    items = {item.nodeid: item for item in session.items}
    with watched():
        tests = _known(known, session, items) if known else _met(session, items)
        found = {}
        for fault in FAULTS:
            if only and fault.number not in only:
                continue
            WATCH.left_out = fault.number
            tried = [name for name in tests.get(fault.name, []) if name in items][:MOST_TRIED]
            found[fault.name] = next((name for name in tried if _fails(session, items[name])), None)
            print(f"{fault.name}: {found[fault.name] or f'found out by none of {len(tried)}'}", flush=True)
    (directory / "found.json").write_text(json.dumps(found, indent=1) + "\n")
    session.testsfailed = 0
    return True


def _known(path: Path, session: pytest.Session, items: dict[str, pytest.Item]) -> dict[str, list[str]]:
    """Without those that fail on whole contracts: they would find out everything."""
    broken = {name for name, item in items.items() if _fails(session, item)}
    return {fault: [test] for fault, test in json.loads(path.read_text()).items() if test not in broken}


def _met(session: pytest.Session, items: dict[str, pytest.Item]) -> dict[str, list[str]]:
    """By fault, the tests that meet its check: first those that speak of its reason, those in which another check refused right after
    it, and the quick ones."""
    met: dict[str, list[tuple[bool, bool, float, str]]] = defaultdict(list)
    for name, item in items.items():
        WATCH.met, WATCH.last, WATCH.left_out = {}, None, None
        start = time.monotonic()
        if _fails(session, item):
            print(f"fails without a fault: {name}", flush=True)
            continue
        seconds = time.monotonic() - start
        text = inspect.getsource(item.function) if isinstance(item, pytest.Function) else ""
        for number, near in WATCH.met.items():
            fault = FAULTS[number]
            met[fault.name].append((not _speaks_of(text, fault.reason), not near, seconds, name))
    return {fault: [name for *_, name in sorted(tests)] for fault, tests in met.items()}


def _speaks_of(text: str, reason: str) -> bool:
    errors = SPOKEN.get(reason, (reason,))
    constants = [re.sub(r"(?<!^)(?=[A-Z])", "_", error).upper() for error in errors]
    return any(f'"{error}"' in text for error in errors) or any(f".{constant}" in text for constant in constants)


def _fails(session: pytest.Session, item: pytest.Item) -> bool:
    results = session.config.stash[RESULTS]
    results.failed = False
    item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
    return results.failed
