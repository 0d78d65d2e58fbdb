"""The columns of a build as callers see it, and the structs that they become."""

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from builds.runs.schema import Build
from builds.tables import BuildRow
from common.statements import word

_B = BuildRow
# a build that checks another carries what it is to be equal to
_ARTIFACTS = sa.case(
    (_B.status == word("success"), _B.artifacts), else_=sa.literal([], _B.artifacts.type)
).label("artifacts")
COLUMNS = (
    _B.id,
    _B.project_id,
    _B.user_id,
    _B.target,
    _B.status,
    _B.source_tree,
    _B.cached,
    _B.steps,
    _B.diagnostics,
    _ARTIFACTS,
    _B.retry_of,
    _B.verify_of,
    _B.error_code,
    _B.error_message,
    _B.queued_at,
    _B.started_at,
    _B.completed_at,
)
# the struct has the columns' names in their order, and then what is made of them
_NAMES = Build.__struct_encode_fields__[: len(COLUMNS)]


class Seen(msgspec.Struct, frozen=True):
    """A build, and how somebody stands to its project."""

    role: str | None
    is_public: bool
    build: Build
    # under which name its objects are stored, once there are any
    result_id: UUID | None = None


def build(*values: Any) -> Build:  # noqa: ANN401 - as the columns are
    """Return the build that these columns tell of."""
    return msgspec.convert(dict(zip(_NAMES, values, strict=True)), Build)
