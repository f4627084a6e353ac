"""Change what a brand has decided on its own points beside its terms: it holds from now on, for what comes after."""

from __future__ import annotations

from dataclasses import replace

from gateway.brands.brand import Brand
from gateway.brands.ports import Brands


def change_settings(brand: Brand, *, extends_by_activity: bool | None, carries_clawbacks: bool | None, brands: Brands) -> Brand:
    """What is None stays as it is."""
    extends = brand.extends_by_activity if extends_by_activity is None else extends_by_activity
    carries = brand.carries_clawbacks if carries_clawbacks is None else carries_clawbacks
    changed = replace(brand, extends_by_activity=extends, carries_clawbacks=carries)
    brands.change_settings(changed)
    return changed
