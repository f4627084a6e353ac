"""The pass on PostgreSQL: where its server is, and which tests run on it."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest

SERVER = os.environ.get("SPLITTALLY_TEST_POSTGRESQL")
BUILDERS = "tests.builders.databases"


def stores_anything(item: pytest.Item) -> bool:
    """Whether the test can come by one of the builders' databases: its module, or that of a fixture it uses, leads to them.

    Names in a module's globals are followed from module to module. That errs on one side alone: a test that stores nothing may be
    taken for one that does, for its neighbors' sake; a test that stores something cannot be missed unless it imports inside a function.
    """
    assert isinstance(item, pytest.Function)
    fixtures = (fixture for found in item._fixtureinfo.name2fixturedefs.values() for fixture in found)
    return any(leads_to_a_database(module) for module in {item.function.__module__, *(fixture.func.__module__ for fixture in fixtures)})


def leads_to_a_database(module: str) -> bool:
    """Whether the module, or one of the tests' modules that its globals come from, takes anything from the builders."""
    seen, waiting = set[str](), {module}
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= _origins(sys.modules[name]) - seen
    return BUILDERS in seen


def _origins(module: ModuleType) -> set[str]:
    named = {value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None) for value in vars(module).values()}
    return {name for name in named if isinstance(name, str) and name.startswith("tests.") and name in sys.modules}
