"""Every fast part gives the post-states of the Ethereum state tests, and stock py-evm's gas, output and errors."""

from dataclasses import replace
from itertools import islice

import pytest
from eth.vm.state import BaseState

from tests.depth import DEPTH, Depth, in_a_soak
from tests.node.state_tests.archive import StateTest, folders, require_archive, state_tests
from tests.node.state_tests.gate import Findings, run_gate
from tests.node.state_tests.stock_misses import STOCK_MISSES
from tests.node.state_tests.variants import VARIANTS

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present:DeprecationWarning")

# The slowest first, so that processes side by side end together.
FOLDERS = [
    *("stCreate2", "stBadOpcode", "stStaticCall", "VMTests/vmPerformance", "stDelegatecallTestHomestead", "stRevertTest", "stEIP1559"),
    *("stPreCompiledContracts", "stSelfBalance", "stSStoreTest", "stCallCodes", "stMemoryTest", "stCreateTest", "stStackTests"),
    *("stPreCompiledContracts2", "stReturnDataTest", "stEIP2930", "stExtCodeHash", "stArgsZeroOneBalance", "stLogTests", "stShift"),
    *(f"VMTests/{name}" for name in ("vmTests", "vmArithmeticTest", "vmIOandFlowOperations", "vmBitwiseLogicOperation", "vmLogTest")),
    "stRefundTest",
]
SAMPLED_FOLDERS = ["VMTests/vmTests", "stCreateTest", "stExtCodeHash", "stRefundTest", "stRevertTest", "stSStoreTest", "stStackTests"]
TENTH_BEGINS_AT = 3
FILES_OF_SAMPLE, POSTS_OF_SAMPLE_MAX = 4, 6  # a folder, a test


@pytest.fixture(autouse=True)
def archive() -> None:
    require_archive()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_sample_of_the_state_tests_passes(variant: str) -> None:
    findings = Findings()
    for folder in SAMPLED_FOLDERS:
        for test in islice(filter(_is_quick, state_tests(folder)), FILES_OF_SAMPLE):
            run_gate(test, findings, {variant: VARIANTS[variant]})
    assert findings.posts > 2 * len(SAMPLED_FOLDERS)
    assert_passed(findings)


@pytest.mark.deep
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_state_tests_of_a_folder_pass_in_all_variants(folder: str) -> None:
    """All of them in a soak, else a tenth."""
    findings = Findings()
    for test in in_a_soak(state_tests(folder), islice(state_tests(folder), TENTH_BEGINS_AT, None, 10)):
        run_gate(test, findings)
    assert_passed(findings)
    if DEPTH is not Depth.SOAK:
        return
    assert findings.posts
    run_by_py_evm = set(STOCK_MISSES) - set(findings.long_posts)
    assert set(findings.stock_misses) == {name for name in run_by_py_evm if name.startswith(f"{folder}/")}


def assert_passed(findings: Findings) -> None:
    assert findings.missed == []
    assert findings.differs == []
    assert set(findings.stock_misses) <= set(STOCK_MISSES)


def test_every_folder_of_the_archive_is_run() -> None:
    assert sorted(FOLDERS) == folders()


def test_the_gate_names_what_a_broken_variant_gets_wrong() -> None:
    findings = Findings()
    run_gate(next(state_tests("stExtCodeHash")), findings, {"without nonces": _without_nonces})
    assert findings.missed
    assert findings.differs


def test_a_long_post_is_still_compared_with_its_file() -> None:
    findings = Findings()
    test = next(test for test in state_tests("stBadOpcode") if "opc" in test.posts[0].name)  # burns what it is given
    run_gate(replace(test, posts=test.posts[:1]), findings, {"without nonces": _without_nonces})
    assert len(findings.long_posts) == len(findings.missed) == 1
    assert not findings.differs


def _is_quick(test: StateTest) -> bool:
    return 0 < len(test.posts) <= POSTS_OF_SAMPLE_MAX and "Loop" not in test.posts[0].name


def _without_nonces(state_class: type[BaseState]) -> type[BaseState]:
    return type("WithoutNonces", (state_class,), {"increment_nonce": lambda self, address: None})
