"""Alembic's door to the projects schema."""

from common import migrate
from projects import tables

migrate.run(tables.Tables.metadata)
