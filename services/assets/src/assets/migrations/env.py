"""Where Alembic begins: the tables that this service's schema should have."""

from assets import tables
from common import migrate

migrate.run(tables.Tables.metadata)
