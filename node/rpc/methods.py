"""The whole method table. A method that is not in it does not exist (−32601)."""

from node.rpc import debug, net, sandbox, sandbox_accounts, splittally, trace, txpool, web3
from node.rpc.dispatch import Handler
from node.rpc.eth import block, client, execute, fee_market, filter, polling, simulate, state, submit, subscribe, transaction  # noqa: A004
from node.rpc.ports import NodeView

ETH = (block, client, execute, fee_market, filter, polling, simulate, state, submit, subscribe, transaction)
GROUPS = (*ETH, net, web3, txpool, debug, trace, splittally)


def method_table(node: NodeView) -> dict[str, Handler]:
    groups = (*GROUPS, sandbox, sandbox_accounts) if node.history.config.sandbox else GROUPS
    return {name: handler for group in groups for name, handler in group.methods(node).items()}
