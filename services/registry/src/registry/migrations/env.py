"""Alembic's door to the registry schema."""

from common import migrate
from registry import tables

migrate.run(tables.Tables.metadata)
