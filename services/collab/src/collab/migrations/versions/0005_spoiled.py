"""Documents of which nothing can be made are put aside, and begin anew from their files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "spoiled_document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.Column("updates", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column(
            "put_aside_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spoiled_document")),
    )
    op.create_index(
        op.f("ix_spoiled_document_document_id"), "spoiled_document", ["document_id"], unique=False
    )
    op.create_index(
        op.f("ix_spoiled_document_project_id"), "spoiled_document", ["project_id"], unique=False
    )


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
