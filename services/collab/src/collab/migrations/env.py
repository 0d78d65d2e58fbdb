"""Runs collab's migrations."""

from collab.tables import Tables
from common import migrate

migrate.run(Tables.metadata)
