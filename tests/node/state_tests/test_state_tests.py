"""Every fast part gives the post-states of the Ethereum state tests, and stock py-evm's gas, output and errors."""

from itertools import islice

import pytest
from eth.vm.state import BaseState

from tests.node.state_tests.archive import folders, require_archive, state_tests
from tests.node.state_tests.create_collisions import STOCK_MISSES
from tests.node.state_tests.gate import Findings, run_gate
from tests.node.state_tests.variants import VARIANTS

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present:DeprecationWarning")

FOLDERS = [
    *(f"VMTests/{name}" for name in ("vmArithmeticTest", "vmBitwiseLogicOperation", "vmIOandFlowOperations", "vmLogTest")),
    *("VMTests/vmPerformance", "VMTests/vmTests", "stArgsZeroOneBalance", "stBadOpcode", "stCallCodes", "stCreate2", "stCreateTest"),
    *("stDelegatecallTestHomestead", "stEIP1559", "stEIP2930", "stExtCodeHash", "stLogTests", "stMemoryTest"),
    *("stPreCompiledContracts", "stPreCompiledContracts2", "stRefundTest", "stReturnDataTest", "stRevertTest", "stSStoreTest"),
    *("stSelfBalance", "stShift", "stStackTests", "stStaticCall"),
]
QUICK_FOLDERS = ["VMTests/vmTests", "stCreateTest", "stExtCodeHash", "stRefundTest", "stRevertTest", "stSStoreTest", "stSelfBalance"]
QUICK_FILES, QUICK_POSTS_MAX = 4, 6


@pytest.fixture(autouse=True)
def archive() -> None:
    require_archive()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_sample_of_the_state_tests_passes(variant: str) -> None:
    findings = Findings()
    for folder in QUICK_FOLDERS:
        small = (test for test in state_tests(folder) if 0 < len(test.posts) <= QUICK_POSTS_MAX)
        for test in islice(small, QUICK_FILES):
            run_gate(test, VARIANTS[variant], findings)
    assert findings.posts >= len(QUICK_FOLDERS) * QUICK_FILES / 2
    assert_passed(findings)


@pytest.mark.deep
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_all_state_tests_of_a_folder_pass(variant: str, folder: str) -> None:
    findings = Findings()
    for test in state_tests(folder):
        run_gate(test, VARIANTS[variant], findings)
    assert findings.posts
    assert_passed(findings)
    assert findings.stock_misses == [name for name in STOCK_MISSES if name.startswith(f"{folder}/")]


def assert_passed(findings: Findings) -> None:
    assert findings.missed == []
    assert findings.differs == []
    assert set(findings.stock_misses) <= set(STOCK_MISSES)


def test_every_folder_of_the_archive_is_run() -> None:
    assert sorted(FOLDERS) == folders()


def test_the_gate_names_what_a_broken_variant_gets_wrong() -> None:
    findings = Findings()
    run_gate(next(state_tests("stExtCodeHash")), _without_tips, findings)
    assert findings.missed
    assert findings.differs


def _without_tips(state_class: type[BaseState]) -> type[BaseState]:
    return type("WithoutTips", (state_class,), {"get_tip": lambda self, transaction: 0})
