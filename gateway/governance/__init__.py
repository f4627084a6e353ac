"""Acts of governance that wait: who approved them, and from when on they may."""
