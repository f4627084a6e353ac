"""The ways to run a fork that must all agree with py-evm: each swaps parts of a state class and keeps its rules.

Another fast part joins the gate with one line in VARIANTS.
"""

from collections.abc import Callable
from functools import cache

from eth.db.account import AccountDB
from eth.vm.state import BaseState

from node.chain.mended_rules import MendedRules
from node.chain.trie.accounts import BatchedAccounts
from tests.node.compiler.states import by_py_evm, compiled

Variant = Callable[[type[BaseState]], type[BaseState]]


@cache
def stock(state_class: type[BaseState]) -> type[BaseState]:
    """py-evm's loop, tries and precompiles, on the rules of the class."""
    run = by_py_evm(state_class)
    computation = run.computation_class
    stock_computation = next(parent for parent in computation.__mro__ if parent.__module__.startswith("eth.vm.forks"))
    precompiles = {**computation.get_precompiles(), **stock_computation.get_precompiles()}
    plain = type(f"Stock{computation.__name__}", (computation,), {"_precompiles": precompiles})
    return type(f"Stock{state_class.__name__}", (run,), {"account_db_class": AccountDB, "computation_class": plain})


@cache
def batched_trie(state_class: type[BaseState]) -> type[BaseState]:
    return type(f"Batched{state_class.__name__}", (state_class,), {"account_db_class": BatchedAccounts})


@cache
def with_mended_rules(state_class: type[BaseState]) -> type[BaseState]:
    return type(f"Mended{state_class.__name__}", (MendedRules, state_class), {})


@cache
def as_sealed(state_class: type[BaseState]) -> type[BaseState]:
    """Everything fast at once, as a node seals, but that code is compiled from its first message on."""
    return compiled(batched_trie(state_class))


VARIANTS: dict[str, Variant] = {"batched trie": batched_trie, "compiled": cache(compiled), "as sealed": as_sealed}  # the last: all at once
