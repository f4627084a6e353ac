"""`python -m tests.node.unflushed_node DIR`: a node that sealed block 1 on a good disk sends one transaction more on a disk that cannot
be flushed. Prints where the head stands then, and how the next sending was answered."""

import json
import sys
from pathlib import Path

from tests.node import no_fsync
from tests.node.own_node import own_node

with own_node(Path(sys.argv[1]), sandbox=False) as node:
    node.request("eth_sendRawTransaction", node.transfer(0))
    while node.head() == 0:
        pass
    no_fsync.refuse()
    node.request("eth_sendRawTransaction", node.transfer(1))
    message = ""
    while "cannot be written" not in message and "nonce too low" not in message:  # refused, or sealed after all
        message = node.request("eth_sendRawTransaction", node.transfer(1))["error"]["message"]
    print(json.dumps({"head": node.head(), "refused": message, "block_1": node.request("eth_getBlockByNumber", "0x1", False)["result"]}))
