"""What people say to one another: chat, comments, and how far each has read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NOW = sa.text("now()")
_IS_THREAD = sa.text("parent_id IS NULL")
_IS_REPLY = sa.text("parent_id IS NOT NULL")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "talk",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("comment_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_talk")),
    )
    op.create_table(
        "talk_read",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("comment_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_id", "user_id", name=op.f("pk_talk_read")),
    )
    _chat()
    _comments()


def _chat() -> None:
    op.create_table(
        "chat_message",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("mentions", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "seq", name=op.f("pk_chat_message")),
    )
    op.create_index("uq_chat_message_id", "chat_message", ["id"], unique=True)
    op.create_index(
        "uq_chat_message_client_id",
        "chat_message",
        ["project_id", "user_id", "client_id"],
        unique=True,
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )
    op.create_table(
        "chat_mention",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "user_id", "seq", name=op.f("pk_chat_mention")),
    )


def _comments() -> None:
    op.create_table(
        "comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.String(collation="C"), nullable=False),
        sa.Column("start", sa.LargeBinary(), nullable=False),
        sa.Column("end", sa.LargeBinary(), nullable=False),
        sa.Column("quote", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("mentions", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_file_gone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("stale_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["comment.id"],
            name=op.f("fk_comment_parent_id_comment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
    )
    op.create_index("ix_comment_seq", "comment", ["project_id", "seq"])
    op.create_index(
        "ix_comment_thread", "comment", ["project_id", "seq"], postgresql_where=_IS_THREAD
    )
    op.create_index("ix_comment_path", "comment", ["project_id", "path", "seq"])
    op.create_index("ix_comment_reply", "comment", ["parent_id", "seq"], postgresql_where=_IS_REPLY)


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
