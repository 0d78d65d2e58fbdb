"""What is made out of files, and what is still to be made."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_variants"
down_revision = "0004_resumable"
branch_labels = None
depends_on = None

_NOW = sa.text("now()")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "variant",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("options", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mime_type", sa.String(), nullable=False),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "source"],
            ["blob.project_id", "blob.sha256"],
            name=op.f("fk_variant_project_id_source_blob"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "sha256"],
            ["blob.project_id", "blob.sha256"],
            name=op.f("fk_variant_project_id_sha256_blob"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "source", "options", name=op.f("pk_variant")),
    )
    op.create_index(
        "ix_variant_project_id_sha256", "variant", ["project_id", "sha256"], unique=False
    )
    op.create_table(
        "preview",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("mime_type", sa.String(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "source"],
            ["blob.project_id", "blob.sha256"],
            name=op.f("fk_preview_project_id_source_blob"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "source", name=op.f("pk_preview")),
    )
    op.create_index(op.f("ix_preview_held_until"), "preview", ["held_until"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("given", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("percent", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("outcome", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("request_id", sa.String(), server_default="", nullable=False),
        sa.Column("traceparent", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(op.f("ix_job_user_id"), "job", ["user_id"], unique=False)
    op.create_index(op.f("ix_job_completed_at"), "job", ["completed_at"], unique=False)
    # what is there already has its thumbnails made as well
    op.execute(
        "INSERT INTO preview (project_id, source, mime_type)"
        " SELECT project_id, sha256, min(mime_type) FROM asset"
        " WHERE split_part(mime_type, '/', 1) IN ('image', 'audio', 'video', 'font')"
        " GROUP BY project_id, sha256"
    )


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
