"""Receipts: what a stranger can check offline. They read everything and change nothing."""
