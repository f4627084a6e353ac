"""Every folder of the gateway that features share or are made of has its order checked, and each such check can fail."""

from __future__ import annotations

import copy
import re
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter.configuration import configure
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract

from tests.architecture.sources import PYPROJECT, ROOT, gateway_layers

CONTRACTS: list[dict[str, Any]] = PYPROJECT["tool"]["importlinter"]["contracts"]
LAYERED = [one for one in CONTRACTS if one["type"] == "layers" and "containers" in one]
ORDERED_OTHERWISE = {
    "ledger": "pure functions over one format; that no two import each other in a circle is enough",
    "values": "pure and small; that no two import each other in a circle is enough",
}


def test_every_folder_from_the_features_down_has_its_order_checked() -> None:
    assert _without_order(ROOT / "gateway", _from_the_features_down(), LAYERED) == set(ORDERED_OTHERWISE)


def test_a_folder_without_a_contract_is_named(tmp_path: Path) -> None:
    for module in ("insight/segments.py", "insight/views.py", "members/member.py", "members/rows.py"):
        (tmp_path / module).parent.mkdir(exist_ok=True)
        (tmp_path / module).touch()
    assert _without_order(tmp_path, {"insight", "members"}, LAYERED) == {"insight"}


@pytest.mark.parametrize("contract", LAYERED, ids=lambda contract: contract["name"])
def test_a_contract_breaks_when_its_lowest_layer_imports_its_highest(contract: dict[str, Any]) -> None:
    [container] = contract["containers"]
    highest, lowest = (re.split(r"\s*[:|]\s*", contract["layers"][place])[0] for place in (0, -1))
    assert _keeps(LayersContract, contract)
    assert not _keeps(LayersContract, contract, (f"{container}.{lowest}", f"{container}.{highest}"))


@pytest.mark.parametrize("contract", LAYERED, ids=lambda contract: contract["name"])
def test_a_contract_breaks_when_a_module_has_no_place_in_it(contract: dict[str, Any]) -> None:
    assert not _keeps(LayersContract, {**contract, "layers": contract["layers"][:-1]})


def test_payment_formats_that_know_each_other_break_their_contract() -> None:
    [contract] = [one for one in CONTRACTS if one["type"] == "independence" and "gateway.payments.formats.*" in one["modules"]]
    formats = sorted(_graph().find_children("gateway.payments.formats"))
    assert _keeps(IndependenceContract, contract)
    assert not _keeps(IndependenceContract, contract, (formats[0], formats[1]))


def _from_the_features_down() -> set[str]:
    layers = gateway_layers()
    lowest_reader = next(place for place, layer in enumerate(layers) if "audit" in layer)
    return set().union(*layers[lowest_reader + 1 :])


def _without_order(folder: Path, packages: set[str], contracts: list[dict[str, Any]]) -> set[str]:
    ordered = {container for one in contracts for container in one["containers"]}
    with_several = {name for name in packages if len([*(folder / name).glob("[!_]*.py")]) > 1}
    return {name for name in with_several if f"gateway.{name}" not in ordered}


def _keeps(kind: type[LayersContract | IndependenceContract], contract: dict[str, Any], planted: tuple[str, str] | None = None) -> bool:
    graph = copy.deepcopy(_graph())
    if planted:
        graph.add_import(importer=planted[0], imported=planted[1])
    options = {key: str(value) if isinstance(value, bool) else value for key, value in contract.items() if key not in ("name", "type")}
    session = {"root_packages": PYPROJECT["tool"]["importlinter"]["root_packages"]}
    return kind(contract["name"], session, options).check(graph, verbose=False).kept


@cache
def _graph() -> grimp.ImportGraph:
    configure()
    return grimp.build_graph("gateway", "node", include_external_packages=True, cache_dir=None)
