"""Alembic's entry: migrations run on the connection that `scheduler.core.migrate` hands over."""

from __future__ import annotations

from typing import Any

from alembic import context

from scheduler.core.database import Instant
from scheduler.schema import metadata


def render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Write Relais's own column types as what the database keeps."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    return False


def include_object(_item: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
    """Leave alone tables that are not Relais's own (the job queue keeps some beside them)."""
    return not (kind == "table" and reflected and name not in metadata.tables)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=render_item,
    include_object=include_object,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
