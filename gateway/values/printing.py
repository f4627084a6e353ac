"""Texts of others as they may be logged and shown: one line, no characters that move a cursor or turn the writing round."""

from __future__ import annotations


def printable(text: str, most: int = 300) -> str:
    """Each character that does not print becomes a "?"; what is longer is cut."""
    shown = "".join(each if each.isprintable() else "?" for each in text[:most])
    return shown if len(text) <= most else f"{shown}…"
