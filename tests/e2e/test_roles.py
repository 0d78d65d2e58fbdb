"""Every role at every door: what a project's roles may do in each service, as one table."""

import base64
import itertools
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

ROLES = ("owner", "editor", "commenter", "viewer")
READERS = frozenset(ROLES)
EDITORS = frozenset({"owner", "editor"})
OWNERS = frozenset({"owner"})
# the weakest first, so that what an owner does away with was there for the others
CALLERS = ("nobody", "stranger", "removed", "viewer", "commenter", "editor", "owner")
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
# its type check takes a while, so that a build of it can be ended
_SLOW = (
    "type R<T, N extends number, A extends unknown[] = []> ="
    " A['length'] extends N ? [T, A['length']] : R<T, N, [...A, unknown]>;\n"
) + "".join(f"export const v{i}: R<'t{i}', 900> = ['t{i}', 900];\n" for i in range(400))
_PAGE = "<script type=module src=src/main.ts></script>"

_project = "/api/v1/projects/{project}"
_file = f"{_project}/files"
_uploads = "/api/v1/assets/uploads"
_build = "/api/v1/builds/{build}"
_member = f"{_project}/collaborators/{{member}}"


class Door(msgspec.Struct, frozen=True):
    """An operation, who may do it, and what it answers then.

    ``is_open`` lets nobody in particular in where the project is public.
    """

    method: str
    path: str
    who: frozenset[str]
    status: int = 200
    sends: Callable[[dict[str, str]], dict[str, Any]] = lambda _: {}
    is_open: bool = False


def _json(**members: Any) -> Callable[[dict[str, str]], dict[str, Any]]:
    """A body; what is in braces is filled in."""

    def made(known: dict[str, str]) -> dict[str, Any]:
        filled = {k: v.format(**known) if isinstance(v, str) else v for k, v in members.items()}
        return {"json": filled}

    return made


def _form(known: dict[str, str]) -> dict[str, Any]:
    file = (f"{known['n']}.png", _PNG, "image/png")
    return {"data": {"projectId": known["project"]}, "files": {"file": file}}


def _forms(known: dict[str, str]) -> dict[str, Any]:
    file = (f"{known['n']}.png", _PNG, "image/png")
    return {"data": {"projectId": known["project"]}, "files": [("files", file)]}


def _batch(known: dict[str, str]) -> dict[str, Any]:
    step = {"op": "create", "path": f"batch/{known['n']}", "content": ""}
    return {"json": {"operations": [step]}}


READING = [
    Door("GET", _project, READERS, is_open=True),
    Door("GET", f"{_project}/tree", READERS, is_open=True),
    Door("GET", _file, READERS, is_open=True),
    Door("GET", f"{_file}/src/main.ts", READERS, is_open=True),
    Door("GET", f"{_project}/assets", READERS, is_open=True),
    Door("GET", "/api/v1/assets/{asset}", READERS, is_open=True),
    Door("GET", "/api/v1/assets/{asset}/download", READERS, 302, is_open=True),
    Door("GET", f"{_project}/builds", READERS),
    Door("GET", _build, READERS),
    Door("GET", f"{_build}/logs", READERS),
    Door("GET", f"{_project}/presence", READERS),
]
WRITING = [
    Door("PATCH", _project, EDITORS, sends=_json(description="{n}")),
    Door("PUT", f"{_file}/put/{{n}}", EDITORS, 201, _json(content="1")),
    Door("POST", f"{_file}/post/{{n}}", EDITORS, 201, _json(content="1")),
    Door("DELETE", f"{_file}/{{file}}", EDITORS, 204),
    Door("POST", f"{_file}/batch", EDITORS, sends=_batch),
    Door("POST", "/api/v1/assets/upload", EDITORS, 201, _form),
    Door("POST", "/api/v1/assets/batch-upload", EDITORS, sends=_forms),
    Door(
        "POST",
        _uploads,
        EDITORS,
        201,
        _json(projectId="{project}", name="{n}.png", size=3, contentType="image/png"),
    ),
    Door("PATCH", "/api/v1/assets/{asset}", EDITORS, sends=_json(name="named-{n}.png")),
    Door("DELETE", "/api/v1/assets/{asset}", EDITORS, 204),
    Door("POST", "/api/v1/builds", EDITORS, 201, _json(projectId="{project}", target="web")),
    Door("POST", f"{_build}/cancel", EDITORS),
    Door("POST", f"{_build}/retry", EDITORS, 201),
    Door("DELETE", _build, EDITORS, 204),
    Door("POST", f"{_project}/collaborators", OWNERS, 201, _json(login="{login}", role="viewer")),
    Door("PATCH", _member, OWNERS, sends=_json(role="commenter")),
    Door("DELETE", _member, OWNERS, 204),
    Door("DELETE", _project, OWNERS, 204),
]


