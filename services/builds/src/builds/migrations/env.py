"""The migrations of the builds schema."""

from builds.tables import Tables
from common import migrate

migrate.run(Tables.metadata)
