"""Runs collab's migrations."""

from collab import tables
from common import migrate

migrate.run(tables.Tables.metadata)
