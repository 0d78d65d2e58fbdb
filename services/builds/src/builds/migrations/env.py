"""The migrations of the builds schema."""

from builds import tables
from common import migrate

migrate.run(tables.Tables.metadata)
