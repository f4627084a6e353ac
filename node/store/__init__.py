"""The node's disk: one block is one atomic, fsynced write."""
