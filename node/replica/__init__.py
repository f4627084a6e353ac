"""A replica: it follows a primary's blocks over JSON-RPC, believes none of them, and serves the same methods read only."""
