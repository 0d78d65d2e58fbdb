"""What the rest of the fleet asks about a project's content and its people."""

import base64
import hashlib

from services.projects.tests.desk import Desk

from common.ids import uuid7


async def test_a_pin_can_be_asked_for_again(desk: Desk) -> None:
    project = await desk.project()
    project_id = project.rpartition("/")[2]
    inside = f"/internal/projects/{project_id}"
    empty = (await desk.client.call("POST", f"{inside}/pin")).json()
    assert (empty["seq"], empty["files"]) == (0, [])
    await desk.put(project, "b", "1")
    await desk.put(project, "a/ü", "2")
    tree = (await desk.call("GET", f"{project}/tree")).json()["data"]
    pin = (await desk.client.call("POST", f"{inside}/pin")).json()
    assert pin["treeHash"] == tree["hash"]
    assert [f["path"] for f in pin["files"]] == ["a/ü", "b"]
    assert pin["files"][1] == {
        "path": "b",
        "hash": hashlib.sha256(b"1").hexdigest(),
        "size": 1,
        "encoding": "utf-8",
    }
    await desk.put(project, "b", "changed")
    await desk.call("DELETE", f"{project}/files/a/%C3%BC")
    await desk.batch(project, {"op": "move", "path": "b", "to": "c"})
    then = (await desk.client.call("GET", f"{inside}/tree?seq={pin['seq']}")).json()
    assert then == pin
    now = (await desk.client.call("POST", f"{inside}/pin")).json()
    assert [f["path"] for f in now["files"]] == ["c"]
    assert now["treeHash"] == (await desk.call("GET", f"{project}/tree")).json()["data"]["hash"]


async def test_contents_are_sent_by_hash_to_who_has_them(desk: Desk) -> None:
    mine, other = await desk.project(), await desk.project()
    secret = uuid7().hex
    await desk.put(mine, "a", "1")
    await desk.put(mine, "a", "2")
    await desk.put(other, "a", secret)
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in ("1", "2", secret, "never")]
    sends = {"projectId": mine.rpartition("/")[2], "hashes": hashes}
    blobs = (await desk.client.call("POST", "/internal/blobs", sends=sends)).json()["blobs"]
    assert {h: base64.b64decode(b) for h, b in blobs.items()} == {hashes[0]: b"1", hashes[1]: b"2"}
    many = {**sends, "hashes": hashes * 17}
    refused = await desk.client.call("POST", "/internal/blobs", sends=many)
    assert refused.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"


async def test_bytes_of_a_path_are_sent_as_they_are_now(desk: Desk) -> None:
    project = await desk.project()
    inside = f"/internal/projects/{project.rpartition('/')[2]}/files"
    await desk.put(project, "src/a b.txt", "hello")
    found = await desk.client.call("GET", f"{inside}/src/a%20b.txt")
    assert found.content == b"hello"
    assert found.headers["etag"] == f'"{hashlib.sha256(b"hello").hexdigest()}"'
    await desk.call("DELETE", f"{project}/files/src/a%20b.txt")
    assert (await desk.client.call("GET", f"{inside}/src/a%20b.txt")).status_code == 404
    assert (await desk.client.call("GET", f"{inside}/none")).status_code == 404


async def test_who_may_do_what_is_told_as_announced(desk: Desk) -> None:
    project = await desk.staffed(isPublic=True)
    project_id = project.rpartition("/")[2]
    path = f"/internal/projects/{project_id}/access"
    first = (await desk.client.call("GET", path)).json()
    assert first == {
        "resourceId": project_id,
        "version": 1,
        "isPublic": True,
        "isDeleted": False,
        "roles": {
            str(desk.owner): "owner",
            str(desk.editor): "editor",
            str(desk.commenter): "commenter",
            str(desk.viewer): "viewer",
        },
    }
    await desk.call("DELETE", project)
    gone = (await desk.client.call("GET", path)).json()
    assert (gone["isDeleted"], gone["version"]) == (True, 2)
    absent = await desk.client.call("GET", f"/internal/projects/{uuid7()}/access")
    assert absent.status_code == 404
    for method, route in (("POST", "pin"), ("GET", "tree?seq=1")):
        answer = await desk.client.call(method, f"/internal/projects/{uuid7()}/{route}")
        assert answer.status_code == 404
