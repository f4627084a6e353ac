"""The Splittally node: a durable py-evm chain behind Ethereum JSON-RPC, in its own process."""

import os

# eth_hash picks its backend when it is first imported; the default is four to six times slower per hash.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
