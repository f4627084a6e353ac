"""The gate for anything that touches execution or tries: a variant gives what py-evm gives, and what the test's file says.

Two rule sets: the archive's fork, whose post-states the files hold, and the node's own, where stock py-evm is the yardstick.
A filed post-state pins the gas too, in the balances of sender and coinbase: so a long post is compared with its file alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from eth.vm.forks.cancun.state import CancunState

from node.chain.rules import RULES, NodeState
from tests.node.state_tests.archive import FORK, Post, StateTest
from tests.node.state_tests.running import Outcome, outcomes
from tests.node.state_tests.variants import VARIANTS, Variant, stock, with_mended_rules

LONG_GAS = 2_000_000


@dataclass
class Findings:
    """Names of posts. `missed` and `differs` are empty when the gate is passed."""

    posts: int = 0
    long_posts: list[str] = field(default_factory=list)  # not run by py-evm
    stock_misses: list[str] = field(default_factory=list)  # py-evm as it is gives another post-state than the file
    missed: list[str] = field(default_factory=list)  # a variant does, under the rules the node mends
    differs: list[str] = field(default_factory=list)  # a variant is not py-evm, where that is right


def run_gate(test: StateTest, findings: Findings, variants: Mapping[str, Variant] = VARIANTS) -> None:
    """The last variant has what all the others have: it alone runs the long posts, and those of the node's own rules."""
    name, combined = list(variants.items())[-1]
    found = dict(outcomes(test, combined(with_mended_rules(CancunState))))
    short = replace(test, posts=tuple(post for post, outcome in found.items() if outcome.gas_burned < LONG_GAS))
    findings.posts += len(test.posts)
    findings.long_posts += [post.name for post in test.posts if post not in short.posts]
    expected = dict(outcomes(short, stock(CancunState)))
    findings.stock_misses += [post.name for post, outcome in expected.items() if not is_as_filed(post, outcome)]
    _compare(name, found, expected, findings)
    for other in [other for other in variants if other != name]:
        _compare(other, dict(outcomes(short, variants[other](with_mended_rules(CancunState)))), expected, findings)
    expected = dict(outcomes(short, stock(NodeState)))
    for post, outcome in outcomes(short, combined(NodeState)):  # mended as it is
        if outcome != expected[post]:
            findings.differs.append(f"{post.name} under {RULES}, {name}")


def is_as_filed(post: Post, outcome: Outcome) -> bool:
    return (outcome.state_root, outcome.logs_hash) == (post.state_root, post.logs_hash)


def _compare(variant: str, found: Mapping[Post, Outcome], expected: Mapping[Post, Outcome], findings: Findings) -> None:
    for post, outcome in found.items():
        if not is_as_filed(post, outcome):
            findings.missed.append(f"{post.name}, {variant}")
        if post in expected and is_as_filed(post, expected[post]) and outcome != expected[post]:
            findings.differs.append(f"{post.name} under {FORK}, {variant}")
