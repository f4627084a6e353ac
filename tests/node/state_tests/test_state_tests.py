"""Every fast part gives the post-states of the Ethereum state tests, and stock py-evm's gas, output and errors."""

from itertools import islice

import pytest
from eth.vm.state import BaseState

from tests.node.state_tests.archive import StateTest, folders, require_archive, state_tests
from tests.node.state_tests.gate import Findings, run_gate
from tests.node.state_tests.stock_misses import STOCK_MISSES
from tests.node.state_tests.variants import VARIANTS

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present:DeprecationWarning")

FOLDERS = [
    *(f"VMTests/{name}" for name in ("vmArithmeticTest", "vmBitwiseLogicOperation", "vmIOandFlowOperations", "vmLogTest")),
    *("VMTests/vmPerformance", "VMTests/vmTests", "stArgsZeroOneBalance", "stBadOpcode", "stCallCodes", "stCreate2", "stCreateTest"),
    *("stDelegatecallTestHomestead", "stEIP1559", "stEIP2930", "stExtCodeHash", "stLogTests", "stMemoryTest"),
    *("stPreCompiledContracts", "stPreCompiledContracts2", "stRefundTest", "stReturnDataTest", "stRevertTest", "stSStoreTest"),
    *("stSelfBalance", "stShift", "stStackTests", "stStaticCall"),
]
SAMPLED_FOLDERS = ["VMTests/vmTests", "stCreateTest", "stExtCodeHash", "stRefundTest", "stRevertTest", "stSStoreTest", "stSelfBalance"]
FILES_OF_SAMPLE, POSTS_OF_SAMPLE_MAX = 8, 6  # a folder, a test


@pytest.fixture(autouse=True)
def archive() -> None:
    require_archive()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_sample_of_the_state_tests_passes(variant: str) -> None:
    findings = Findings()
    for folder in SAMPLED_FOLDERS:
        for test in islice(filter(_is_quick, state_tests(folder)), FILES_OF_SAMPLE):
            run_gate(test, VARIANTS[variant], findings)
    assert findings.posts > 4 * len(SAMPLED_FOLDERS)
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
    run_gate(next(state_tests("stExtCodeHash")), _without_nonces, findings)
    assert findings.missed
    assert findings.differs


def _is_quick(test: StateTest) -> bool:
    return 0 < len(test.posts) <= POSTS_OF_SAMPLE_MAX and "Loop" not in test.posts[0].name


def _without_nonces(state_class: type[BaseState]) -> type[BaseState]:
    return type("WithoutNonces", (state_class,), {"increment_nonce": lambda self, address: None})
