"""Who is removed from a project is out, whatever they hold in their hands."""

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from websockets.asyncio.client import connect

from common.settings import StorageSettings, load
from common.storage import Storage

_LOOK_S = 0.02
_PATIENCE_S = 20.0
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
_GAME = {"index.html": "<script type=module src=src/main.ts></script>", "src/main.ts": "alert(1)"}
# a type that the compiler computes for a good while, a piece of it for each of many
_SLOW = (
    "type R<T, N extends number, A extends unknown[] = []> ="
    " A['length'] extends N ? [T, A['length']] : R<T, N, [...A, unknown]>;\n"
) + "".join(f"export const v{i}: R<'t{i}', 900> = ['t{i}', 900];\n" for i in range(300))

type Look = Callable[[], Awaitable[object]]


class Held(msgspec.Struct, kw_only=True):
    """What an editor holds of a project."""

    project: str
    asset: str
    download: str
    artifact: str
    # presigned: one that was begun, one whose file was sent, one that is complete
    begun: dict[str, Any]
    sent: dict[str, Any]
    complete: dict[str, Any]
    build: str
    queued: str


async def _ok(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"] if answer.content else None


async def _write(who, project: str, files: dict[str, str]) -> None:
    steps = [{"op": "upsert", "path": path, "content": text} for path, text in files.items()]
    url = f"/api/v1/projects/{project}/files/batch"
    await _ok(await who.client.post(url, json={"operations": steps}))


async def _build(who, project: str) -> str:
    order = {"projectId": project, "target": "web"}
    made: str = (await _ok(await who.client.post("/api/v1/builds", json=order), 201))["id"]
    return made


async def _status(who, build: str) -> str:
    status: str = (await _ok(await who.client.get(f"/api/v1/builds/{build}")))["status"]
    return status


async def _begun(who, project: str, name: str) -> dict[str, Any]:
    order = {"projectId": project, "name": name, "size": len(_PNG), "contentType": "image/png"}
    begun: dict[str, Any] = await _ok(
        await who.client.post("/api/v1/assets/uploads", json=order), 201
    )
    return begun


async def _sent(upload: dict[str, Any]) -> int:
    # without a token: the address is all that is needed
    async with httpx.AsyncClient() as client:
        answer = await client.put(upload["url"], content=_PNG, headers=upload["headers"])
    return answer.status_code


async def _completed(who, upload: dict[str, Any]) -> int:
    answer: httpx.Response = await who.client.post(
        f"/api/v1/assets/uploads/{upload['id']}/complete"
    )
    return answer.status_code


async def _read(url: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).status_code


async def _until(look: Look) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not await look():
        assert time.monotonic() < deadline, "It did not happen."
        await asyncio.sleep(_LOOK_S)


async def _hold(owner, editor) -> Held:
    """Give an editor everything that can be held of a project."""
    project = await owner.project()
    member = {"login": editor.username, "role": "editor"}
    await _ok(
        await owner.client.post(f"/api/v1/projects/{project}/collaborators", json=member), 201
    )
    await _write(owner, project, _GAME)
    asset = await _asset(owner, project)

    async def is_in() -> bool:
        urls = (f"/api/v1/assets/{asset}", f"/api/v1/projects/{project}/builds")
        return all([(await editor.client.get(url)).status_code == 200 for url in urls])

    await _until(is_in)
    done = await _build(editor, project)
    answer = await editor.client.get(f"/api/v1/builds/{done}", headers={"prefer": "wait=30"})
    assert answer.json()["data"]["status"] == "success", answer.text
    download = await editor.client.get(f"/api/v1/assets/{asset}/download")
    artifact = await editor.client.get(f"/api/v1/builds/{done}/artifacts/web.zip")
    begun, sent, complete = [await _begun(editor, project, f"{n}.png") for n in "bsc"]
    assert await _sent(sent) == 200
    assert await _sent(complete) == 200
    assert await _completed(editor, complete) == 201
    await _write(owner, project, {"src/main.ts": _SLOW})
    held = Held(
        project=project,
        asset=asset,
        download=download.headers["location"],
        artifact=artifact.headers["location"],
        begun=begun,
        sent=sent,
        complete=complete,
        build=await _build(editor, project),
        queued=await _build(editor, project),
    )
    assert await _read(held.download) == 200
    assert await _read(held.artifact) == 200

    async def is_building() -> bool:
        return await _status(owner, held.build) == "building"

    await _until(is_building)
    return held


async def _socket(stack: AsyncExitStack, gateway: str, who, path: str) -> Any:
    ticket = (await _ok(await who.client.post("/api/v1/auth/ws-ticket"), 201))["ticket"]
    url = f"{gateway.replace('http', 'ws', 1)}/collab/v1/{path}?ticket={ticket}"
    socket = await stack.enter_async_context(connect(url))
    await socket.recv()
    return socket


class Streamed:
    """An upload whose second half is held back."""

    def __init__(self, who, project: str) -> None:
        self._who = who
        self._head = (
            f'--b\r\ncontent-disposition: form-data; name="projectId"\r\n\r\n{project}\r\n'
            '--b\r\ncontent-disposition: form-data; name="file"; filename="streamed.png"\r\n'
            "content-type: image/png\r\n\r\n"
        ).encode()
        self.more = asyncio.Event()
        self.is_sending = asyncio.Event()
        self.answer = asyncio.create_task(self._send())

    async def _body(self) -> AsyncIterator[bytes]:
        yield self._head + _PNG[:10]
        self.is_sending.set()
        await self.more.wait()
        yield _PNG[10:] + b"\r\n--b--\r\n"

    async def _send(self) -> httpx.Response:
        headers = {"content-type": "multipart/form-data; boundary=b"}
        answer: httpx.Response = await self._who.client.post(
            "/api/v1/assets/upload", content=self._body(), headers=headers
        )
        return answer


async def test_who_is_removed_is_out_whatever_they_hold(fleet_up, person) -> None:
    owner, editor = await person(), await person()
    held = await _hold(owner, editor)
    streamed = Streamed(editor, held.project)
    await streamed.is_sending.wait()
    async with AsyncExitStack() as stack:
        room = await _socket(stack, fleet_up.gateway_url, editor, f"projects/{held.project}")
        path = f"documents/{held.project}/src/main.ts"
        document = await _socket(stack, fleet_up.gateway_url, editor, path)
        others = await _socket(stack, fleet_up.gateway_url, owner, f"projects/{held.project}")

        url = f"/api/v1/projects/{held.project}/collaborators/{editor.user_id}"
        await _ok(await owner.client.delete(url), 204)

        async def closed(socket: Any) -> None:
            async with asyncio.timeout(_PATIENCE_S):
                await socket.wait_closed()
            assert socket.close_code == 4403

        await asyncio.gather(
            closed(room),
            closed(document),
            _until(lambda: _is(_status(owner, held.build), "cancelled")),
            _until(lambda: _is(_status(owner, held.queued), "cancelled")),
            _until(lambda: _is(_read(held.download), 403)),
            _until(lambda: _is(_read(held.artifact), 403)),
            _until(lambda: _is(_sent(held.begun), 403)),
            _until(lambda: _is(_completed(editor, held.complete), 404)),
        )
        assert await _completed(editor, held.sent) == 404
        streamed.more.set()
        assert (await streamed.answer).status_code == 404
        assert others.close_code is None
    assets = (await owner.client.get(f"/api/v1/projects/{held.project}/assets")).json()["data"]
    assert {asset["name"] for asset in assets} == {"a.png", "c.png"}


async def _is(look: Awaitable[object], wanted: object) -> bool:
    return bool(await look == wanted)


async def _asset(owner, project: str) -> str:
    form = {"data": {"projectId": project}, "files": {"file": ("a.png", _PNG, "image/png")}}
    answer = await owner.client.post("/api/v1/assets/upload", **form)
    made: str = (await _ok(answer, 201))["id"]
    return made


async def _address(client: httpx.AsyncClient, asset: str) -> str:
    answer = await client.get(f"/api/v1/assets/{asset}/download")
    assert answer.status_code == 302, answer.text
    location: str = answer.headers["location"]
    return location


async def test_who_may_only_look_on_may_read_on_and_not_write(person) -> None:
    owner, editor = await person(), await person()
    project = await owner.project()
    people = f"/api/v1/projects/{project}/collaborators"
    member = {"login": editor.username, "role": "editor"}
    await _ok(await owner.client.post(people, json=member), 201)
    asset = await _asset(owner, project)

    async def is_in() -> bool:
        return bool((await editor.client.get(f"/api/v1/assets/{asset}")).status_code == 200)

    await _until(is_in)
    download, upload = await _address(editor.client, asset), await _begun(editor, project, "b.png")
    assert await _sent(upload) == 200
    await _ok(await owner.client.patch(f"{people}/{editor.user_id}", json={"role": "viewer"}))
    await _until(lambda: _is(_sent(upload), 403))
    assert await _completed(editor, upload) == 403
    assert await _read(download) == 200


async def test_what_anybody_may_read_they_may_read_while_it_is_public(
    person, gateway: httpx.AsyncClient
) -> None:
    owner, stranger = await person(), await person()
    project = await owner.project(isPublic=True)
    asset = await _asset(owner, project)
    clients = (gateway, stranger.client, owner.client)
    urls = [await _address(client, asset) for client in clients]
    assert [await _read(url) for url in urls] == [200, 200, 200]
    public = f"/api/v1/projects/{project}"
    await _ok(await owner.client.patch(public, json={"isPublic": False}))
    await _until(lambda: _is(_read(urls[0]), 404))
    assert [await _read(url) for url in urls] == [404, 404, 404]
    # a member is given another one, which is theirs
    assert await _read(await _address(owner.client, asset)) == 200


async def test_an_address_is_good_just_as_it_was_made(fleet_up, person) -> None:
    owner, stranger = await person(), await person()
    project, other = await owner.project(), await stranger.project()
    asset = await _asset(owner, project)
    url = await _address(owner.client, asset)
    grant = f"x-grant={owner.user_id}.{project}"
    begun = await _begun(owner, project, "b.png")
    assert url.count(grant) == begun["url"].count(grant) == 1
    altered = [
        url.replace(grant, f"x-grant={stranger.user_id}.{project}"),
        url.replace(grant, f"x-grant={owner.user_id}.{other}"),
        url.replace(grant, f"x-grant={stranger.user_id}.{other}"),
        url.replace(grant, "x-grant="),
        url.replace(f"{grant}&", ""),
        f"{url}&{grant}",
        f"{url}&x-grant={stranger.user_id}.{other}%zz",
        f"{url}&x-grant={stranger.user_id}.{other};",
        url.replace("exp=", "exp=1"),
        url.replace("sig=", "sig=A"),
        re.sub(r"/cdn/[0-9a-f]+/", f"/cdn/{'0' * 64}/", url),
        begun["url"],
    ]
    assert [await _read(one) for one in altered] == [403] * len(altered)
    assert await _read(url.replace("/cdn/", "/blobs/")) == 404
    assert await _read(url) == 200
    assert await _sent(begun | {"url": url}) == 405
    for wrong in (
        begun | {"url": begun["url"].replace(grant, f"x-grant={stranger.user_id}.{other}")},
        begun | {"headers": begun["headers"] | {"content-type": "text/html"}},
    ):
        assert await _sent(wrong) == 403
    assert await _sent(begun) == 200
    async with httpx.AsyncClient() as client:
        part = await client.get(url, headers={"range": "bytes=1-3"})
        assert (part.status_code, part.content) == (206, b"PNG")
        assert (await client.head(url)).status_code == 200
        for method in ("DELETE", "POST"):
            assert (await client.request(method, url)).status_code == 405
    key = f"{project}/{urlsplit(url).path.split('/')[2]}"
    await _expired(fleet_up, key, {"x-grant": grant.removeprefix("x-grant=")})


async def _expired(fleet_up, key: str, marks: dict[str, str]) -> None:
    """An address that lives for a moment, signed as the service signs, for the same object."""
    storage = Storage(load(StorageSettings, fleet_up.env("assets")))
    await storage.open()
    brief = await storage.signed_get("assets", key, lifetime_s=3, marks=marks)
    await storage.close()
    assert await _read(brief) == 200
    await _until(lambda: _is(_read(brief), 403))
