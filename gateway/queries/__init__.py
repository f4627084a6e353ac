"""Reads, one file a page or list. They read the database alone, never the chain."""
