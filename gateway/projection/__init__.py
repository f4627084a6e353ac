"""The ledger's SQL copy: blocks are read and checked against the model, and can be dropped and read again to the same rows."""
