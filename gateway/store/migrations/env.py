"""Alembic's entry point: runs migrations on the connection that `migrate` or scripts/make_migration.py hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from gateway.store.base import IdType
from gateway.store.engine import begin_writing


def _rendered(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A migration stands for itself, whatever becomes of our types."""
    return "sa.LargeBinary()" if kind == "type" and isinstance(item, IdType) else False


connection = context.config.attributes["connection"]
begin_writing(connection)  # two gateways that start at once must not both migrate
context.configure(
    connection=connection,
    target_metadata=context.config.attributes.get("metadata"),
    compare_type=True,
    compare_server_default=True,
    render_item=_rendered,
)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
