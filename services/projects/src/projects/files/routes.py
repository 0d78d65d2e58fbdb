"""The HTTP face of a project's files."""

from typing import Annotated
from urllib.parse import quote, unquote_to_bytes
from uuid import UUID

from litestar import Request, Response, Router, delete, get, post, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import Scope

from common import answers, slim
from common.answers import Answer, PageLimit, PageNumber, answer
from common.caller import Caller, caller_of, headers_of, needs
from common.database import Database
from common.errors import InvalidError
from common.idempotency import Keyed
from projects.errors import InvalidPathError
from projects.files import service
from projects.files.schema import Batch, File, FileInfo, NewContent, Outcomes
from projects.files.service import Conditions, Written
from projects.files.types import decoded
from projects.means import Means, means_of
from projects.replies import sent, tag_of

_READ = needs("projects:read", anonymous=True)
_WRITE = needs("projects:write", rate="write")
_CONTENT = needs("projects:write", rate="write", body=NewContent, takes_bytes=True)


@get("/files/{path:path}", opt=_READ, responses=slim.documented(File))
async def show(scope: Scope) -> slim.Reply:
    """Show a file; ``?raw=1`` or ``Accept: application/octet-stream`` gives its bytes."""
    means, caller, project_id = _place(scope)
    path = _path(scope)
    headers = headers_of(scope)
    known = tag_of(headers.get(b"if-none-match"))
    if _wants_bytes(scope, headers):
        etag, data = await service.read(means, caller, project_id, path)
        return sent(data, etag, known, headers)
    etag, body = await service.show(means, caller, project_id, path, known)
    tag = ((b"etag", b'"' + etag.encode() + b'"'), (b"cache-control", b"no-cache"))
    return slim.empty(304, tag) if body is None else slim.json(body, headers=tag)


@put(
    "/files/{path:path}",
    opt=_CONTENT,
    request_max_body_size=None,
    responses={
        **slim.documented(FileInfo),
        **slim.documented(FileInfo, status=201, description="There was no file."),
    },
)
async def write(request: Request[object, object, State]) -> slim.Reply:
    """Leave content at a path: JSON ``{content, encoding?}``, or any other type as it is."""
    headers = headers_of(request.scope)
    any_or_none = headers.get(b"if-none-match", b"").strip() == b"*"
    conditions = Conditions(tag_of(headers.get(b"if-match")), "absent" if any_or_none else "any")
    return _written(await _write(request, headers, conditions))


@post(
    "/files/{path:path}",
    opt=_CONTENT,
    middleware=[Keyed],
    request_max_body_size=None,
    responses=slim.documented(FileInfo, status=201),
)
async def create(request: Request[object, object, State]) -> slim.Reply:
    """Create a file; there must be none at the path."""
    headers = headers_of(request.scope)
    conditions = Conditions(None, "absent", is_creation=True)
    return _written(await _write(request, headers, conditions), request.scope["path"])


async def _write(
    request: Request[object, object, State], headers: dict[bytes, bytes], conditions: Conditions
) -> Written:
    scope = request.scope
    means, caller, project_id = _place(scope)
    body = await slim.body(request, 2 * means.settings.file_bytes_max)
    data = _unwrapped(body) if _is_json(headers) else body
    return await service.write(means, caller, project_id, _path(scope), data, conditions)


def _written(written: Written, location: str = "") -> slim.Reply:
    tag = ((b"etag", b'"' + written.etag.encode() + b'"'),)
    more = ((b"location", quote(location).encode()),) if location else ()
    return slim.json(written.body, status=201 if written.is_new else 200, headers=(*tag, *more))


@delete("/files/{path:path}", opt=_WRITE, status_code=204)
async def remove(
    request: Request[object, object, State],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
) -> None:
    """Let a file go; its history stays."""
    expected = tag_of(headers_of(request.scope).get(b"if-match"))
    await service.remove(means, caller, project_id, _path(request.scope), expected)


@get("/files", opt=_READ)
async def index(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    prefix: Annotated[str, QueryParameter(name="prefix", max_length=500)] = "",
    sort: Annotated[str, QueryParameter(name="sort")] = "path",
    page: PageNumber = 1,
    limit: PageLimit = 20,
) -> Response[answers.Page[FileInfo]]:
    """List files by path."""
    wanted = answers.window(page, limit, sort, ("path",))
    total, items = await service.index(db, caller, project_id, _text(prefix), wanted)
    return answers.raw_page(items, total, wanted)


@post(
    "/files/batch",
    opt=needs("projects:write", rate="write", body=Batch),
    middleware=[Keyed],
    request_max_body_size=None,
    status_code=200,
)
async def batch(
    request: Request[object, object, State],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
) -> Answer[Outcomes]:
    """Take several steps at once: create, update, upsert, delete, move, copy."""
    body = await slim.body(request, means.settings.batch_bytes_max)
    wanted = slim.decoded(body, Batch)
    return answer(Outcomes(await service.batch(means, caller, project_id, wanted)))


def _place(scope: Scope) -> tuple[Means, Caller, UUID]:
    return means_of(scope), caller_of(scope), slim.path_uuid(scope, "project_id")


def _path(scope: Scope) -> str:
    """The path as it was sent: the router tidies slashes, and guesses at what is no text."""
    sent_path: bytes = scope["raw_path"]
    try:
        return unquote_to_bytes(sent_path).decode().partition("/files/")[2]
    except UnicodeDecodeError as exc:
        fault = {"field": "path", "message": "A path is valid Unicode."}
        raise InvalidPathError("A path is valid Unicode.", fault) from exc


def _text(text: str) -> str:
    if "\0" in text:
        raise InvalidError.of("prefix", "This has a NUL.")
    return text


def _is_json(headers: dict[bytes, bytes]) -> bool:
    kind = headers.get(b"content-type", b"").partition(b";")[0]
    return kind.strip().lower() == b"application/json"


def _wants_bytes(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    accepted = b"application/octet-stream" in headers.get(b"accept", b"")
    return accepted or b"raw=1" in scope["query_string"].split(b"&")


def _unwrapped(body: bytes) -> bytes:
    wrapped = slim.decoded(body, NewContent)
    return decoded(wrapped.content, wrapped.encoding)


router = Router(
    "/api/v1/projects/{project_id:uuid}",
    route_handlers=[show, write, create, remove, index, batch],
    tags=["Files"],
)
