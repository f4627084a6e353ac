"""The ledger over JSON-RPC: connection, deployment, submitting transactions, following blocks, projecting them."""
