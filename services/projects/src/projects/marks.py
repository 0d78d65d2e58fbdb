"""Marks of files that are open live, as other statements look at them."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from projects.tables import LiveFileRow, ProjectRow


def mark_of(file: Any) -> "sa.ScalarSelect[UUID]":  # noqa: ANN401 - a file's columns, wherever they stand
    """The file's document if it is open live, else NULL.

    One look into an index for each file: joined, or asked for by EXISTS, all marks of all projects
    might be read first.
    """
    return (
        sa.select(LiveFileRow.document_id)
        .where(LiveFileRow.document_id == file.document_id)
        .correlate_except(LiveFileRow)
        .scalar_subquery()
    )


def is_any_live() -> "sa.ColumnElement[bool]":
    """Whether any file of the row's project is open live."""
    mine = LiveFileRow.project_id == ProjectRow.id
    return sa.select(LiveFileRow.document_id).where(mine).correlate(ProjectRow).exists()
