"""Readers of payment files, one per format: bytes in, records and line-numbered errors out. Unknown layouts are refused, never guessed."""
