"""Starting a project from a template."""

from uuid import UUID

from common.caller import Caller
from common.database import Database
from projects.files import service as files
from projects.lifecycle import service as lifecycle
from projects.lifecycle.schema import NewProject
from projects.peers import Peers
from projects.settings import Settings
from projects.templates.schema import FromTemplate
from projects.templates.types import rendered


async def create(
    db: Database,
    settings: Settings,
    peers: Peers,
    caller: Caller,
    template_id: str,
    wanted: FromTemplate,
) -> tuple[UUID, bytes]:
    """Create a project with the template's files, or nothing; return its id, and it as JSON."""
    template = await peers.template(template_id)
    content = rendered(template, wanted.variables)
    new = NewProject(name=wanted.name, description=wanted.description, is_public=wanted.is_public)
    async with db.transaction() as tx:
        project_id, body = await lifecycle.create(tx, settings, caller, new)
        await files.fill(tx, settings, caller, project_id, content, "template")
    return project_id, body
