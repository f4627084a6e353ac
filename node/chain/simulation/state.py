"""A state that takes calls nobody signed: what may be checked of them was checked before."""

from eth.abc import SignedTransactionAPI

from node.chain.rules import NodeState
from node.chain.tracing.watched import Tracer, watched_state


def simulated_state(tracer: Tracer | None) -> type[NodeState]:
    """With a tracer it sees every step."""
    below = NodeState if tracer is None else watched_state(tracer)

    class SimulatedState(below):  # type: ignore[valid-type, misc]
        def validate_transaction(self, transaction: SignedTransactionAPI) -> None:
            """`checks.admit` did it, in geth's order and words."""

        def get_tip(self, transaction: SignedTransactionAPI) -> int:
            return max(0, int(super().get_tip(transaction)))  # a call that pays nothing may stand under any base fee

    return SimulatedState
