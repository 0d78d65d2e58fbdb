"""Where Alembic begins: the tables that this service's schema should have."""

from assets.tables import Tables
from common import migrate

migrate.run(Tables.metadata)
