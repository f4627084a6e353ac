"""A gateway as a family of processes: any number that answer requests, and the ledger worker, which no request can hold up."""
