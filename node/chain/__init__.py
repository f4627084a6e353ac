"""The chain itself: rules, blocks, execution and proofs. No disk, no network, no clock of its own."""
