"""Ids under which another brand's evidence stands: reconciliation expects no money for such a sale, so they name whose it was."""

from __future__ import annotations

import re

from gateway.brands.ports import Brands
from gateway.values.errors import Invalid
from gateway.values.references import BY_EVIDENCE

_OF_A_BRAND = re.compile(BY_EVIDENCE + r"([1-9][0-9]{0,9}):.+")
_BRAND_IDS_END = 2**31


def check_evidence_ids(brand_id: int, brands: Brands, **ids: str) -> None:
    """Ids of one sale, by field: either none of them is by evidence, or all are by that of one other brand of the coalition."""
    if not any(each.startswith(BY_EVIDENCE) for each in ids.values()):
        return
    named = {field: _OF_A_BRAND.fullmatch(each) for field, each in ids.items()}
    field = next((field for field, found in named.items() if found is None), next(iter(ids)))
    sellers = {int(found[1]) for found in named.values() if found}
    if not all(named.values()) or len(sellers) > 1 or brand_id in sellers or not _is_brand(max(sellers), brands):
        raise Invalid(
            f"{field} begins with {BY_EVIDENCE}: only another brand's evidence stands under such ids, {BY_EVIDENCE}BRAND:ID "
            "with a brand of the coalition that is not your own, a refund's as its payment's: give what is your own another id",
            field=field,
        )


def _is_brand(brand_id: int, brands: Brands) -> bool:
    return brand_id < _BRAND_IDS_END and brands.find(brand_id) is not None
