"""Texts of others are shown on one line, in characters that print."""

from __future__ import annotations

from gateway.values.printing import printable


def test_what_does_not_print_is_replaced_and_what_is_long_is_cut() -> None:
    assert printable("Grüße, 2 €") == "Grüße, 2 €"
    assert printable("a\nb\r\x1b[2J\x00\u202e\ud800\u2028") == "a?b??[2J????"
    assert printable("abcdef", 3) == "abc…"
    assert printable("abc", 3) == "abc"
