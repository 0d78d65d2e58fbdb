"""Lists through the gateway: in pages, and by a cursor that loses and repeats nothing."""

import asyncio
from typing import Any

import httpx

from tests.e2e.answers import batch, failed, ok, put

_PROJECTS = "/api/v1/projects"


async def _page(client: httpx.AsyncClient, url: str, **query: Any) -> tuple[list[str], Any]:
    """The names or paths of a page, and what is said of it."""
    answer = await client.get(url, params=query)
    told = [each.get("name") or each["path"] for each in ok(answer)]
    return told, answer.json()["meta"]


async def test_a_list_comes_in_ordered_pages(person) -> None:
    ann = await person()
    for number in range(7):
        await ann.project(name=f"Game {number}")
    pages = [await _page(ann.client, _PROJECTS, sort="-name", limit=3, page=n) for n in (1, 2, 3)]
    told = [name for names, _ in pages for name in names]
    assert told == [f"Game {number}" for number in reversed(range(7))]
    assert [(m["page"], m["total"], m["pages"]) for _, m in pages] == [(n, 7, 3) for n in (1, 2, 3)]
    assert [(m["hasPrev"], m["hasNext"]) for _, m in pages] == [
        (False, True),
        (True, True),
        (True, False),
    ]
    newest, _ = await _page(ann.client, _PROJECTS, sort="-createdAt", limit=1)
    assert newest == ["Game 6"]
    await ann.project(name="Asteroids")
    slip, _ = await _page(ann.client, _PROJECTS, q="astreoids")
    assert slip == ["Asteroids"]
    found, meta = await _page(ann.client, _PROJECTS, q="ame 3", limit=9999)
    assert (found, meta["limit"]) == (["Game 3"], 100)


async def test_a_list_is_not_asked_for_just_anything(person) -> None:
    ann = await person()
    project = await ann.project()
    for query in ("sort=bogus", "limit=0", "page=0", "scope=all", "page=1&cursor="):
        refused = await ann.client.get(f"{_PROJECTS}?{query}")
        assert failed(refused) == (400, "VALIDATION_ERROR"), query
    for query in ("sort=size", "limit=x", "page=1&cursor="):
        refused = await ann.client.get(f"{_PROJECTS}/{project}/files?{query}")
        assert failed(refused) == (400, "VALIDATION_ERROR"), query


async def test_a_cursor_loses_and_repeats_nothing_while_others_are_made(person) -> None:
    ann = await person()
    made = [await ann.project(name=f"g{number:02}") for number in range(12)]
    for sort in ("name", "-createdAt"):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            query = {"cursor": cursor, "limit": 5, "sort": sort}
            answer = await ann.client.get(_PROJECTS, params=query)
            seen += [each["id"] for each in ok(answer)]
            cursor = answer.json()["meta"]["nextCursor"]
            late = (f"{name} {sort} {len(seen)}" for name in ("a", "g05", "z"))
            await asyncio.gather(*(ann.project(name=name) for name in late))
        assert len(seen) == len(set(seen)), sort
        assert set(seen) >= set(made), sort


async def test_a_cursor_fits_the_list_that_told_it_alone(person) -> None:
    ann = await person()
    project, *_ = [await ann.project(name=f"Game {number}") for number in range(3)]
    _, meta = await _page(ann.client, _PROJECTS, cursor="", limit=1, sort="name", q="game")
    cursor = meta["nextCursor"]
    same = {"cursor": cursor, "limit": 2, "sort": "name", "q": "game"}
    assert (await _page(ann.client, _PROJECTS, **same))[0] == ["Game 1", "Game 2"]
    for other in (
        {"q": "gam"},
        {"sort": "-name"},
        {"scope": "public"},
        {"cursor": f"{cursor}A"},
        {"cursor": "x"},
    ):
        refused = await ann.client.get(_PROJECTS, params=same | other)
        assert failed(refused) == (400, "CURSOR_INVALID"), other
    for place in ("files", "history", "checkpoints"):
        refused = await ann.client.get(f"{_PROJECTS}/{project}/{place}", params={"cursor": cursor})
        assert failed(refused) == (400, "CURSOR_INVALID"), place


async def test_files_come_by_a_cursor_while_they_are_written(person) -> None:
    ann = await person()
    project = await ann.project()
    wanted = [f"src/{number:02}" for number in range(20)]
    steps = ({"op": "create", "path": path, "content": path} for path in wanted)
    await batch(ann.client, project, *steps)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        url = f"{_PROJECTS}/{project}/files"
        paths, meta = await _page(ann.client, url, prefix="src/", cursor=cursor, limit=6)
        seen += paths
        cursor = meta["nextCursor"]
        await put(ann.client, project, f"src/00 {len(seen)}", "before")
        await put(ann.client, project, "src/19", f"{len(seen)}")
        await put(ann.client, project, f"other/{len(seen)}", "elsewhere")
    assert seen == wanted
