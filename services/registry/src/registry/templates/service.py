"""What may be done with templates."""

import base64
from pathlib import PurePosixPath
from uuid import UUID

import msgspec

from common.answers import Window
from common.cache import Cache
from common.contracts.registry import TemplatePublished
from common.database import Database
from common.errors import NotFoundError
from common.outbox import announce
from registry.settings import Settings
from registry.templates import repository
from registry.templates.repository import SORTS, Shown, StoredFile
from registry.templates.schema import Source, SourceFile
from registry.templates.types import PICTURES, Bundle, Variable

__all__ = ["SORTS", "Picture", "Shown", "index", "publish", "show", "source", "thumbnail"]

_ABSENT = "There is no such template."
_UUID_LENGTH = 36
BASE = "/api/v1/templates"


class Picture(msgspec.Struct, frozen=True):
    """A picture to send."""

    content: bytes
    media_type: str
    etag: str


async def index(
    db: Database, settings: Settings, q: str, tag: str, wanted: Window
) -> tuple[int, bytes]:
    """Return how many templates there are, and a page of them as JSON."""
    return await repository.listed(db, q.strip(), tag, _base(settings), wanted)


async def show(db: Database, settings: Settings, name: str) -> Shown:
    """Return a template by its id or its slug."""
    shown = await repository.show(db, _id(name), name, _base(settings))
    if shown is None:
        raise NotFoundError(_ABSENT)
    return shown


async def thumbnail(db: Database, name: str) -> Picture:
    """Return a template's picture."""
    found = await repository.thumbnail(db, _id(name), name)
    if found is None:
        raise NotFoundError("There is no such template, or it has no picture.")
    media_type = PICTURES[PurePosixPath(found.path).suffix]
    return Picture(found.content, media_type, f'"{found.hash}"')


async def source(db: Database, cache: Cache, settings: Settings, name: str) -> bytes:
    """Return, as JSON, all that a project needs to start from a template.

    Making it reads and encodes every file, so it is kept in the cache under its content's hash,
    where it can never be out of date.
    """
    found = await repository.source(db, _id(name), name)
    if found is None:
        raise NotFoundError(_ABSENT)
    key = f"source:{found.digest}"
    kept = await cache.get(key)
    if kept is not None:
        return kept
    files = await repository.files(db, found.tree_hash)
    variables = msgspec.convert(found.variables, list[Variable])
    made = Source(found.slug, found.name, [_file(file) for file in files], variables)
    body = msgspec.json.encode(made)
    await cache.put(key, body, kept_s=settings.source_cache_s)
    return body


async def publish(db: Database, bundle: Bundle) -> UUID | None:
    """Store a template and announce it; ``None`` where it was published just so before."""
    if await repository.is_known(db, bundle):
        return None
    async with db.transaction() as tx:
        template_id = await repository.put(tx, bundle)
        if template_id is not None:
            manifest = bundle.manifest
            event = TemplatePublished(
                template_id=template_id,
                slug=manifest.id,
                name=manifest.name,
                version=manifest.version,
                digest=bundle.digest,
            )
            await announce(tx, event, template_id)
    return template_id


def _file(file: StoredFile) -> SourceFile:
    if file.encoding == "utf-8":
        return SourceFile(file.path, "utf-8", file.content.decode())
    return SourceFile(file.path, "base64", base64.b64encode(file.content).decode())


def _base(settings: Settings) -> str:
    return f"{settings.gateway_url}{BASE}/"


def _id(name: str) -> UUID | None:
    """The id that ``name`` is, where it is no slug, which is shorter."""
    if len(name) != _UUID_LENGTH:
        return None
    try:
        return UUID(name)
    except ValueError:
        return None
