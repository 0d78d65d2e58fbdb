"""Alembic's door to the projects schema."""

from common import migrate
from projects.history_tables import CheckpointRow

migrate.run(CheckpointRow.metadata)
