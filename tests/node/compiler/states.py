"""State classes that differ in nothing but how they run code: by py-evm's own loop, or compiled from the first message on."""

from eth.vm.state import BaseState

from node.chain.compiler.computation import HotCodeComputation
from node.chain.compiler.hot_code import HotCode
from node.chain.rules import NodeState

ALWAYS_HOT = 1 << 60  # gas


def compiled(state_class: type[BaseState]) -> type[BaseState]:
    return _running(state_class, HotCode(gas_granted=ALWAYS_HOT))


def by_py_evm(state_class: type[BaseState]) -> type[BaseState]:
    return _running(state_class, None)


def _running(state_class: type[BaseState], hot_code: HotCode | None) -> type[BaseState]:
    computation = state_class.computation_class
    parents = (computation,) if issubclass(computation, HotCodeComputation) else (HotCodeComputation, computation)
    way = "ByPyEvm" if hot_code is None else "Compiled"
    mixed = type(f"{way}{computation.__name__}", parents, {"hot_code": hot_code})
    return type(f"{way}{state_class.__name__}", (state_class,), {"computation_class": mixed})


CompiledState, StockState = compiled(NodeState), by_py_evm(NodeState)
