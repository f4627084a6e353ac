"""Random blocks on stock py-evm and on the swapped parts: the same roots, receipts and gas, block by block."""

from collections.abc import Callable
from random import Random

import pytest
from eth._utils.address import generate_contract_address
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.shanghai import ShanghaiVM
from eth_utils import keccak

from gateway.ledger.entries import Clawback, Issue
from gateway.ledger.lots import Line
from node.chain.rules import NodeState
from tests.builders.issues import BASIS
from tests.builders.points_ledger import PointsLedger
from tests.depth import in_a_soak
from tests.node.state_tests.variants import VARIANTS
from tests.node.trie.small_contracts import FACTORY, THEN_DESTRUCT, THEN_REVERT, THEN_STOP, WRITER, child_address, writes
from tests.node.trie.twin_chains import SENDERS, TwinChains, import_into_swapped

NodeVM = PragueVM.configure(_state_class=NodeState)
VMS = {"prague+7951": NodeVM, "shanghai": ShanghaiVM}  # before Cancun, SELFDESTRUCT deletes contracts of any age
SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(3, in_a_soak(40, 10)))]

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present:DeprecationWarning")

Act = tuple[bytes, bytes, int]  # to, data, value


@pytest.mark.parametrize("rules", VMS)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_blocks_are_the_same(rules: str, variant: str, seed: int) -> None:
    random = Random(seed)
    twins = TwinChains(VMS[rules], VARIANTS[variant])
    creator = SENDERS[0].public_key.to_canonical_address()
    factory, writer = generate_contract_address(creator, 0), generate_contract_address(creator, 1)
    assert twins.seal([twins.sign(SENDERS[0], b"", FACTORY), twins.sign(SENDERS[0], b"", WRITER)]) == [True, True]
    for _ in range(12):
        acts = [_random_act(random, factory, writer) for _ in range(random.randrange(8))]
        twins.seal([twins.sign(random.choice(SENDERS), to, data, value=value) for to, data, value in acts])
    twins.assert_past_states_are_readable()


def test_the_random_acts_do_what_they_are_for() -> None:
    twins = TwinChains(ShanghaiVM, VARIANTS["batched trie"])
    factory = generate_contract_address(SENDERS[0].public_key.to_canonical_address(), 0)
    child, salt = child_address(factory, 7), (7).to_bytes(32, "big")

    def act(to: bytes, data: bytes) -> int:
        """The child's slot 1 afterwards."""
        twins.seal([twins.sign(SENDERS[0], to, data)])
        found = {twins.stock.get_vm().state.get_storage(child, 1), twins.swapped.get_vm().state.get_storage(child, 1)}
        assert len(found) == 1
        return found.pop()

    assert act(b"", FACTORY) == 0
    assert act(factory, salt + writes([(1, 5)], THEN_STOP)) == 5
    assert act(child, writes([(1, 6)], THEN_REVERT)) == 5
    assert act(child, writes([(1, 6), (1, 8)], THEN_STOP)) == 8
    assert act(child, writes([(1, 9)], THEN_DESTRUCT)) == 0
    assert twins.swapped.get_vm().state.get_code(child) == b""
    assert act(factory, salt + writes([(2, 1)], THEN_STOP)) == 0
    assert act(factory, salt + writes([(1, 4)], THEN_STOP)) == 0, "the salt is taken"
    together = [
        (factory, salt + writes([(1, 4)], THEN_STOP)),
        (child, writes([(1, 3)], THEN_DESTRUCT)),
        (factory, salt + writes([(1, 2)], THEN_STOP)),
    ]
    twins.seal([twins.sign(SENDERS[0], to, data) for to, data in [(child, THEN_DESTRUCT), *together]])
    assert twins.swapped.get_vm().state.get_storage(child, 1) == 2, "created, destroyed and created again in one block"


@pytest.mark.parametrize("variant", VARIANTS)
def test_batches_of_the_points_ledger_are_the_same(variant: str) -> None:
    random, ledger = Random(1), PointsLedger()
    members = [ledger.enroll(f"member {number}") for number in range(6)]
    issued: dict[int, list[tuple[int, int, Issue]]] = {1: [], 2: []}
    for batch in range(8):
        brand = 1 + batch % 2
        issues = [Issue(random.choice(members), 0, random.randrange(1, 900), BASIS, keccak(text=f"{batch} {entry}")) for entry in range(20)]
        clawbacks = [_clawback(ledger, brand, *place) for place in random.sample(issued[brand], min(6, len(issued[brand])))]
        ledger.submit(brand, [*issues, *clawbacks])
        issued[brand] += [(ledger.last_number, index, issue) for index, issue in enumerate(issues)]
    assert import_into_swapped(ledger.chain, VARIANTS[variant]) > 16


def _clawback(ledger: PointsLedger, brand: int, number: int, index: int, issue: Issue) -> Clawback:
    return ledger.clawback(brand, issue.member, Line(brand, issue.expiry_day, issue.points), number=number, index=index)


def _random_act(random: Random, factory: bytes, writer: bytes) -> Act:
    salt = random.randrange(3)
    end = random.choice([THEN_STOP, THEN_STOP, THEN_REVERT, THEN_DESTRUCT])
    slots = [random.choice([0, 1, 2, 3, 2**255, random.randrange(40)]) for _ in range(random.randrange(12))]
    data = writes([(slot, random.choice([0, 0, 1, 2**200])) for slot in slots], end)
    acts: list[Callable[[], Act]] = [
        lambda: (random.choice([random.randbytes(20), bytes(19) + b"\x55", child_address(factory, salt)]), b"", random.randrange(3)),
        lambda: (b"", WRITER, 0),
        lambda: (b"", random.randbytes(random.randrange(1, 60)), random.randrange(2)),
        lambda: (writer, data, 0),
        lambda: (child_address(factory, salt), data, 0),
        lambda: (factory, salt.to_bytes(32, "big") + data, 0),
        lambda: (factory, salt.to_bytes(32, "big") + data, 0),
    ]
    return random.choice(acts)()
