"""The ways to run a fork that must all agree with py-evm: each swaps parts of a state class and keeps its rules.

Another fast part joins the gate with one line in VARIANTS.
"""

from collections.abc import Callable

from eth.db.account import AccountDB
from eth.vm.state import BaseState

from node.chain.mended_rules import MendedRules
from node.chain.trie.accounts import BatchedAccounts

Variant = Callable[[type[BaseState]], type[BaseState]]


def stock(state_class: type[BaseState]) -> type[BaseState]:
    return type(f"Stock{state_class.__name__}", (state_class,), {"account_db_class": AccountDB})


def batched_trie(state_class: type[BaseState]) -> type[BaseState]:
    return type(f"Batched{state_class.__name__}", (state_class,), {"account_db_class": BatchedAccounts})


def with_mended_rules(state_class: type[BaseState]) -> type[BaseState]:
    return type(f"Mended{state_class.__name__}", (MendedRules, state_class), {})


VARIANTS: dict[str, Variant] = {"batched trie": batched_trie}
