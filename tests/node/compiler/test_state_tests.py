"""The gate of the Ethereum state tests, with all code compiled, on py-evm's tries and on batched ones."""

from itertools import islice

import pytest

from tests.node.compiler.states import compiled
from tests.node.state_tests.archive import folders, require_archive, state_tests
from tests.node.state_tests.gate import Findings, run_gate
from tests.node.state_tests.variants import Variant, batched_trie

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present:DeprecationWarning")

QUICK_FOLDERS = ["VMTests/vmTests", "stExtCodeHash", "stRefundTest", "stSStoreTest", "stSelfBalance", "stStackTests"]
QUICK_FILES, QUICK_POSTS_MAX = 3, 6
VARIANTS: dict[str, Variant] = {
    "compiled": compiled,
    "compiled, on batched tries": lambda state_class: compiled(batched_trie(state_class)),
}


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
    assert findings.posts
    assert_passed(findings)


@pytest.mark.deep
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("variant", VARIANTS)
def test_all_state_tests_pass(variant: str) -> None:
    findings = Findings()
    for folder in folders():
        for test in state_tests(folder):
            run_gate(test, VARIANTS[variant], findings)
    assert findings.posts > 10_000
    assert_passed(findings)


def assert_passed(findings: Findings) -> None:
    assert findings.missed == []
    assert findings.differs == []
