"""No path is a file and a folder, whoever makes both in the same moment."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# it runs at the end of the statement, which holds the project's head by then: whoever committed
# before is seen, and whoever commits later sees this. "0" follows "/" in the order of bytes
_FUNCTION = """
CREATE FUNCTION refuse_file_in_folders_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM file f
    WHERE f.project_id = NEW.project_id AND f.hash IS NOT NULL
      AND f.folded >= NEW.folded || '/' AND f.folded < NEW.folded || '0'
  ) OR EXISTS (
    SELECT FROM file f
    WHERE f.project_id = NEW.project_id AND f.hash IS NOT NULL
      AND f.folded = ANY (
        SELECT left(NEW.folded, n - 1) FROM generate_series(2, length(NEW.folded)) n
        WHERE substr(NEW.folded, n, 1) = '/'
      )
  ) THEN
    RAISE EXCEPTION 'a path is a file and a folder' USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Go forward."""
    op.execute(_FUNCTION)
    for event, when in (
        ("INSERT", "NEW.hash IS NOT NULL"),
        ("UPDATE", "NEW.hash IS NOT NULL AND OLD.hash IS NULL"),
    ):
        op.execute(
            f"CREATE TRIGGER file_is_no_folder_{event.lower()} AFTER {event} ON file "
            f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuse_file_in_folders_place()"
        )


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
