"""No path is a file and a folder, whoever makes both in the same moment."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# it runs at the end of the statement, which holds the project's head by then: whoever committed
# before is seen, and whoever commits later sees this. "0" follows "/" in the order of bytes.
# It is planned for the path in question: a plan for any path would read the whole project
_FUNCTION = """
CREATE FUNCTION refuse_file_in_folders_place() RETURNS trigger LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  folders text[] := ARRAY(
    SELECT left(NEW.folded, n - 1) FROM generate_series(2, length(NEW.folded)) n
    WHERE substr(NEW.folded, n, 1) = '/'
  );
  inside text := NEW.folded || '/';
  beyond text := NEW.folded || '0';
BEGIN
  IF EXISTS (
    SELECT FROM file f
    WHERE f.project_id = NEW.project_id AND f.hash IS NOT NULL
      AND f.folded >= inside AND f.folded < beyond
  ) OR EXISTS (
    SELECT FROM file f
    WHERE f.project_id = NEW.project_id AND f.hash IS NOT NULL AND f.folded = ANY (folders)
  ) THEN
    RAISE EXCEPTION 'a path is a file and a folder' USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Go forward."""
    op.execute(_FUNCTION)
    # who fills a new project has looked at all its paths, which nobody else can write to yet
    is_filling = "current_setting('projects.is_filling', true) = 'on'"
    for event, when in (
        ("INSERT", f"NEW.hash IS NOT NULL AND ({is_filling}) IS NOT TRUE"),
        ("UPDATE", "NEW.hash IS NOT NULL AND OLD.hash IS NULL"),
    ):
        op.execute(
            f"CREATE TRIGGER file_is_no_folder_{event.lower()} AFTER {event} ON file "
            f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuse_file_in_folders_place()"
        )


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
