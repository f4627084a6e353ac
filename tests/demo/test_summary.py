"""The summary speaks of the whole coalition, also of brands that joined since the demo's own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from scripts.demo.coalition import BRANDS
from scripts.demo.summary import brands_of_summary, clearing_table
from tests.builders.offline_coalition import OfflineCoalition, brand_body

OWED = {(1, 5): 700, (5, 2): 250, (3, 1): 40}


@pytest.fixture
def brands(tmp_path: Path) -> Iterator[list[dict[str, Any]]]:
    """As the gateway lists them: the demo's own, one that joined, one that waits for its approvals."""
    coalition = OfflineCoalition(tmp_path)
    for brand in BRANDS:
        coalition.brand(brand.brand_id, name=brand.name)
    coalition.brand(5, name="Newcomer")
    assert coalition.post("operator", "/v1/brands", brand_body(6)).status_code == 202
    yield coalition.get("operator", "/v1/brands").json()
    coalition.close()


def _clearing() -> dict[str, Any]:
    net = {brand: sum(minor * ((brand == to) - (brand == of)) for (of, to), minor in OWED.items()) for brand in range(1, 6)}
    owed = [{"issuer_id": of, "acceptor_id": to, "amount_minor": minor} for (of, to), minor in OWED.items()]
    return {"owed": owed, "net": [{"brand_id": brand, "amount_minor": minor} for brand, minor in net.items()]}


def test_all_brands_on_the_ledger_are_told(brands: list[dict[str, Any]]) -> None:
    told = brands_of_summary(brands)
    assert list(told) == [*(brand.slug for brand in BRANDS), "brand-5"]
    assert told["brand-5"]["name"] == "Newcomer"


def test_the_net_positions_that_are_shown_sum_to_zero(brands: list[dict[str, Any]]) -> None:
    table = clearing_table({"brands": brands_of_summary(brands), "clearing": _clearing()})
    shown = {str(column.header): list(column.cells) for column in table.columns}
    assert shown["Issuer"] == [*(brand.name for brand in BRANDS), "Newcomer"]
    assert list(shown)[1:-1] == shown["Issuer"], "each is a column too"
    positions = [Decimal(str(cell).replace(",", "")) for cell in shown["Net position"]]
    assert (sum(positions), positions[-1]) == (0, Decimal("4.50"))
