"""Starting a project from a template."""

from uuid import UUID

from common.caller import Caller
from projects.contents import service as contents
from projects.files import service as files
from projects.lifecycle import service as lifecycle
from projects.lifecycle.schema import NewProject
from projects.means import Means
from projects.peers import Peers
from projects.templates.schema import FromTemplate
from projects.templates.types import rendered


async def create(
    means: Means,
    peers: Peers,
    caller: Caller,
    template_id: str,
    wanted: FromTemplate,
) -> tuple[UUID, bytes]:
    """Create a project with the template's files, or nothing; return its id, and it as JSON."""
    template = await peers.template(template_id)
    content = rendered(template, wanted.variables)
    new = NewProject(name=wanted.name, description=wanted.description, is_public=wanted.is_public)
    entries, kept = files.entries_of(content, means.settings.file_bytes_max)
    async with means.db.transaction() as tx:
        project_id, body = await lifecycle.create(tx, means.settings, caller, new)
        await contents.keep(tx, means, kept)
        author = files.author_of(means, caller, project_id, "template")
        await files.fill(tx, means, author, entries)
    return project_id, body
