"""What a project was can be read again, and comes back, whatever was done to it since."""

import base64
from contextlib import AsyncExitStack
from typing import Any

from pycrdt import Doc, Text

from collab.yjs import messages, updates, varints
from fleet import demo_api
from tests.e2e.answers import batch, failed, ok, put, tree
from tests.e2e.test_revocation import _socket


async def _history(client, project: str, rest: str = "") -> list[dict[str, Any]]:
    """A feed to its end, the oldest first."""
    told: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": 2, "cursor": cursor}
        answer = await client.get(f"/api/v1/projects/{project}/history{rest}", params=query)
        told += ok(answer)
        cursor = answer.json()["meta"]["nextCursor"]
    return told[::-1]


async def test_every_change_is_told_with_its_actor_and_origin(person) -> None:
    ann, bob = await person(), await person()
    project = await ann.project()
    url = f"/api/v1/projects/{project}"
    member = {"login": bob.username, "role": "editor"}
    ok(await ann.client.post(f"{url}/collaborators", json=member), 201)
    await put(ann.client, project, "a", "1")
    await put(bob.client, project, "a", "2")
    await put(bob.client, project, "a", "3")
    sends = {"path": "a", "version": 1}
    back = ok(await bob.client.post(f"{url}/restore-file", json=sends))
    assert back["version"] == 4
    assert ok(await ann.client.get(f"{url}/files/a"))["content"] == "1"
    told = await _history(ann.client, project, "/files/a")
    assert told == await _history(ann.client, project)
    assert [(t["version"], t["actorId"], t["origin"]) for t in told] == [
        (1, ann.user_id, "rest"),
        (2, bob.user_id, "rest"),
        (3, bob.user_id, "rest"),
        (4, bob.user_id, "restore"),
    ]


async def test_the_past_is_read_by_its_number_and_its_time(person) -> None:
    client, project = (ann := await person()).client, await ann.project()
    url = f"/api/v1/projects/{project}"
    await put(client, project, "a", "1")
    png = base64.b64encode(b"\x89PNG\0").decode()
    ok(await client.put(f"{url}/files/p", json={"content": png, "encoding": "base64"}), 201)
    then = await tree(client, project)
    told = await _history(client, project)
    await put(client, project, "a", "2")
    await batch(
        client,
        project,
        {"op": "delete", "path": "p"},
        {"op": "move", "path": "a", "to": "b"},
    )
    for at in (told[-1]["seq"], told[-1]["at"]):
        assert await tree(client, project, f"?at={at}") == then
        assert ok(await client.get(f"{url}/files/a?at={at}"))["content"] == "1"
        assert (await client.get(f"{url}/files/p?raw=1&at={at}")).content == b"\x89PNG\0"
        assert failed(await client.get(f"{url}/files/b?at={at}")) == (404, "NOT_FOUND")
    for at in ("yesterday", "99"):
        for place in ("tree", "files/a"):
            refused = await client.get(f"{url}/{place}?at={at}")
            assert failed(refused) == (400, "VALIDATION_ERROR")


async def test_a_checkpoint_comes_back_and_so_does_what_it_replaced(person) -> None:
    client, project = (ann := await person()).client, await ann.project()
    url = f"/api/v1/projects/{project}"
    for path in ("kept", "changed", "gone", "src/moved"):
        await put(client, project, path, path)
    named = await client.post(f"{url}/checkpoints", json={"name": "First"})
    made = ok(named, 201)
    assert ok(await client.get(named.headers["location"])) == made
    first = await tree(client, project)
    assert made["treeHash"] == first["hash"]
    await put(client, project, "changed", "2")
    await put(client, project, "new", "n")
    await batch(
        client,
        project,
        {"op": "delete", "path": "gone"},
        {"op": "move", "path": "src", "to": "lib"},
    )
    second = await tree(client, project)
    seq = (await _history(client, project))[-1]["seq"]
    restored = ok(await client.post(f"{named.headers['location']}/restore"))
    assert (await tree(client, project))["hash"] == first["hash"]
    undone = f"{url}/checkpoints/{restored['before']['id']}/restore"
    ok(await client.post(undone))
    assert (await tree(client, project))["hash"] == second["hash"]
    # and nothing of it was lost on the way
    assert await tree(client, project, f"?at={made['seq']}") == first
    assert await tree(client, project, f"?at={seq}") == second
    listed = ok(await client.get(f"{url}/checkpoints"))
    assert [(c["name"], c["isAutomatic"]) for c in listed][-1] == ("First", False)
    assert [c["isAutomatic"] for c in listed] == [True, True, False]


