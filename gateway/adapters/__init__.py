"""Everything outside the domain that the gateway talks to: its database, the ledger's node, payment files, brand signers."""
