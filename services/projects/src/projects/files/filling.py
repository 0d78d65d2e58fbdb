"""The statement that puts many files into a project that is new: paths, and contents by hash."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from common.statements import unnested
from projects.files.heads import counted, is_due, numbered
from projects.history_tables import FileVersionRow
from projects.tables import FileRow

FILL_KEYS: dict[str, Any] = {
    "path": sa.Text(),
    "folded": sa.Text(),
    "hash": sa.Text(),
    "size": sa.BigInteger(),
    "encoding": sa.Text(),
    "document_id": sa.Uuid(),
}


def _fill() -> "sa.Select[int, bool]":
    """Nothing is joined with what was written: all of what was asked for is, or nothing.

    A plan that was made for few rows would compare each with each.
    """
    given = unnested("given", FILL_KEYS, ordinality="i")
    asked = sa.select(given).cte("asked")
    project_id = bindparam("project_id", type_=sa.Uuid)
    user_id = bindparam("user_id", type_=sa.Uuid)
    one = sa.literal_column("1", sa.BigInteger)
    a = asked.c
    columns = ["project_id", "path", "folded", "document_id", "version", "hash", "size", "encoding"]
    rows = sa.select(project_id, a.path, a.folded, a.document_id, one, a.hash, a.size, a.encoding)
    written = (
        sa.insert(FileRow)
        .from_select([*columns, "updated_by"], rows.add_columns(user_id))
        .cte("written")
    )
    both = sa.select(
        project_id.label("project_id"),
        a.hash,
        a.size,
        sa.null().label("was_hash"),
        bindparam("bytes_max", type_=sa.BigInteger).label("bytes_max"),
        bindparam("files_max", type_=sa.BigInteger).label("files_max"),
    )
    owned, heads = counted(both.subquery("both"))
    history = sa.select(
        heads.c.project_id,
        numbered(heads, a.i),
        a.path,
        one,
        a.document_id,
        a.hash,
        a.size,
        a.encoding,
        user_id,
        bindparam("origin", type_=sa.Text),
        heads.c.at,
    ).select_from(asked.join(heads, sa.true()))
    into = ["project_id", "seq", "path", "version", "document_id", "hash", "size", "encoding"]
    versions = (
        sa.insert(FileVersionRow)
        .from_select([*into, "actor_id", "origin", "at"], history)
        .cte("versions")
    )
    return sa.select(heads.c.seq, is_due(heads)).add_cte(written, owned, versions)


FILL = _fill()
