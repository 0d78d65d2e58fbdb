"""Comments on stretches of files: they stay with the text, and everybody hears of them."""

import asyncio
import base64
import hashlib

import pytest
from pycrdt import Doc, Text

from collab.yjs.positions import Places
from common.ids import uuid7
from common.testing.waiting import until

TEXT = "one\ntwo\nthree\nfour\n"


@pytest.fixture
async def project(desk):
    """A project with a file, whose members have all the roles."""
    made = await desk.project()
    desk.commenter = uuid7()
    await desk.invite(made, desk.commenter, "commenter")
    await desk.write(made, "a.txt", TEXT)
    return made


async def publish(desk, project):
    """Let everybody read the project; collab has heard of it when a stranger is let in."""
    await desk.rest("PATCH", f"/projects/{project}", json={"isPublic": True})
    path = f"/projects/{project}/presence"

    async def is_open():
        return (await desk.ask("GET", path, desk.stranger)).status_code == 200

    await until(is_open)


async def comment(desk, project, user, text="why?", *, mentions=(), **anchor):
    """Make a comment; on the second line where nothing else is said."""
    where = {"path": "a.txt", **(anchor or {"line": 2})}
    body = {"text": text, "anchor": where, "mentions": [str(one) for one in mentions]}
    answer = await desk.ask("POST", f"/projects/{project}/comments", user, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def reply(desk, parent, user, text="because"):
    """Reply to a comment."""
    path = f"/comments/{parent['id']}/replies"
    answer = await desk.ask("POST", path, user, json={"text": text})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def show(desk, one, user=None):
    """A comment as it is now."""
    answer = await desk.ask("GET", f"/comments/{one['id']}", user or desk.viewer)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def feed(desk, project, user, **params):
    """The comments that are wanted."""
    answer = await desk.ask("GET", f"/projects/{project}/comments", user, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_a_thread_stays_on_its_line_while_others_type_above(desk, project):
    made = await comment(desk, project, desk.commenter, line=2)
    assert made["anchor"]["quote"] == "two"
    assert made["position"] == {"start": 4, "end": 7, "line": 2, "endLine": 2}
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(0, "zero\nnull\n")
    await client.sync()
    assert (await show(desk, made))["position"] == {"start": 14, "end": 17, "line": 4, "endLine": 4}
    # what is typed at its edges is not part of it
    await client.type(17, "!")
    await client.type(14, ">")
    await client.sync()
    assert (await show(desk, made))["position"] == {"start": 15, "end": 18, "line": 4, "endLine": 4}
    await client.type(16, "--")
    await client.sync()
    assert (await show(desk, made))["position"]["end"] == 20


async def test_a_comment_whose_text_is_gone_has_no_place(desk, project):
    made = await comment(desk, project, desk.owner, line=2)
    client = await desk.open(project, "a.txt", desk.editor)
    await client.cut(4, 6)
    await client.sync()
    assert (await show(desk, made))["position"]["end"] == 5
    await client.cut(3, 6)
    await client.sync()
    now = await show(desk, made)
    assert (now["position"], now["orphaned"]) == (None, True)
    assert now["anchor"]["quote"] == "two"


async def test_text_outside_of_ascii_is_counted_as_editors_count_it(desk, project):
    await desk.write(project, "b.txt", "😀é\n中文 two 😀\n")
    made = await comment(desk, project, desk.owner, path="b.txt", start=4, end=13)
    assert made["anchor"]["quote"] == "中文 two 😀"
    client = await desk.open(project, "b.txt", desk.editor)
    await client.type(0, "🎮")
    await client.sync()
    moved = (await show(desk, made))["position"]
    assert moved == {"start": 6, "end": 15, "line": 2, "endLine": 2}


async def test_a_position_of_an_editor_is_kept_as_it_is(desk, project):
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(4, "typed ")
    await client.sync()
    places = Places(client.doc.get_update())
    start = base64.b64encode(places.at(4, is_behind=False).encoded()).decode()
    end = base64.b64encode(places.at(9, is_behind=True).encoded()).decode()
    made = await comment(desk, project, desk.editor, start=start, end=end)
    assert (made["anchor"]["start"], made["anchor"]["end"]) == (start, end)
    assert made["anchor"]["quote"] == "typed"
    assert made["position"]["line"] == 2


async def test_a_position_that_the_document_does_not_have_is_refused(desk, project):
    other: Doc[Text] = Doc(client_id=5)
    content = other.get("content", type=Text)
    content += "elsewhere"
    places = Places(other.get_update())
    one = base64.b64encode(places.at(3, is_behind=False).encoded()).decode()
    root = base64.b64encode(b"\x01\x05other\x00").decode()
    path = f"/projects/{project}/comments"
    for start, status in ((one, 409), (root, 400), ("AwAA", 400), ("!", 400), (3, 400)):
        body = {"text": "x", "anchor": {"path": "a.txt", "start": start, "end": one}}
        assert (await desk.ask("POST", path, desk.owner, json=body)).status_code == status


@pytest.mark.parametrize(
    "anchor",
    [
        {},
        {"path": "a.txt"},
        {"path": "a.txt", "line": 0},
        {"path": "a.txt", "line": 6},
        {"path": "a.txt", "line": 3, "endLine": 2},
        {"path": "a.txt", "start": 0},
        {"path": "a.txt", "start": 5, "end": 4},
        {"path": "a.txt", "start": 0, "end": 1_000},
        {"path": "a.txt", "start": -1, "end": 1},
        {"path": "a.txt", "start": 0, "end": 1, "line": 1},
        {"path": "a.txt", "line": 1, "more": 1},
        {"path": "a\0", "line": 1},
        {"line": 1},
    ],
)
async def test_what_is_no_place_is_refused(desk, project, anchor):
    body = {"text": "x", "anchor": anchor}
    answer = await desk.ask("POST", f"/projects/{project}/comments", desk.owner, json=body)
    assert answer.status_code == 400, answer.text


async def test_a_comment_needs_a_file(desk, project):
    body = {"text": "x", "anchor": {"path": "no.txt", "line": 1}}
    answer = await desk.ask("POST", f"/projects/{project}/comments", desk.owner, json=body)
    assert answer.status_code == 404


async def test_offsets_are_of_the_text_that_they_were_counted_in(desk, project):
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    made = await comment(desk, project, desk.owner, start=4, end=7, hash=digest)
    assert made["anchor"]["quote"] == "two"
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(0, "x")
    await client.sync()
    body = {"text": "x", "anchor": {"path": "a.txt", "start": 4, "end": 7, "hash": digest}}
    answer = await desk.ask("POST", f"/projects/{project}/comments", desk.owner, json=body)
    assert answer.json()["error"]["code"] == "CONFLICT"


async def test_a_place_between_two_characters_can_be_commented_on(desk, project):
    made = await comment(desk, project, desk.owner, start=8, end=8)
    assert made["anchor"]["quote"] == ""
    last = await comment(desk, project, desk.owner, start=len(TEXT), end=len(TEXT))
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(0, "new\n")
    await client.sync()
    assert (await show(desk, made))["position"]["start"] == 12
    assert (await show(desk, last))["position"]["start"] == len(TEXT) + 4


async def test_comments_are_listed_with_their_replies_and_by_what_they_are(desk, project):
    await desk.write(project, "b.txt", "other\n")
    first = await comment(desk, project, desk.owner, "first")
    second = await comment(desk, project, desk.commenter, "second", path="b.txt", line=1)
    third = await comment(desk, project, desk.editor, "third", start=0, end=len(TEXT))
    answers = [await reply(desk, first, desk.editor, f"reply {number}") for number in range(25)]
    await desk.ask("POST", f"/comments/{third['id']}/resolve", desk.commenter)
    everything = await feed(desk, project, desk.viewer)
    assert [one["text"] for one in everything] == ["third", "second", "first"]
    assert everything[2]["replyCount"] == 25
    assert [one["text"] for one in everything[2]["replies"]] == [
        f"reply {number}" for number in range(5, 25)
    ]
    assert [one["id"] for one in await feed(desk, project, desk.viewer, path="b.txt")] == [
        second["id"]
    ]
    still_open = await feed(desk, project, desk.viewer, resolved="false")
    assert [one["text"] for one in still_open] == ["second", "first"]
    done = await feed(desk, project, desk.viewer, resolved="true", path="a.txt")
    assert [one["text"] for one in done] == ["third"]
    path = f"/comments/{first['id']}/replies"
    page = (await desk.ask("GET", path, desk.viewer, params={"limit": 20})).json()
    cursor = page["meta"]["nextCursor"]
    rest = (await desk.ask("GET", path, desk.viewer, params={"cursor": cursor})).json()
    assert [one["id"] for one in page["data"] + rest["data"]] == [a["id"] for a in answers[::-1]]
    listing = f"/projects/{project}/comments"
    page = (await desk.ask("GET", listing, desk.viewer, params={"limit": 2})).json()
    cursor = page["meta"]["nextCursor"]
    rest = (await desk.ask("GET", listing, desk.viewer, params={"cursor": cursor})).json()
    assert page["data"] + rest["data"] == everything


async def test_a_hundred_comments_in_one_document_are_found_at_once(desk, project):
    long = "".join(f"line {number}\n" for number in range(120))
    await desk.write(project, "long.txt", long)
    for number in range(1, 101):
        await comment(desk, project, desk.owner, path="long.txt", line=number)
    client = await desk.open(project, "long.txt", desk.editor)
    await client.type(0, "first\n")
    await client.sync()
    found = await feed(desk, project, desk.viewer, limit=100)
    assert [one["position"]["line"] for one in found] == list(range(101, 1, -1))


async def test_the_room_hears_of_comments(desk, project):
    viewer = await desk.room(project, desk.viewer)
    made = await comment(desk, project, desk.commenter, mentions=[desk.viewer])
    heard = await viewer.frame(type="comment-created")
    assert heard["event"] == "collab.comment.created.v1"
    assert (heard["commentId"], heard["number"]) == (made["id"], made["number"])
    assert (heard["start"], heard["end"]) == (made["anchor"]["start"], made["anchor"]["end"])
    assert (heard["path"], heard["quote"], heard["text"]) == ("a.txt", "two", "why?")
    assert heard["mentions"] == [str(desk.viewer)]
    answered = await reply(desk, made, desk.owner)
    heard = await viewer.frame(type="comment-created", commentId=answered["id"])
    assert (heard["parentId"], heard["path"]) == (made["id"], "a.txt")
    where = f"/comments/{made['id']}"
    await desk.ask("PATCH", where, desk.commenter, json={"text": "how?"})
    heard = await viewer.frame(type="comment-updated")
    assert (heard["text"], heard["isResolved"]) == ("how?", False)
    await desk.ask("POST", f"{where}/resolve", desk.editor)
    heard = await viewer.frame(type="comment-resolved")
    assert (heard["commentId"], heard["actor"]) == (made["id"], str(desk.editor))
    await desk.ask("PATCH", where, desk.commenter, json={"resolved": False})
    assert (await viewer.frame(type="comment-updated"))["isResolved"] is False
    await desk.ask("DELETE", where, desk.commenter)
    assert (await viewer.frame(type="comment-deleted"))["commentId"] == made["id"]


async def test_what_changes_nothing_is_not_told(desk, project):
    viewer = await desk.room(project, desk.viewer)
    made = await comment(desk, project, desk.owner)
    where = f"/comments/{made['id']}"
    await viewer.frame(type="comment-created")
    viewer.seen.clear()
    same_again: list[dict[str, object]] = [
        {},
        {"text": "why?"},
        {"resolved": False},
        {"mentions": []},
    ]
    for body in same_again:
        same = await desk.ask("PATCH", where, desk.owner, json=body)
        assert same.json()["data"] == made
    for _ in range(2):
        done = await desk.ask("POST", f"{where}/resolve", desk.editor)
        assert done.json()["data"]["resolvedBy"] == str(desk.editor)
    await comment(desk, project, desk.owner, "end")
    await viewer.frame(type="comment-created", text="end")
    told = [f["type"] for f in viewer.seen if f.get("type", "").startswith("comment")]
    assert told == ["comment-resolved", "comment-created"]


async def test_a_comment_is_gone_with_its_replies(desk, project):
    made = await comment(desk, project, desk.commenter)
    answered = await reply(desk, made, desk.owner)
    other = await comment(desk, project, desk.commenter)
    assert (await desk.ask("DELETE", f"/comments/{made['id']}", desk.owner)).status_code == 204
    for gone in (made, answered):
        assert (await desk.ask("GET", f"/comments/{gone['id']}", desk.owner)).status_code == 404
    again = await desk.ask(
        "POST", f"/comments/{made['id']}/replies", desk.owner, json={"text": "x"}
    )
    assert again.status_code == 404
    assert [one["id"] for one in await feed(desk, project, desk.owner)] == [other["id"]]


async def test_a_reply_has_no_replies_and_is_not_resolved(desk, project):
    answered = await reply(desk, await comment(desk, project, desk.owner), desk.owner)
    where = f"/comments/{answered['id']}"
    body = {"text": "x"}
    assert (await desk.ask("POST", f"{where}/replies", desk.owner, json=body)).status_code == 400
    assert (await desk.ask("POST", f"{where}/resolve", desk.owner)).status_code == 400
    edited = await desk.ask("PATCH", where, desk.owner, json=body)
    assert edited.json()["data"]["text"] == "x"
    assert edited.json()["data"]["editedAt"]


async def test_comments_go_where_their_file_goes(desk, project):
    made = await comment(desk, project, desk.owner)
    moved = [{"op": "move", "path": "a.txt", "to": "src/b.txt"}]
    await desk.rest("POST", f"/projects/{project}/files/batch", json={"operations": moved})

    async def is_there():
        return await feed(desk, project, desk.owner, path="src/b.txt")

    found = await until(is_there)
    assert [one["id"] for one in found] == [made["id"]]
    assert found[0]["position"]["line"] == 2
    await desk.rest("DELETE", f"/projects/{project}/files/src/b.txt")

    async def is_orphaned():
        return (await show(desk, made))["orphaned"]

    await until(is_orphaned)
    assert (await show(desk, made))["anchor"]["path"] == "src/b.txt"


async def test_a_comment_stays_on_its_line_when_the_file_is_written_over_http(desk, project):
    made = await comment(desk, project, desk.owner, line=2)
    for number in range(1, 4):
        await desk.write(project, "a.txt", "above\n" * number + TEXT)

        async def is_below(number=number):
            return (await show(desk, made))["position"]["line"] == 2 + number

        await until(is_below)


async def test_everybody_has_their_own_unread_comments(desk, project):
    where = f"/projects/{project}/comments"

    async def unread(user):
        found = (await desk.ask("GET", f"{where}/unread", user)).json()["data"]
        return found["unread"], found["mentions"]

    first = await comment(desk, project, desk.owner, mentions=[desk.viewer])
    second = await reply(desk, first, desk.editor)
    assert await unread(desk.viewer) == (2, 1)
    assert await unread(desk.owner) == (1, 0)
    assert await unread(desk.editor) == (1, 0)
    body = {"commentId": second["id"]}
    left = (await desk.ask("PUT", f"{where}/read", desk.viewer, json=body)).json()["data"]
    assert left == {"unread": 0, "mentions": 0, "readNumber": 2, "lastNumber": 2}
    body = {"commentId": first["id"]}
    await desk.ask("PUT", f"{where}/read", desk.viewer, json=body)
    assert await unread(desk.viewer) == (0, 0)
    body = {"commentId": str(uuid7())}
    assert (await desk.ask("PUT", f"{where}/read", desk.owner, json=body)).status_code == 404


async def test_only_members_are_mentioned(desk, project):
    body = {"text": "x", "anchor": {"path": "a.txt", "line": 1}, "mentions": [str(desk.stranger)]}
    answer = await desk.ask("POST", f"/projects/{project}/comments", desk.owner, json=body)
    assert answer.status_code == 400
    made = await comment(desk, project, desk.owner)
    body = {"mentions": [str(desk.stranger)]}
    changed = await desk.ask("PATCH", f"/comments/{made['id']}", desk.owner, json=body)
    assert changed.status_code == 400


async def test_a_key_makes_one_comment(desk, project):
    headers = {"idempotency-key": str(uuid7())}
    body = {"text": "x", "anchor": {"path": "a.txt", "line": 1}}
    asked = {"json": body, "headers": headers}
    path = f"/projects/{project}/comments"
    answers = [await desk.ask("POST", path, desk.owner, **asked) for _ in range(2)]
    assert answers[0].json()["data"]["id"] == answers[1].json()["data"]["id"]
    assert len(await feed(desk, project, desk.owner)) == 1


async def test_many_keys_at_once_wait_for_one_another(desk, project):
    path = f"/projects/{project}/comments"

    async def keyed(number):
        await desk.write(project, f"{number}.txt", "x")
        body = {"text": "x", "anchor": {"path": f"{number}.txt", "line": 1}}
        headers = {"idempotency-key": str(uuid7())}
        return await desk.ask("POST", path, desk.owner, json=body, headers=headers)

    answers = await asyncio.gather(*[keyed(number) for number in range(24)])
    assert [answer.status_code for answer in answers] == [201] * 24


WRITERS, TALKERS = ("owner", "editor"), ("owner", "editor", "commenter")


async def test_who_may_do_what_with_comments(desk, project):
    listing = f"/projects/{project}/comments"
    new = {"text": "x", "anchor": {"path": "a.txt", "line": 1}}
    people = {role: getattr(desk, role) for role in (*TALKERS, "viewer", "stranger")}

    async def statuses(user):
        """What somebody may do with a comment of the owner's."""
        made = await comment(desk, project, desk.owner)
        one = f"/comments/{made['id']}"
        asked = [
            ("GET", listing, None),
            ("GET", f"{listing}/unread", None),
            ("PUT", f"{listing}/read", {"commentId": made["id"]}),
            ("GET", one, None),
            ("GET", f"{one}/replies", None),
            ("POST", listing, new),
            ("POST", f"{one}/replies", {"text": "x"}),
            ("POST", f"{one}/resolve", None),
            ("PATCH", one, {"resolved": False}),
            ("PATCH", one, {"text": "y"}),
            ("DELETE", one, None),
        ]
        answers = [await desk.ask(verb, path, user, json=body) for verb, path, body in asked]
        return [answer.status_code for answer in answers]

    reads, talks = [200] * 5, [201, 201, 200, 200]
    wanted = {
        "owner": [*reads, *talks, 200, 204],
        "editor": [*reads, *talks, 403, 204],
        "commenter": [*reads, *talks, 403, 403],
        "viewer": [*reads, *[403] * 6],
        "stranger": [404] * 11,
    }
    assert {name: await statuses(user) for name, user in people.items()} == wanted
    await publish(desk, project)
    assert await statuses(desk.stranger) == [403] * 11
    assert await statuses(None) == [401] * 11


async def test_authors_have_their_own_words(desk, project):
    made = await comment(desk, project, desk.commenter)
    where = f"/comments/{made['id']}"
    edited = await desk.ask("PATCH", where, desk.commenter, json={"text": "better"})
    assert edited.json()["data"]["text"] == "better"
    path = f"/projects/{project}/collaborators/{desk.commenter}"
    viewer = await desk.room(project, desk.commenter)
    await desk.rest("PATCH", path, json={"role": "viewer"})
    await viewer.frame(type="permissions-changed")
    refused = await desk.ask("PATCH", where, desk.commenter, json={"text": "best"})
    assert refused.status_code == 403
    assert (await desk.ask("DELETE", where, desk.commenter)).status_code == 204


async def test_a_key_of_one_project_does_not_open_comments_of_another(desk, project):
    made = await comment(desk, project, desk.owner)
    headers = {"x-auth-scopes": "projects:read projects:write", "x-auth-project": str(uuid7())}
    where = f"/comments/{made['id']}"
    assert (await desk.ask("GET", where, desk.owner, headers=headers)).status_code == 404
    assert (await desk.ask("DELETE", where, desk.owner, headers=headers)).status_code == 404
    assert (await show(desk, made))["id"] == made["id"]


async def test_readers_of_a_public_project_do_not_hear_of_comments(desk, project):
    await publish(desk, project)
    reader, viewer = await desk.room(project, desk.stranger), await desk.room(project, desk.viewer)
    await comment(desk, project, desk.owner)
    await viewer.frame(type="comment-created")
    await desk.write(project, "end.txt", "end")
    await reader.frame(type="file-created", path="end.txt")
    assert "comment-created" not in [frame.get("type") for frame in reader.seen]
