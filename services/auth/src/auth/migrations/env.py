"""Alembic's door to the auth schema."""

from auth import tables
from common import migrate

migrate.run(tables.Tables.metadata)
