"""The newest public projects are found without looking at the others."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_index(
        "ix_project_public_created_at",
        "project",
        ["created_at"],
        postgresql_where=sa.text("is_public AND deleted_at IS NULL"),
    )


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