class Stage:
    """A project with somebody in every role, and a new thing for each attempt that may succeed."""

    def __init__(self, people: dict[str, Any], newcomers: Callable[[], Any]) -> None:
        self.people = people
        self.owner = people["owner"]
        self._newcomers = newcomers
        self._numbers = itertools.count()
        self.project = ""

    async def _made(self, answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json()["data"]

    async def open(self, until) -> None:
        """Make the project, let everybody in, and one of them out again."""
        client = self.owner.client
        self.project = await self.owner.project()
        people = f"/api/v1/projects/{self.project}/collaborators"
        for role in ("editor", "commenter", "viewer", "removed"):
            member = {"login": self.people[role].username}
            member["role"] = "editor" if role == "removed" else role
            await self._made(await client.post(people, json=member))
        files = {"index.html": _PAGE, "src/main.ts": _SLOW}
        steps = [{"op": "upsert", "path": p, "content": c} for p, c in files.items()]
        batch = f"/api/v1/projects/{self.project}/files/batch"
        await self._made(await client.post(batch, json={"operations": steps}))
        assert (await client.delete(f"{people}/{self.people['removed'].user_id}")).is_success
        rooms = ("assets", "builds", "presence")
        urls = [f"/api/v1/projects/{self.project}/{room}" for room in rooms]

        async def has_arrived() -> bool:
            async def sees(role: str, status: int) -> bool:
                who = self.people[role].client
                return all([(await who.get(url)).status_code == status for url in urls])

            return await sees("viewer", 200) and await sees("removed", 404)

        await until(has_arrived)

    async def known(self, door: Door) -> dict[str, str]:
        """Fill in a door's path and body, with new things."""
        found = {"project": self.project, "n": f"n{next(self._numbers)}"}
        client = self.owner.client
        wanted = door.path + str(door.sends({k: f"{{{k}}}" for k in _THINGS}))
        if "{asset}" in wanted:
            form = _form({"project": self.project, "n": f"asset-{found['n']}"})
            found["asset"] = (await self._made(await client.post("/api/v1/assets/upload", **form)))[
                "id"
            ]
        if "{file}" in wanted:
            found["file"] = f"gone/{found['n']}"
            url = f"/api/v1/projects/{self.project}/files/{found['file']}"
            await self._made(await client.put(url, json={"content": ""}))
        if "{build}" in wanted:
            found["build"] = await self._build(is_over=door.path.endswith("/retry"))
        if "{login}" in wanted or "{member}" in wanted:
            newcomer = await self._newcomers()
            found |= {"login": newcomer.username, "member": newcomer.user_id}
        if "{member}" in wanted:
            people = f"/api/v1/projects/{self.project}/collaborators"
            member = {"login": found["login"], "role": "viewer"}
            await self._made(await client.post(people, json=member))
        return found

    async def _build(self, *, is_over: bool) -> str:
        client = self.owner.client
        order = {"projectId": self.project, "target": "web"}
        build: str = (await self._made(await client.post("/api/v1/builds", json=order)))["id"]
        if is_over:
            await self._made(await client.post(f"/api/v1/builds/{build}/cancel"))
        return build

    async def attempt(self, door: Door, caller: str, known: dict[str, str]) -> int:
        """Let somebody try; return the status."""
        path = door.path.format(**known)
        answer = await self.people[caller].client.request(door.method, path, **door.sends(known))
        if answer.is_error:
            assert set(answer.json()["error"]) == {"code", "message", "details", "requestId"}
        status: int = answer.status_code
        return status


_THINGS = ("project", "n", "asset", "file", "build", "login", "member")


def _expected(door: Door, caller: str, *, is_public: bool) -> int:
    is_reading = door.who == READERS
    if caller == "nobody":
        if not door.is_open:
            return 401
        return door.status if is_public else 404
    if caller in {"stranger", "removed"}:
        if not is_public:
            return 404
        return door.status if is_reading else 403
    return door.status if caller in door.who else 403


async def _violations(stage: Stage, doors: list[Door], *, is_public: bool) -> dict[str, Any]:
    """Try every door as everybody; return what was answered otherwise than it should be."""
    found: dict[str, Any] = {}
    for door in doors:
        known = await stage.known(door)
        for caller in CALLERS:
            expected = _expected(door, caller, is_public=is_public)
            got = await stage.attempt(door, caller, known)
            if got != expected:
                found[f"{door.method} {door.path} by {caller}"] = (got, expected)
            if got < httpx.codes.BAD_REQUEST and door.who != READERS and caller != "owner":
                known = await stage.known(door)
    return found


async def _stage(person, gateway, until) -> Stage:
    people = {role: await person() for role in (*ROLES, "stranger", "removed")}
    stage = Stage(people | {"nobody": Nobody(gateway)}, person)
    await stage.open(until)
    return stage


class Nobody(msgspec.Struct, frozen=True):
    """Who says nothing of themselves."""

    client: httpx.AsyncClient


async def test_every_role_may_do_what_it_may_and_nothing_else(person, gateway, until) -> None:
    stage = await _stage(person, gateway, until)
    assert await _violations(stage, READING + WRITING, is_public=False) == {}


async def test_a_public_project_is_read_by_everybody_and_written_by_its_own(
    person, gateway, until
) -> None:
    stage = await _stage(person, gateway, until)
    url = f"/api/v1/projects/{stage.project}"
    assert (await stage.owner.client.patch(url, json={"isPublic": True})).is_success
    rooms = (f"{url}/assets", f"{url}/builds", f"{url}/presence")

    async def is_open() -> bool:
        stranger = stage.people["stranger"].client
        return all([(await stranger.get(room)).is_success for room in rooms])

    await until(is_open)
    assert await _violations(stage, READING + WRITING, is_public=True) == {}


async def test_only_an_owner_decides_who_may_see_a_project(person, gateway, until) -> None:
    stage = await _stage(person, gateway, until)
    door = Door("PATCH", _project, OWNERS, sends=_json(isPublic=True))
    assert await _violations(stage, [door], is_public=False) == {}
