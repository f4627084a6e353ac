"""What an import contract cannot say by folder: which files of a feature may speak SQL, and how much of the write path others see."""

from __future__ import annotations

from collections.abc import Iterable

import grimp
import pytest

from tests.architecture.sources import gateway_layers

EDGES = {  # the files of a feature that may know the store; every other one is plain Python
    "admission_views",
    "rows",
    "tables",
    "views",
    "history",
    "on_ledger",
    "opening_rows",
    "opening_views",
    "activity_rows",
    "carried",
    "expiry_rows",
    "expiry_views",
    "grant_views",
    "rule_views",
    "operator_api_key",
    "shortfalls",
    "signers",
    "standing",
    "transfer_views",
}
OPEN_OF_ROUNDS = {
    "brand_operation",
    "completion",
    "governance_acts",
    "lot_operation",
    "member_operation",
    "operation",
    "operation_codec",
    "ports",
    "retry_operation",
    "rows",
    "signer_port",
    "tables",
    "views",
}
HOSTS = {"rounds", "app", "commands"}  # they put the worker together and run it
NOT_PLAIN = ("sqlalchemy", "fastapi", "pydantic", "web3", "uvicorn", "gateway.store", "gateway.projection")


def test_features_keep_sql_to_their_edges() -> None:
    assert [edge for edge in _imports() if _speaks_sql(*edge)] == []


def test_only_the_composition_knows_the_machinery_of_rounds() -> None:
    assert [edge for edge in _imports() if _opens_rounds(*edge)] == []


def test_routes_and_pages_read_through_views() -> None:
    assert [edge for edge in _imports() if _reads_past_views(*edge)] == []


@pytest.mark.parametrize(
    ("module", "imported", "breaks"),
    [
        ("gateway.purchases.record_purchase", "sqlalchemy", "sql"),
        ("gateway.purchases.record_purchase", "gateway.projection.tables", "sql"),
        ("gateway.redemption.capture", "gateway.redemption.tables", "sql"),
        ("gateway.payments.formats.mapped_csv", "gateway.store.session", "sql"),
        ("gateway.purchases.views", "gateway.rounds.packing", "rounds"),
        ("gateway.api.purchases", "gateway.rounds.worker", "rounds"),
        ("gateway.api.purchases", "sqlalchemy", "views"),
        ("gateway.portal.member", "gateway.purchases.tables", "views"),
    ],
)
def test_an_import_past_the_edge_is_seen(module: str, imported: str, breaks: str) -> None:
    rules = {"sql": _speaks_sql, "rounds": _opens_rounds, "views": _reads_past_views}
    assert [name for name, rule in rules.items() if rule(module, imported)] == [breaks]


def _speaks_sql(module: str, imported: str) -> bool:
    """By a module of a feature that is none of its edges."""
    return (
        _package(module) in _features()
        and module.rpartition(".")[2] not in EDGES
        and (any(imported == name or imported.startswith(f"{name}.") for name in NOT_PLAIN) or imported.endswith(".tables"))
    )


def _opens_rounds(module: str, imported: str) -> bool:
    parts = imported.split(".")
    return parts[:2] == ["gateway", "rounds"] and len(parts) == 3 and _package(module) not in HOSTS and parts[2] not in OPEN_OF_ROUNDS


def _reads_past_views(module: str, imported: str) -> bool:
    return _package(module) in ("api", "portal") and (imported == "sqlalchemy" or imported.endswith(".tables"))


def _imports() -> Iterable[tuple[str, str]]:
    graph = grimp.build_graph("gateway", include_external_packages=True)
    for module in sorted(graph.modules):
        if module.startswith("gateway."):
            yield from ((module, imported) for imported in sorted(graph.find_modules_directly_imported_by(module)))


def _package(module: str) -> str:
    return module.split(".")[1]


def _features() -> set[str]:
    """From reconciliation down to access, as the layers of the gateway list them."""
    layers = gateway_layers()
    first, last = ({"clearing"}, {"access"})
    return set().union(*layers[layers.index(first) : layers.index(last) + 1])
