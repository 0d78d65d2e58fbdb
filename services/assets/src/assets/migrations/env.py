"""Where Alembic begins: the tables that this service's schema should have."""

from assets.made_tables import VariantRow
from common import migrate

migrate.run(VariantRow.metadata)
