"""Bodies that tills and shops send, the same to the gateway as to a brand's agent: pure shapes, which know neither."""
