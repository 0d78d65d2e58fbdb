"""The bytes of each project by hash, every version of an asset, and assets that may come back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003_blobs"
down_revision = "0002"
branch_labels = None
depends_on = None

_NOW = sa.text("now()")
# what each project has so far, and its first versions; nobody's library is too large for it
_BLOBS = """
INSERT INTO blob (project_id, sha256, size, generation)
SELECT project_id, sha256, max(size), gen_random_uuid() FROM asset GROUP BY project_id, sha256
"""
_LIBRARIES = """
INSERT INTO library (project_id, bytes, bytes_max)
SELECT project_id, sum(size)::bigint, greatest(sum(size)::bigint, 10737418240) FROM blob GROUP BY project_id
"""
_VERSIONS = """
INSERT INTO asset_version
    (asset_id, version, project_id, user_id, sha256, size, mime_type, metadata, origin, created_at)
SELECT id, version, project_id, user_id, sha256, size, mime_type, metadata, 'upload', created_at
FROM asset
"""


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "library",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("bytes_max", sa.BigInteger(), nullable=False),
        sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("bytes <= bytes_max", name=op.f("ck_library_bytes")),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_library")),
    )
    op.create_index(op.f("ix_library_purged_at"), "library", ["purged_at"], unique=False)
    op.create_table(
        "blob",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.Uuid(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "sha256", name=op.f("pk_blob")),
    )
    op.create_index(op.f("ix_blob_stored_at"), "blob", ["stored_at"], unique=False)
    op.create_table(
        "asset_version",
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mime_type", sa.String(), nullable=False),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["asset.id"],
            name=op.f("fk_asset_version_asset_id_asset"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "sha256"],
            ["blob.project_id", "blob.sha256"],
            name=op.f("fk_asset_version_project_id_sha256_blob"),
        ),
        sa.PrimaryKeyConstraint("asset_id", "version", name=op.f("pk_asset_version")),
    )
    op.create_index("ix_asset_version_project_id_sha256", "asset_version", ["project_id", "sha256"])
    op.create_index("ix_asset_version_sha256", "asset_version", ["sha256"])
    op.add_column("asset", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("asset", sa.Column("mentioned_at", sa.DateTime(timezone=True), nullable=True))
    # whoever writes an asset waits for the new columns, and is not counted here
    for statement in (_BLOBS, _LIBRARIES, _VERSIONS):
        op.execute(statement)
    op.drop_constraint(op.f("uq_asset_project_id_name_key"), "asset", type_="unique")
    op.create_index(
        "uq_asset_project_id_name_key",
        "asset",
        ["project_id", "name_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("ix_asset_project_id_sha256", "asset", ["project_id", "sha256"])
    op.create_index(
        "ix_asset_deleted_at",
        "asset",
        ["deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL AND mentioned_at IS NULL"),
    )


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
