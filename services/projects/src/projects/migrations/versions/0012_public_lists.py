"""Public projects are found in each order of their lists without looking at the others."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    for field in ("updated_at", "name"):
        op.create_index(
            f"ix_project_public_{field}",
            "project",
            [field],
            postgresql_where=sa.text("is_public AND deleted_at IS NULL"),
        )


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
