"""What every act costs in gas, measured by the tests' builders of acts: the figures of contracts/README.md."""

from __future__ import annotations

from importlib import import_module

from scripts.benchmarks.figures import Figures


def gas_by_act() -> Figures:
    """{whose: {act: gas}}; of entries what one more adds to a batch, of batches {issues: gas}."""
    # By name, since the builders are the tests' and typed as loosely as those.
    entries, acts = (import_module(f"tests.builders.{name}") for name in ("entry_gas", "act_gas"))
    return {
        "entries": entries.measure() | entries.by_passkey(),
        "batches": {str(size): gas for size, gas in entries.batches().items()},
        **acts.measure(),
    }
