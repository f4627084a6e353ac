"""Work that goes on by itself: packing, signing and sending batches, and following the ledger."""
