"""State classes that differ in nothing but how they run code: py-evm's own way, and as traces from the first message on."""

from eth.vm.forks.cancun.computation import CancunComputation
from eth.vm.forks.cancun.state import CancunState

from node.chain.compiler.computation import HotCodeComputation
from node.chain.compiler.hot_code import HotCode
from node.chain.rules import NodeState

ALWAYS_HOT = 1 << 60  # gas


class TracedCancunComputation(HotCodeComputation, CancunComputation):
    hot_code = HotCode(gas_granted=ALWAYS_HOT)


class TracedCancunState(CancunState):
    computation_class = TracedCancunComputation


class TracedComputation(HotCodeComputation, NodeState.computation_class):  # type: ignore[misc, name-defined]
    hot_code = HotCode(gas_granted=ALWAYS_HOT)


class TracedState(NodeState):
    computation_class = TracedComputation


class StockComputation(HotCodeComputation, NodeState.computation_class):  # type: ignore[misc, name-defined]
    hot_code = None


class StockState(NodeState):
    computation_class = StockComputation