async def test_what_a_public_project_was_is_for_everybody_and_a_private_one_for_its_own(
    person, gateway
) -> None:
    ann, bob = await person(), await person()
    shown, hidden = await ann.project(isPublic=True), await ann.project()
    for project in (shown, hidden):
        await put(ann.client, project, "a", "1")
        await put(ann.client, project, "a", "2")
    places = ("history", "history/files/a", "tree?at=1", "files/a?at=1", "export?at=1")
    for place in places:
        for client in (gateway, bob.client):
            assert (await client.get(f"/api/v1/projects/{shown}/{place}")).status_code == 200
            refused = await client.get(f"/api/v1/projects/{hidden}/{place}")
            assert failed(refused) == (404, "NOT_FOUND"), place
    back = {"path": "a", "version": 1}
    url = f"/api/v1/projects/{shown}"
    assert failed(await gateway.post(f"{url}/restore-file", json=back)) == (401, "UNAUTHENTICATED")
    assert failed(await bob.client.post(f"{url}/restore-file", json=back)) == (403, "FORBIDDEN")
    named = {"name": "x"}
    assert failed(await bob.client.post(f"{url}/checkpoints", json=named)) == (403, "FORBIDDEN")


class Document:
    """A document that is open in an editor: just enough of one to type and to read."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._doc: Doc[Text] = Doc()
        self._text = self._doc.get("content", type=Text)
        self._sent: list[bytes] = []
        self._watching = self._doc.observe(lambda event: self._sent.append(event.update))

    @property
    def text(self) -> str:
        """What the editor shows."""
        return str(self._text)

    async def sync(self) -> None:
        """Ask for what is missing; the answer also says that what was typed is kept."""
        await self._send(messages.STEP_1, self._doc.get_state())
        while True:
            message = await self._socket.recv()
            if message[0] != 0:
                continue
            body, _ = varints.read_bytes(message, 2)
            if message[1] == messages.STEP_1:
                await self._send(messages.STEP_2, self._doc.get_update(body))
                continue
            if body != updates.EMPTY:
                self._doc.apply_update(body)
            if message[1] == messages.STEP_2:
                return

    async def type(self, text: str) -> None:
        """Add text at the end, and wait until it is kept."""
        self._sent.clear()
        self._text += text
        for update in list(self._sent):
            await self._send(messages.UPDATE, update)
        await self.sync()

    async def _send(self, step: int, body: bytes) -> None:
        await self._socket.send(bytes((0, step)) + varints.encode(len(body)) + body)


async def test_a_folder_moves_with_its_history_and_whoever_edits_in_it(fleet_up, person) -> None:
    ann = await person()
    client, project = ann.client, await ann.project()
    await put(client, project, "src/a.txt", "one ")
    await put(client, project, "src/b.txt", "b")
    async with AsyncExitStack() as stack:

        async def opened(path: str) -> Document:
            socket = await _socket(stack, fleet_up.gateway_url, ann, f"documents/{project}/{path}")
            document = Document(socket)
            await document.sync()
            return document

        room = await stack.enter_async_context(demo_api.room(client, fleet_up.gateway_url, project))
        document = await opened("src/a.txt")
        await document.type("two ")
        await batch(client, project, {"op": "move", "path": "src", "to": "Lib"})
        await batch(client, project, {"op": "move", "path": "Lib", "to": "lib"})
        await demo_api.frame_where(room, type="file-moved", path="Lib/a.txt")
        await document.type("three")
        other = await opened("lib/a.txt")
        assert (document.text, other.text) == ("one two three", "one two three")
        await put(client, project, "src/a.txt", "another file")
        assert (await opened("src/a.txt")).text == "another file"
        await document.sync()
        assert document.text == "one two three"
    paths = [entry["path"] for entry in (await tree(client, project))["entries"]]
    assert paths == ["lib/a.txt", "lib/b.txt", "src/a.txt"]
    told = await _history(client, project, "/files/lib/a.txt")
    assert (told[0]["path"], told[0]["action"]) == ("src/a.txt", "created")
    moves = [(t["path"], t["movedTo"]) for t in told if t["movedTo"]]
    assert moves == [("src/a.txt", "Lib/a.txt"), ("Lib/a.txt", "lib/a.txt")]
