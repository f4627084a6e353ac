"""The gateway under load: real processes, real signatures, counted on the ledger."""
