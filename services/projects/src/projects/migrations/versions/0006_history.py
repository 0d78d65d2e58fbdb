"""Where each project's history has got to, what its content is, and the keyframes of its past."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# what there is now is allowed, whatever the settings say: the first change puts the limit in
_HEADS = """
INSERT INTO head (project_id, seq, bytes, bytes_max, files, files_max, at)
SELECT p.id, coalesce(v.seq, 0), coalesce(b.bytes, 0), coalesce(b.bytes, 0),
       coalesce(f.files, 0), coalesce(f.files, 0), coalesce(v.at, p.created_at)
FROM project p
LEFT JOIN (SELECT project_id, max(seq) AS seq, max(at) AS at FROM file_version GROUP BY 1) v
  ON v.project_id = p.id
LEFT JOIN (SELECT project_id, sum(size) AS bytes FROM project_blob GROUP BY 1) b
  ON b.project_id = p.id
LEFT JOIN (SELECT project_id, count(*) AS files FROM file WHERE hash IS NOT NULL GROUP BY 1) f
  ON f.project_id = p.id
"""


def upgrade() -> None:
    """Go forward."""
    op.alter_column("blob", "content", nullable=True)
    _collate()
    _blobs()
    _versions()
    _heads()
    _keyframes()


def _collate() -> None:
    """Let the order of paths be that of their bytes, whatever the database's own is."""
    for table, column in (("file", "path"), ("file", "folded"), ("file_version", "path")):
        op.alter_column(table, column, type_=sa.String(collation="C"))


def _blobs() -> None:
    op.create_table(
        "project_blob",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["blob.hash"], name=op.f("fk_project_blob_hash_blob")),
        sa.PrimaryKeyConstraint("hash", "project_id", name=op.f("pk_project_blob")),
    )
    op.create_table(
        "loose_blob",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_loose_blob")),
    )
    op.create_index(op.f("ix_loose_blob_at"), "loose_blob", ["at"], unique=False)
    op.execute(
        "INSERT INTO project_blob (hash, project_id, size) "
        "SELECT DISTINCT hash, project_id, size FROM file_version WHERE hash IS NOT NULL"
    )


def _versions() -> None:
    op.add_column("file_version", sa.Column("moved_from", sa.String(), nullable=True))
    op.execute("ALTER TABLE file_version ALTER COLUMN seq DROP IDENTITY")
    op.drop_constraint("pk_file_version", "file_version")
    op.create_primary_key("pk_file_version", "file_version", ["project_id", "seq"])
    op.drop_constraint("uq_file_version_project_id_path_version", "file_version")
    op.create_index("ix_file_version_path", "file_version", ["project_id", "path", "seq"])
    op.create_index(
        "ix_file_version_document", "file_version", ["project_id", "document_id", "seq"]
    )


def _heads() -> None:
    op.create_table(
        "head",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("keyframe_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("bytes_max", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("files_max", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("xact", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("bytes <= bytes_max", name=op.f("ck_head_bytes")),
        sa.CheckConstraint("files <= files_max", name=op.f("ck_head_files")),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk_head_project_id_project"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_head")),
        # it changes with every write, and nothing of it is indexed: it stays where it is
        postgresql_with={"fillfactor": "50"},
    )
    op.execute(_HEADS)


def _keyframes() -> None:
    op.create_table(
        "keyframe",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk_keyframe_project_id_project"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "seq", name=op.f("pk_keyframe")),
    )
    op.create_table(
        "keyframe_file",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("keyframe_seq", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(collation="C"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("encoding", sa.String(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "keyframe_seq"],
            ["keyframe.project_id", "keyframe.seq"],
            name=op.f("fk_keyframe_file_project_id_keyframe_seq_keyframe"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "project_id", "keyframe_seq", "path", name=op.f("pk_keyframe_file")
        ),
    )


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
