"""The HTTP face of a project's files."""

from typing import Annotated
from urllib.parse import parse_qsl, quote
from uuid import UUID

from litestar import Request, Response, Router, delete, get, post, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import Scope

from common import answers, slim
from common.answers import Answer, PageLimit, answer
from common.caller import Caller, caller_of, headers_of, needs
from common.errors import InvalidError
from common.idempotency import Keyed
from projects import cursors
from projects.asked import path_of, wants_bytes
from projects.cursors import Cursor, PageNumber
from projects.files import batches, service
from projects.files.schema import Batch, File, FileInfo, NewContent, Outcomes
from projects.files.service import Conditions, Written
from projects.files.types import decoded
from projects.means import Means, means_of
from projects.replies import sent, tag_of
from projects.trees.types import Moment, moment_of

_READ = needs("projects:read", anonymous=True)
_WRITE = needs("projects:write", rate="write")
_CONTENT = needs("projects:write", rate="write", body=NewContent, takes_bytes=True)


@get("/files/{path:path}", opt=_READ, responses=slim.documented(File))
async def show(scope: Scope) -> slim.Reply:
    """Show a file, or what it was ``?at=`` a number or a time of the project's history.

    ``?raw=1`` or ``Accept: application/octet-stream`` gives its bytes.
    """
    means, caller, project_id = _place(scope)
    path = path_of(scope)
    headers = headers_of(scope)
    known = tag_of(headers.get(b"if-none-match"))
    moment = _moment(scope)
    if wants_bytes(scope, headers):
        etag, data = await service.read(means, caller, project_id, path, moment)
        return sent(data, etag, known, headers)
    etag, body = await service.show(means, caller, project_id, path, known, moment)
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
    return await service.write(means, caller, project_id, path_of(scope), data, conditions)


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
    await service.remove(means, caller, project_id, path_of(request.scope), expected)


@get("/files", opt=_READ)
async def index(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    prefix: Annotated[str, QueryParameter(name="prefix", max_length=500)] = "",
    sort: Annotated[str, QueryParameter(name="sort")] = "path",
    page: PageNumber = None,
    cursor: Cursor = None,
    limit: PageLimit = 20,
) -> Response[answers.Page[FileInfo]] | Response[answers.Feed[FileInfo]]:
    """List files by path, a page of them or what comes after a ``cursor``."""
    cursors.alone(cursor, page)
    wanted = answers.window(page or 1, limit, sort, ("path",))
    if cursor is None:
        total, items = await service.index(means, caller, project_id, _text(prefix), wanted)
        return answers.raw_page(items, total, wanted)
    here = ("files", str(project_id), prefix, sort)
    after = cursors.position(cursor, cursors.text, *here)
    rows = await service.stretch(means, caller, project_id, _text(prefix), wanted, after)
    return Response(cursors.fed(rows, wanted.limit, lambda row: row.path, *here))


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
    return answer(Outcomes(await batches.batch(means, caller, project_id, wanted)))


def _place(scope: Scope) -> tuple[Means, Caller, UUID]:
    return means_of(scope), caller_of(scope), slim.path_uuid(scope, "project_id")


def _text(text: str) -> str:
    if "\0" in text:
        raise InvalidError.of("prefix", "This has a NUL.")
    return text


def _moment(scope: Scope) -> Moment | None:
    query = scope["query_string"]
    # quickly, for the many that do not ask: an escape may hide the name
    if b"at" not in query and b"%" not in query:
        return None
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    asked = [value for name, value in given if name == "at"]
    return moment_of(asked[-1]) if asked else None


def _is_json(headers: dict[bytes, bytes]) -> bool:
    kind = headers.get(b"content-type", b"").partition(b";")[0]
    return kind.strip().lower() == b"application/json"


def _unwrapped(body: bytes) -> bytes:
    wrapped = slim.decoded(body, NewContent)
    return decoded(wrapped.content, wrapped.encoding)


router = Router(
    "/api/v1/projects/{project_id:uuid}",
    route_handlers=[show, write, create, remove, index, batch],
    tags=["Files"],
)
