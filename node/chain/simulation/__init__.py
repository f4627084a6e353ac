"""Blocks that never were: calls run one after another on top of a sealed block, seen and forgotten (eth_simulateV1)."""
