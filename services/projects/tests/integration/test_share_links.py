"""Share links through HTTP: anybody who has one reads, and changes nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
import sqlalchemy as sa
from services.projects.tests.desk import Desk

from common.ids import uuid7
from common.testing.apps import Serving
from projects.sharing import service
from projects.tables import ShareLinkRow

_IDS = sa.select(sa.cast(ShareLinkRow.id, sa.Text)).where(
    ShareLinkRow.project_id == sa.bindparam("project_id", type_=sa.Uuid)
)
_PASS = sa.text("UPDATE share_link SET expires_at = now() - interval '1 s' WHERE id = :id")


async def shared(desk: Desk, project: str, **fields: Any) -> dict[str, Any]:
    """Make a link as the owner."""
    made = await desk.call("POST", f"{project}/share-links", sends=fields)
    assert made.status_code == 201, made.text
    link: dict[str, Any] = made.json()["data"]
    return link


async def read(desk: Desk, link: dict[str, Any], rest: str = "", **headers: str) -> httpx.Response:
    """Ask by a link, as nobody in particular."""
    return await desk.client.call("GET", f"/api/v1/shared/{link['token']}{rest}", **headers)


def failed(answer: httpx.Response) -> tuple[int, str]:
    """How an answer failed."""
    return answer.status_code, answer.json()["error"]["code"]


async def test_anybody_reads_by_a_link(desk: Desk) -> None:
    project = await desk.project(settings={"fps": 60})
    await desk.put(project, "src/main.ts", "hello")
    await desk.put(project, "a.txt", "a")
    made = await desk.call("POST", f"{project}/share-links", sends={})
    link = made.json()["data"]
    assert made.headers["location"] == f"{project}/share-links/{link['id']}"
    assert made.headers["cache-control"] == "no-store"
    assert set(link) == {"id", "createdBy", "createdAt", "expiresAt", "token", "url"}
    assert link["url"].endswith(f"/api/v1/shared/{link['token']}")
    assert (link["createdBy"], link["expiresAt"]) == (str(desk.owner), None)

    mine = (await desk.call("GET", project)).json()["data"]
    theirs = (await read(desk, link)).json()["data"]
    assert theirs == {**mine, "role": "viewer"}
    tree = await read(desk, link, "/tree")
    assert tree.json()["data"] == (await desk.call("GET", f"{project}/tree")).json()["data"]
    assert (await read(desk, link, "/tree", if_none_match=tree.headers["etag"])).status_code == 304
    top = (await read(desk, link, "/tree?depth=1")).json()["data"]["entries"]
    assert [entry["type"] for entry in top] == ["file", "directory"]
    file = await read(desk, link, "/files/src/main.ts")
    known = await desk.call("GET", f"{project}/files/src/main.ts")
    assert file.json()["data"] == known.json()["data"]
    raw = await read(desk, link, "/files/src/main.ts?raw=1", range="bytes=1-2")
    assert (raw.status_code, raw.content) == (206, b"el")
    assert failed(await read(desk, link, "/files/none")) == (404, "NOT_FOUND")
    # a stranger who is logged in is as welcome
    path = f"/api/v1/shared/{link['token']}"
    assert (await desk.call("GET", path, desk.stranger)).json()["data"]["role"] == "viewer"
    assert (await desk.call("GET", path)).json()["data"]["role"] == "viewer"


async def test_a_link_changes_nothing_and_shows_nobody(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a.txt", "a")
    link = await shared(desk, project)
    path = f"/api/v1/shared/{link['token']}"
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for rest in ("", "/tree", "/files/a.txt"):
            answer = await desk.client.call(method, f"{path}{rest}", sends={})
            assert failed(answer) == (405, "METHOD_NOT_ALLOWED")
    for rest in ("/collaborators", "/invitations", "/share-links", "/files"):
        assert failed(await read(desk, link, rest)) == (404, "NOT_FOUND")
    assert await desk.text(project, "a.txt") == "a"


async def test_a_link_ends(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a.txt", "a")
    revoked, late, kept = [await shared(desk, project) for _ in range(3)]
    path = f"{project}/share-links"
    assert (await desk.call("DELETE", f"{path}/{revoked['id']}")).status_code == 204
    assert failed(await desk.call("DELETE", f"{path}/{revoked['id']}")) == (404, "NOT_FOUND")
    await desk.client.db.run(_PASS, id=UUID(late["id"]))
    for link in (revoked, late, {"token": "nothing"}):
        for rest in ("", "/tree", "/files/a.txt", "/files/a.txt?raw=1"):
            assert failed(await read(desk, link, rest)) == (404, "NOT_FOUND")
    listed = (await desk.call("GET", path)).json()["data"]
    shown = {"id", "createdBy", "createdAt", "expiresAt"}
    assert [(one["id"], set(one)) for one in listed] == [(kept["id"], shown)]
    assert (await desk.call("DELETE", project)).status_code == 204
    for rest in ("", "/tree", "/files/a.txt"):
        assert failed(await read(desk, kept, rest)) == (404, "NOT_FOUND")
    await desk.call("POST", f"{project}/restore")
    assert (await read(desk, kept)).status_code == 200


async def test_a_link_is_good_until_it_says(desk: Desk) -> None:
    project = await desk.project()
    until = datetime.now(UTC) + timedelta(hours=1)
    link = await shared(desk, project, expiresAt=until.isoformat())
    assert datetime.fromisoformat(link["expiresAt"]) == until
    assert (await read(desk, link)).status_code == 200


async def test_a_link_stays_when_who_made_the_project_leaves(desk: Desk) -> None:
    project = await desk.staffed()
    await desk.put(project, "a.txt", "a")
    link = await shared(desk, project)
    heir = f"{project}/collaborators/{desk.editor}"
    await desk.call("PATCH", heir, sends={"role": "owner"})
    left = await desk.call("DELETE", f"{project}/collaborators/{desk.owner}")
    assert left.status_code == 204
    assert (await read(desk, link, "/files/a.txt")).status_code == 200


async def test_only_owners_make_and_see_links(desk: Desk) -> None:
    project = await desk.staffed()
    path = f"{project}/share-links"
    for user, status in ((desk.editor, 403), (desk.viewer, 403), (desk.stranger, 404)):
        assert (await desk.call("POST", path, user, sends={})).status_code == status
        assert (await desk.call("GET", path, user)).status_code == status
        assert (await desk.call("DELETE", f"{path}/{uuid7()}", user)).status_code == status
    assert (await desk.client.call("GET", path)).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"expiresAt": "2020-01-01T00:00:00Z"},
        {"expiresAt": "2999-01-01T00:00:00"},
        {"expiresAt": "0001-01-01T00:00:00+23:00"},
        {"expiresAt": "soon"},
        {"token": "x"},
    ],
)
async def test_what_is_no_link_is_refused(desk: Desk, wrong: dict[str, str]) -> None:
    answer = await desk.call("POST", f"{await desk.project()}/share-links", sends=wrong)
    assert failed(answer) == (400, "VALIDATION_ERROR")


async def test_links_that_are_good_no_more_are_swept_away(desk: Desk) -> None:
    project = await desk.project()
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    late = [await shared(desk, project, expiresAt=until) for _ in range(3)]
    kept = [await shared(desk, project), await shared(desk, project, expiresAt=until)]
    for link in late:
        await desk.client.db.run(_PASS, id=UUID(link["id"]))
    few = msgspec.structs.replace(desk.client.app.state.settings, sweep_rows_max=2)
    means = msgspec.structs.replace(desk.client.app.state.means, settings=few)
    counts = [await service.sweep(means)]
    while counts[-1]:
        counts.append(await service.sweep(means))
    assert max(counts) == 2
    found = await desk.client.db.all(_IDS, str, project_id=UUID(project.rpartition("/")[2]))
    assert sorted(found) == sorted(link["id"] for link in kept)


async def test_a_project_has_so_many_links(serve: Serving) -> None:
    async with serve(SHARE_LINKS_PER_PROJECT_MAX="1") as client:
        desk = Desk(client)
        project = await desk.project()
        link = await shared(desk, project)
        path = f"{project}/share-links"
        full = await desk.call("POST", path, sends={})
        assert failed(full) == (403, "QUOTA_EXCEEDED")
        assert full.json()["error"]["details"] == [{"limit": 1, "used": 1}]
        await desk.client.db.run(_PASS, id=UUID(link["id"]))
        await shared(desk, project)
