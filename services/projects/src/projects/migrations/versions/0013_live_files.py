"""Files that are open live, and who typed the versions that come from there."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("file_version", sa.Column("actors", sa.ARRAY(sa.Uuid()), nullable=True))
    op.create_table(
        "live_file",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("flushed_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bytes_max", sa.BigInteger(), nullable=False),
        sa.Column(
            "opened_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk_live_file_project_id_project"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_live_file")),
        # it changes with every write-back, and nothing that changes is indexed
        postgresql_with={"fillfactor": "50"},
    )
    op.create_index(op.f("ix_live_file_project_id"), "live_file", ["project_id"], unique=False)


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
