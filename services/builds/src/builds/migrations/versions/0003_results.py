"""Results that builds share, builds that check others, and the order of the queue."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("build", sa.Column("at_seq", sa.BigInteger(), nullable=True))
    op.add_column("build", sa.Column("build_key", sa.String(), nullable=True))
    op.add_column("build", sa.Column("result_id", sa.Uuid(), nullable=True))
    op.add_column("build", sa.Column("verify_of", sa.Uuid(), nullable=True))
    for name in ("request_id", "traceparent"):
        op.add_column("build", sa.Column(name, sa.String(), server_default="", nullable=False))
    op.execute("UPDATE build SET result_id = id")
    op.create_index(
        "ix_build_key",
        "build",
        ["project_id", "build_key"],
        unique=False,
        postgresql_where=sa.text("status = 'success' AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_build_result_id",
        "build",
        ["result_id"],
        unique=False,
        postgresql_where=sa.text("result_id IS NOT NULL"),
    )
    op.create_index("ix_build_started_at", "build", ["started_at"], unique=False)


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
