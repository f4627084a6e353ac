"""The ledger's node over JSON-RPC: one client, the contracts' artifacts, the operator's key."""
