"""What the rest of the service asks of the studio: facts about files, and other files made of them.

Here a file is a path or an open file, and never looked into.
"""

import shutil
from pathlib import Path
from typing import IO, Any

import structlog

from assets.errors import ImageTooLargeError, MediaTooDemandingError, ToolMissingError
from assets.means import Means
from assets.media import formats
from assets.studio import benches
from assets.studio.messages import Answer, Medium, Task, Work
from assets.studio.types import Facts
from common.errors import ServiceError, UnsupportedMediaTypeError

log = structlog.get_logger()

_MEDIA: dict[str, Medium] = {
    "image": "pictures",
    "audio": "sounds",
    "video": "videos",
    "font": "fonts",
    "model": "models",
}
# kinds that have no reader here: they are kept and handed out as they are
UNREAD = frozenset(
    {"image/svg+xml", "image/heic", "image/heif", "audio/midi", "model/obj", "model/vnd.fbx"}
)


def medium_of(mime_type: str) -> Medium | None:
    """Which part of the studio reads files of a type, if one does."""
    kind = formats.kind_of(mime_type)
    return None if mime_type in UNREAD or mime_type not in formats.KNOWN else _MEDIA.get(kind)


async def examined(means: Means, file: IO[bytes], head: bytes, mime_type: str) -> Facts:
    """Look into a file before anybody sees it; raises for what it should not be.

    ``UnsupportedMediaTypeError`` where it cannot be read as what it is, ``ImageTooLargeError`` and
    ``MediaTooDemandingError`` where it would take too much. ``head`` is how it begins.
    """
    medium = medium_of(mime_type)
    if medium is None or not head:
        return Facts({})
    async with benches.bench(file) as place:
        answer = await perform(means, medium, "examine", mime_type, place)
    return Facts({name: value for name, value in answer.facts.items() if value is not None})


async def perform(
    means: Means,
    medium: Medium,
    work: Work,
    mime_type: str,
    place: benches.Bench,
    options: dict[str, Any] | None = None,
) -> Answer:
    """Have something done to the file on the bench; raises as ``examined`` does."""
    own, options = means.studio, options or {}
    if (medium, work) == ("models", "optimize"):
        options = options | tools(means)
    task = Task(
        medium=medium,
        work=work,
        mime_type=mime_type,
        source=str(place.source),
        target=str(place.target),
        limits=own.long_limits if work == "optimize" else own.limits,
        options=options,
    )
    answer = await own.perform(task)
    if answer.verdict == "done":
        return answer
    about = {"medium": medium, "work": work, "verdict": answer.verdict, "cause": answer.cause}
    log.log(40 if answer.verdict == "broken" else 20, "studio_refused", **about)
    raise _failure(task, answer)


def tools(means: Means) -> dict[str, str]:
    """Where the programs are that make models smaller; raises ``ToolMissingError``."""
    folder = Path(means.settings.models_dir).resolve()
    node = shutil.which("node")
    if node is None:
        raise ToolMissingError("Node is not installed here.", {"missing": "node"})
    if not (folder / "node_modules").is_dir():
        raise ToolMissingError("Its packages are not installed here.", {"missing": "packages"})
    return {"node": node, "folder": str(folder)}


def _failure(task: Task, answer: Answer) -> ServiceError:
    match answer.verdict:
        case "unreadable":
            return UnsupportedMediaTypeError(
                "The file cannot be read as what it is.",
                {"field": "file", "declared": task.mime_type},
            )
        case "too_large":
            limit = {"field": "file", "limit": task.limits.pixels_max}
            return ImageTooLargeError("The picture has too many pixels.", limit | answer.facts)
        case "too_long":
            limit = {"field": "file", "limit": task.limits.duration_ms_max}
            return MediaTooDemandingError("It plays for too long.", limit | answer.facts)
        case "broken":
            return ServiceError("Something went wrong.")
    return MediaTooDemandingError(
        "To read this file would take more than a file may have.", {"field": "file"}
    )
