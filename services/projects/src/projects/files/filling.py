"""The statement that puts many files into a project that is new: paths, and contents by hash."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from common.statements import unnested
from projects.files.heads import counted, is_due, numbered
from projects.history_tables import FileVersionRow
from projects.tables import FileRow

_F = FileRow
FILL_KEYS: dict[str, Any] = {
    "path": sa.Text(),
    "folded": sa.Text(),
    "hash": sa.Text(),
    "size": sa.BigInteger(),
    "encoding": sa.Text(),
    "document_id": sa.Uuid(),
}


def _fill() -> "sa.Select[int, bool]":
    given = unnested("given", FILL_KEYS, ordinality="i")
    asked = sa.select(given).cte("asked")
    project_id = bindparam("project_id", type_=sa.Uuid)
    user_id = bindparam("user_id", type_=sa.Uuid)
    one = sa.literal_column("1", sa.BigInteger)
    a = asked.c
    columns = ["project_id", "path", "folded", "document_id", "version", "hash", "size", "encoding"]
    rows = sa.select(project_id, a.path, a.folded, a.document_id, one, a.hash, a.size, a.encoding)
    written = (
        sa.insert(_F)
        .from_select([*columns, "updated_by"], rows.add_columns(user_id))
        .returning(_F.project_id, _F.path, _F.document_id, _F.hash, _F.size, _F.encoding)
        .cte("written")
    )
    w = written.c
    both = sa.select(
        w.project_id,
        w.hash,
        w.size,
        sa.null().label("was_hash"),
        bindparam("bytes_max", type_=sa.BigInteger).label("bytes_max"),
        bindparam("files_max", type_=sa.BigInteger).label("files_max"),
    )
    owned, heads = counted(both.subquery("both"))
    history = (
        sa.select(
            w.project_id,
            numbered(heads, a.i),
            w.path,
            one,
            w.document_id,
            w.hash,
            w.size,
            w.encoding,
            user_id,
            bindparam("origin", type_=sa.Text),
            heads.c.at,
        )
        .select_from(written)
        .join(asked, a.path == w.path)
        .join(heads, heads.c.project_id == w.project_id)
    )
    into = ["project_id", "seq", "path", "version", "document_id", "hash", "size", "encoding"]
    versions = (
        sa.insert(FileVersionRow)
        .from_select([*into, "actor_id", "origin", "at"], history)
        .cte("versions")
    )
    return sa.select(heads.c.seq, is_due(heads)).add_cte(owned, versions)


FILL = _fill()
