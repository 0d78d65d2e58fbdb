"""How rows look from outside: as JSON, and as the hash of a whole tree."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from common.statements import document, instant, word
from projects.tables import MemberRow, ProjectRow

# of whoever a project's ``membership`` is joined for
ROLE = sa.func.coalesce(MemberRow.role, word("viewer"))


def project_info(role: "sa.ColumnElement[Any]") -> "sa.ColumnElement[Any]":
    """A project, as ``role`` sees it."""
    project = ProjectRow
    return document(
        id=project.id,
        userId=project.owner_id,
        name=project.name,
        description=project.description,
        thumbnailUrl=project.thumbnail_url,
        isPublic=project.is_public,
        settings=project.settings,
        role=role,
        forkedFrom=project.forked_from,
        createdAt=instant(project.created_at),
        updatedAt=instant(project.updated_at),
    )


def file_info(c: Any, *, unchanged: bool = False) -> "sa.ColumnElement[Any]":  # noqa: ANN401 - the columns of a file, wherever they stand
    """What is said of a file without its content."""
    more = {"unchanged": sa.true()} if unchanged else {}
    return document(
        path=c.path,
        size=c.size,
        hash=c.hash,
        version=c.version,
        encoding=c.encoding,
        updatedAt=instant(c.updated_at),
        updatedBy=c.updated_by,
        **more,
    )


def tree_hash(files: Any) -> "sa.ColumnElement[str]":  # noqa: ANN401 - a selectable with path and hash
    """SHA-256 (hex) over ``path NUL hash LF`` for each file, in the order of the paths' bytes."""
    path = sa.func.convert_to(files.c.path, word("UTF8"), type_=sa.LargeBinary)
    end = sa.literal_column("E'\\n'", sa.Text)
    content = sa.func.convert_to(files.c.hash + end, word("UTF8"), type_=sa.LargeBinary)
    nul = sa.literal_column("'\\x00'::bytea", sa.LargeBinary)
    line = path.op("||")(nul).op("||")(content)
    nothing = sa.literal_column("''::bytea", sa.LargeBinary)
    lines = sa.func.string_agg(line, aggregate_order_by(nothing, files.c.path))
    whole = sa.func.coalesce(lines, nothing)
    return sa.func.encode(sa.func.sha256(whole), word("hex"), type_=sa.Text)
