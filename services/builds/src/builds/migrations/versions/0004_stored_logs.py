"""Logs that have moved to the object store."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("build", sa.Column("log_stored_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("build", sa.Column("log_lines", sa.BigInteger(), nullable=True))
    op.add_column("build", sa.Column("log_sha256", sa.String(), nullable=True))
    op.create_index(
        "ix_build_log_waiting",
        "build",
        ["completed_at"],
        unique=False,
        postgresql_where=sa.text("completed_at IS NOT NULL AND log_stored_at IS NULL"),
    )


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
