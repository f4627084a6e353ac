"""From an accepted operation to the ledger: packing, signing, sending, following. What an operation means is its feature's business."""
