"""The audit: small pure checks of the numbered invariants over evidence gathered once from the chain and the database."""
