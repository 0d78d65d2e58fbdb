"""Files over HTTP while two people type in them: one truth, and nobody is disturbed."""

import asyncio
import hashlib

import httpx

from tests.e2e.conftest import Person

PATH = "src/level.txt"
LINES = [f"line {number} of the level\n" for number in range(120)]
TEXT = "".join(LINES)
# what a small change may take away or bring, and a whole text at once does not
SMALL = 200


def _tag(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()}"'


async def _read(who: Person, project: str) -> httpx.Response:
    answer = await who.client.get(f"/api/v1/projects/{project}/files/{PATH}")
    assert answer.status_code == 200, answer.text
    return answer


async def _change(who: Person, project: str, old: str, new: str) -> int:
    """Put a line in another's place, on top of what was read; return how often it was tried."""
    for tries in range(1, 200):
        seen = await _read(who, project)
        content = seen.json()["data"]["content"]
        assert content.count(old) == 1
        answer = await who.client.put(
            f"/api/v1/projects/{project}/files/{PATH}",
            json={"content": content.replace(old, new)},
            headers={"if-match": seen.headers["etag"]},
        )
        if answer.status_code != 412:
            assert answer.status_code == 200, answer.text
            return tries
    raise AssertionError("Somebody was always quicker.")


async def test_a_put_while_two_type_is_a_small_change_and_leaves_cursors_where_they_are(
    sits, together
) -> None:
    ann, ben, project = await together(PATH, TEXT)
    hers, his = await asyncio.gather(sits(ann, project, PATH), sits(ben, project, PATH))
    chosen = TEXT.index("of the level", TEXT.index("line 60 "))
    end = TEXT.index("\n", TEXT.index("line 80 "))
    await his.select(end)
    await hers.select(TEXT.index("line 100 "))
    third = await sits(ben, project, PATH)
    await third.select(chosen, chosen + len("of the level"))
    typed = " and this was typed while others wrote the file, here and elsewhere" * 2
    above = "typed by her\n" * 6

    async def write() -> None:
        for number in range(5, 50, 9):
            await _change(ann, project, LINES[number], f"line {number} is new: änderung 😀\n")

    await asyncio.gather(his.type(typed), hers.type(above), write())
    lines = list(LINES)
    for number in range(5, 50, 9):
        lines[number] = f"line {number} is new: änderung 😀\n"
    lines[80] = lines[80][:-1] + typed + "\n"
    expected = "".join([*lines[:100], above, *lines[100:]])
    for editor in (hers, his, third):
        await editor.until_text(expected)
        heard = [part for delta in await editor.ask("heard") for part in delta]
        taken = [part["delete"] for part in heard if "delete" in part]
        brought = [len(part["insert"]) for part in heard if "insert" in part]
        assert max(taken) < SMALL
        assert max(brought) < SMALL
        assert await editor.ask("closed") == []
    assert await third.ask("selected()") == "of the level"


async def test_a_file_read_over_http_is_the_text_that_the_browsers_show(
    sits, together, until
) -> None:
    ann, ben, project = await together(PATH, TEXT)
    hers, his = await asyncio.gather(sits(ann, project, PATH), sits(ben, project, PATH))
    await hers.select(0)
    await his.select(len(TEXT))
    await asyncio.gather(hers.type("her word\n"), his.type("his word\n"))
    expected = f"her word\n{TEXT}his word\n"
    await asyncio.gather(hers.until_text(expected), his.until_text(expected))

    async def is_read() -> bool:
        seen = await _read(ann, project)
        content = seen.json()["data"]["content"]
        assert seen.headers["etag"] == _tag(content)
        return bool(content == expected)

    await until(is_read)
    stale = await ann.client.put(
        f"/api/v1/projects/{project}/files/{PATH}",
        json={"content": "all of it anew"},
        headers={"if-match": _tag(TEXT)},
    )
    assert stale.status_code == 412
    assert stale.headers["etag"] == _tag(expected)
    assert await hers.text() == await his.text() == expected


async def test_a_file_that_is_moved_and_deleted_takes_its_browsers_along(sits, together) -> None:
    ann, ben, project = await together(PATH, "one\n")
    hers, his = await asyncio.gather(sits(ann, project, PATH), sits(ben, project, PATH))
    await hers.select(0)
    await hers.type("zero\n")
    moved = await ann.client.post(
        f"/api/v1/projects/{project}/files/batch",
        json={"operations": [{"op": "move", "path": PATH, "to": "b.txt"}]},
    )
    assert moved.status_code == 200, moved.text
    await his.select(0)
    await his.type("more ")
    await hers.until_text("more zero\none\n")
    third = await sits(ben, project, "b.txt")
    assert await third.text() == "more zero\none\n"
    gone = await ann.client.delete(f"/api/v1/projects/{project}/files/b.txt")
    assert gone.status_code == 204
    for editor in (hers, his, third):
        await editor.until("editor.closed.includes(4404)")
