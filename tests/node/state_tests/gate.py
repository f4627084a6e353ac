"""The gate for anything that touches execution or tries: a variant gives what py-evm gives, and what the test's file says.

Two rule sets: the archive's fork, whose post-states the files hold, and the node's own, where stock py-evm is the yardstick.
"""

from dataclasses import dataclass, field

from eth.vm.forks.cancun.state import CancunState

from node.chain.rules import RULES, NodeState
from tests.node.state_tests.archive import FORK, Post, StateTest
from tests.node.state_tests.running import Outcome, outcomes
from tests.node.state_tests.variants import Variant, stock, with_mended_rules


@dataclass
class Findings:
    """Names of posts. `missed` and `differs` are empty when the gate is passed."""

    posts: int = 0
    stock_misses: list[str] = field(default_factory=list)  # py-evm as it is gives another post-state than the file
    missed: list[str] = field(default_factory=list)  # the variant does, under the rules the node mends
    differs: list[str] = field(default_factory=list)  # the variant is not py-evm, where that is right


def run_gate(test: StateTest, variant: Variant, findings: Findings) -> None:
    pairs = zip(outcomes(test, stock(CancunState)), outcomes(test, variant(with_mended_rules(CancunState))), strict=True)
    for (post, expected), (_, found) in pairs:
        findings.posts += 1
        stock_is_right = is_as_filed(post, expected)
        if not stock_is_right:
            findings.stock_misses.append(post.name)
        if not is_as_filed(post, found):
            findings.missed.append(post.name)
        if stock_is_right and found != expected:
            findings.differs.append(f"{post.name} under {FORK}")
    pairs = zip(outcomes(test, stock(NodeState)), outcomes(test, variant(NodeState)), strict=True)  # mended as it is
    findings.differs += [f"{post.name} under {RULES}" for (post, expected), (_, found) in pairs if found != expected]


def is_as_filed(post: Post, outcome: Outcome) -> bool:
    return (outcome.state_root, outcome.logs_hash) == (post.state_root, post.logs_hash)
