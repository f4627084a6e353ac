"""The ledger format in plain Python (docs/ledger-format.md): lots, members, entries, batches, signatures, and a model of the contract."""
