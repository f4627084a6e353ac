"""The saved column mappings of the demo's own layouts are ones that the gateway accepts and that name the files' columns."""

from __future__ import annotations

import pytest

from gateway.payments.mapping import column_mapping
from scripts.demo.column_mappings import column_mapping_for
from scripts.demo.generator.own_layouts import DELI, DRUGSTORE, OwnLayout


@pytest.mark.parametrize(("brand", "layout"), [("drugstore", DRUGSTORE), ("deli", DELI)])
def test_a_mapping_names_columns_of_its_layout(brand: str, layout: OwnLayout) -> None:
    mapping = column_mapping(column_mapping_for(brand, -5 * 3600), name=brand)
    assert set(mapping.columns.values()) <= set(layout.header)
    assert mapping.delimiter == layout.delimiter
    assert mapping.time_zone == "-05:00"


def test_a_brand_paid_through_stripe_needs_no_mapping() -> None:
    assert column_mapping_for("grocer", 0) is None
