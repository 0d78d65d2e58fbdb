"""What came of a build, to download."""

from uuid import UUID

from builds import places
from builds.errors import BuildNotFinishedError
from builds.means import Means
from builds.objects.types import Grant
from builds.runs import service as runs
from builds.runs.columns import Seen
from builds.types import UNFINISHED, Artifact
from common.caller import Caller
from common.errors import NotFoundError


async def index(means: Means, caller: Caller, build_id: UUID) -> list[Artifact]:
    """Return the artifacts; raises ``BuildNotFinishedError`` while there cannot be any."""
    found = await _built(means, caller, build_id)
    return runs.told(means, caller, found).artifacts


async def _built(means: Means, caller: Caller, build_id: UUID) -> Seen:
    found = await runs.seen(means, caller, build_id)
    if found.build.status in UNFINISHED:
        raise BuildNotFinishedError("The build is still under way.")
    return found


async def address(means: Means, caller: Caller, build_id: UUID, name: str) -> str:
    """Return a signed address of an artifact, good for a while."""
    found = await _built(means, caller, build_id)
    if not any(artifact.name == name for artifact in found.build.artifacts):
        raise NotFoundError("There is no such artifact.")
    return await means.storage.signed_get(
        places.BUCKET,
        places.artifact(found.result_id or build_id, name),
        lifetime_s=means.settings.artifact_url_lifetime_s,
        filename=f"{build_id}-{name}",
        marks=Grant(caller.user_id, found.build.project_id).marks,
    )
