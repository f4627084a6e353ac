"""Values that everything speaks in: money, points, ids, references, moments, and the refusals. Plain Python; no clock, no randomness."""
