"""The gateway: what brands, members and auditors talk to. It reaches the ledger through an Ethereum node's JSON-RPC alone."""
