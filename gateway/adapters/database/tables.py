"""Every table, imported in one place: whoever needs the whole metadata imports this."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from sqlalchemy import MetaData

from gateway.adapters import database
from gateway.adapters.database.base import Base


def metadata() -> MetaData:
    """The metadata of all modules named tables_*."""
    for module in pkgutil.iter_modules(database.__path__):
        if module.name.startswith("tables_"):
            import_module(f"{database.__name__}.{module.name}")
    return Base.metadata
