"""Runs collab's migrations."""

from collab.talk_tables import CommentRow
from common import migrate

migrate.run(CommentRow.metadata)
