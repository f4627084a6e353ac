"""The gateway's SQL database: what must not be on a ledger, the operations, and the projection of the ledger."""
