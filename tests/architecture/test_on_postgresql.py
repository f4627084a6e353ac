"""Which tests run on PostgreSQL too: those that can come by a database of the builders, found without a list."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from tests.on_postgresql import leads_to_a_database


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a module of the tests' with these globals."""

    def make(name: str, **values: Any) -> str:
        made = ModuleType(f"tests.{name}")
        vars(made).update(values)
        monkeypatch.setitem(sys.modules, made.__name__, made)
        return made.__name__

    return make


def test_a_test_comes_by_a_database_through_a_function_a_class_or_a_module(module: Any) -> None:
    from tests.builders import databases
    from tests.builders.offline_coalition import OfflineCoalition

    assert leads_to_a_database(module("direct", make=databases.migrated_database))
    assert leads_to_a_database(module("whole", databases=databases))
    over = module("over", Coalition=OfflineCoalition)
    assert leads_to_a_database(over)
    assert leads_to_a_database(module("farther", through=sys.modules[over]))


def test_a_test_that_stores_nothing_is_left_out(module: Any) -> None:
    from tests.builders.abi import contract_abi

    assert not leads_to_a_database(module("pure", contract_abi=contract_abi, path=sys, number=1))
