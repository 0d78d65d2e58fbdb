"""Lists of projects through HTTP: found by name, and read in stretches while they change."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from services.projects.tests.desk import Desk

from common.database import Transaction
from common.ids import uuid7
from common.testing.apps import Client
from projects.lists import repository as lists
from projects.lists.types import Wanted
from projects.tables import ProjectRow

PROJECTS = "/api/v1/projects"
SORTS = [f"{sign}{field}" for field in ("createdAt", "updatedAt", "name") for sign in ("", "-")]
_NAMES = st.sampled_from(["Asteroids", "Breakout", "Pong", "pong", "Tetris", "Äpfel", "Ω"])
_CHANGES = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["insert", "trash", "rename"]), st.integers(0, 99), _NAMES),
        max_size=3,
    ),
    max_size=6,
)


async def stretch(desk: Desk, query: str, user: UUID | None = None, /, **key: str) -> Any:
    """One stretch of a list."""
    answer = await desk.call("GET", f"{PROJECTS}?{query}", user, **key)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def read(desk: Desk, query: str, user: UUID | None = None, /, **key: str) -> list[list[str]]:
    """The names of a whole list, by stretches."""
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        body = await stretch(desk, f"{query}&cursor={cursor}", user, **key)
        found.append([project["name"] for project in body["data"]])
        cursor = body["meta"]["nextCursor"]
    return found


async def names(desk: Desk, q: str) -> set[str]:
    """The names of one's own projects that a query finds, as pages and stretches both have it."""
    query = f"q={quote(q)}&limit=100"
    paged = {project["name"] for project in (await stretch(desk, query))["data"]}
    assert [paged] == [set(part) for part in await read(desk, query)]
    return paged


def code(answer: httpx.Response) -> tuple[int, str]:
    """How a request was refused."""
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_part_of_a_name_finds_it_in_any_case(desk: Desk) -> None:
    for name in ("Space Invaders", "Äpfel", "100%_sure", "100 percent", "back\\slash"):
        await desk.project(name=name)
    assert await names(desk, "INVA") == await names(desk, "ce in") == {"Space Invaders"}
    assert await names(desk, "ä") == {"Äpfel"}
    assert await names(desk, "%_") == await names(desk, "0%") == {"100%_sure"}
    assert await names(desk, "\\") == await names(desk, "k\\s") == {"back\\slash"}
    assert await names(desk, "%%%") == await names(desk, "___") == await names(desk, "'") == set()
    assert len(await names(desk, "")) == 5


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("platfromer", "My Platformer"),
        ("platfrom", "My Platformer"),
        ("plattformer", "My Platformer"),
        ("ASTERIODS", "Asteroids 2"),
        ("spaec", "Space Invaders"),
        ("ponng", "Pong"),
        ("tetirs", "Tetris"),
        ("space invadors", "Space Invaders"),
        ("überjump", "Uberjump"),
    ],
)
async def test_a_slip_in_a_word_is_forgiven(desk: Desk, q: str, name: str) -> None:
    for each in ("My Platformer", "Asteroids 2", "Space Invaders", "Uberjump", "Pong", "Tetris"):
        await desk.project(name=each)
    assert await names(desk, q) == {name}


async def test_other_words_and_the_shortest_are_not_taken_for_slips(desk: Desk) -> None:
    for each in ("Ping", "Poker", "Car Racing", "Gate", "Planet"):
        await desk.project(name=each)
    for q in ("pong", "pol", "cat", "game", "px", "zz", "castle"):
        assert await names(desk, q) == set(), q


async def test_what_is_found_stays_in_the_order_that_was_asked_for(desk: Desk) -> None:
    for name in ("Platform B", "Platfrom A", "Platform C"):
        await desk.project(name=name)
    for sort, order in (("name", "BCA"), ("-name", "ACB"), ("-createdAt", "CAB")):
        found = await read(desk, f"q=platform&sort={sort}&limit=2")
        assert [name[-1] for part in found for name in part] == list(order)


@pytest.mark.parametrize("query", ["q=a%00b", "q=%00", "q=a%00b&cursor="])
async def test_a_query_is_text(desk: Desk, query: str) -> None:
    answer = await desk.call("GET", f"{PROJECTS}?{query}")
    assert code(answer) == (400, "VALIDATION_ERROR")
    assert [d["field"] for d in answer.json()["error"]["details"]] == ["q"]


async def test_a_list_comes_in_stretches(desk: Desk) -> None:
    for number in range(5):
        await desk.project(name=f"Game {number}")
    asked = await desk.call("GET", f"{PROJECTS}?cursor=&limit=2&sort=-createdAt")
    body = asked.json()
    assert [p["name"] for p in body["data"]] == ["Game 4", "Game 3"]
    cursor = body["meta"]["nextCursor"]
    assert body["meta"] == {
        "limit": 2,
        "nextCursor": cursor,
        "requestId": asked.headers["x-request-id"],
    }
    link = f"{PROJECTS}?cursor={cursor}&limit=2&sort=-createdAt"
    assert asked.headers["link"] == f'<{link}>; rel="next"'
    second = await desk.call("GET", link)
    assert [p["name"] for p in second.json()["data"]] == ["Game 2", "Game 1"]
    last = await desk.call("GET", second.headers["link"].partition(">")[0].removeprefix("<"))
    assert [p["name"] for p in last.json()["data"]] == ["Game 0"]
    assert last.json()["meta"]["nextCursor"] is None
    assert "link" not in last.headers
    paged = await stretch(desk, "sort=-createdAt&limit=100")
    assert paged["data"][:2] == body["data"]
    assert (await stretch(desk, "cursor=&limit=9999"))["meta"]["limit"] == 100
    none = await stretch(desk, "cursor=&q=absent")
    assert (none["data"], none["meta"]["nextCursor"]) == ([], None)


async def test_a_cursor_fits_the_list_that_told_it_alone(desk: Desk) -> None:
    for name in ("Pong 1", "Pong 2", "Pong 3"):
        await desk.project(name=name)
    body = await stretch(desk, "cursor=&limit=1&q=pong&sort=name")
    cursor = body["meta"]["nextCursor"]
    same = await stretch(desk, f"limit=2&q=pong&sort=name&scope=owned&cursor={cursor}")
    assert [p["name"] for p in same["data"]] == ["Pong 2", "Pong 3"]
    for query in (
        *(f"q=pong&sort=-name&cursor={cursor}", f"q=pong&cursor={cursor}"),
        *(f"q=Pong&sort=name&cursor={cursor}", f"sort=name&cursor={cursor}"),
        f"q=pong&sort=name&scope=public&cursor={cursor}",
        *(f"q=pong&sort=name&cursor={cursor}x", f"q=pong&sort=name&cursor={cursor[:-1]}"),
        *(f"cursor={other}" for other in ("x", "%00", "%FF", "null", "=", "x" * 2_000, "😀")),
    ):
        answer = await desk.call("GET", f"{PROJECTS}?{query}")
        assert code(answer) == (400, "CURSOR_INVALID"), query


@pytest.mark.parametrize("query", ["cursor=&page=1", "cursor=x&page=2", "page=1&cursor="])
async def test_a_list_has_pages_or_a_cursor(desk: Desk, query: str) -> None:
    answer = await desk.call("GET", f"{PROJECTS}?{query}")
    assert code(answer) == (400, "VALIDATION_ERROR")
    assert [d["field"] for d in answer.json()["error"]["details"]] == ["page"]


async def test_stretches_refuse_what_pages_refuse(desk: Desk) -> None:
    for query in ("sort=bogus", "sort=", "limit=0", "limit=x", "scope=everything"):
        answer = await desk.call("GET", f"{PROJECTS}?cursor=&{query}")
        assert code(answer) == (400, "VALIDATION_ERROR"), query
    assert (await desk.client.call("GET", f"{PROJECTS}?cursor=")).status_code == 401


@pytest.mark.parametrize("sort", SORTS)
async def test_equal_places_and_microseconds_lose_nothing(desk: Desk, sort: str) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
    for number in range(7):
        path = await desk.project(name="Pong")
        moment = at + timedelta(microseconds=number // 3)
        change = sa.update(ProjectRow).where(ProjectRow.id == UUID(path.rpartition("/")[2]))
        await desk.client.db.run(change.values(created_at=moment, updated_at=moment))
    whole = [p["id"] for p in (await stretch(desk, f"sort={sort}"))["data"]]
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        body = await stretch(desk, f"sort={sort}&limit=1&cursor={cursor}")
        found += [p["id"] for p in body["data"]]
        cursor = body["meta"]["nextCursor"]
    assert found == whole
    assert len(set(found)) == 7


async def test_each_scope_has_its_stretches(desk: Desk) -> None:
    paths = [await desk.staffed(name=f"{desk.owner} {n}", isPublic=n > 0) for n in range(3)]
    parts = [[f"{desk.owner} 0", f"{desk.owner} 1"], [f"{desk.owner} 2"]]
    query = f"sort=name&limit=2&q={desk.owner}"
    assert await read(desk, f"{query}&scope=owned") == parts
    assert await read(desk, f"{query}&scope=shared", desk.viewer) == parts
    assert await read(desk, f"{query}&scope=shared") == [[]]
    public = [[f"{desk.owner} 1", f"{desk.owner} 2"]]
    assert await read(desk, f"{query}&scope=public", desk.stranger) == public
    for path in paths:
        await desk.call("DELETE", path)
    assert await read(desk, f"{query}&scope=trashed") == parts
    assert await read(desk, f"{query}&scope=trashed", desk.viewer) == [[]]
    assert await read(desk, f"{query}&scope=public") == [[]]


async def test_who_is_told_of_a_project_learns_their_role(desk: Desk) -> None:
    await desk.staffed(name="Pong")
    shared = await stretch(desk, "cursor=&scope=shared", desk.viewer)
    assert [p["role"] for p in shared["data"]] == ["viewer"]
    own = await stretch(desk, "cursor=")
    assert [p["role"] for p in own["data"]] == ["owner"]


async def test_a_key_for_one_project_lists_it_alone(desk: Desk) -> None:
    await desk.project(name="Pong 1")
    mine = await desk.project(name="Pong 2")
    key = {
        "x_auth_method": "api_key",
        "x_auth_scopes": "projects:read",
        "x_auth_project": mine.rpartition("/")[2],
    }
    for query in ("limit=1", "limit=1&q=pong", "sort=name&q=ponng 2"):
        assert await read(desk, query.replace(" ", "%20"), **key) == [["Pong 2"]]


# names that differ, and moments as well, in another order each; so many and so large that reading
# all is not the shortest way to a few
_PUBLIC = sa.text("""
    INSERT INTO project
      (id, owner_id, name, description, is_public, settings, created_at, updated_at)
    SELECT gen_random_uuid(), gen_random_uuid(),
      'Pong ' || md5(n::text), repeat('x', 500), n % 2 = 0, '{}',
      now() - n * interval '1 minute', now() - (n * 7919 % 8000) * interval '1 minute'
    FROM generate_series(1, 8000) n
""")
# of this transaction alone: how often the table was read whole, and how many rows by an index
_READ = sa.select(sa.column("seq_scan", sa.BigInteger), sa.column("idx_tup_fetch", sa.BigInteger))
_READ = _READ.select_from(sa.table("pg_stat_xact_user_tables"))
_READ = _READ.where(sa.literal_column("relid = 'project'::regclass"))


@pytest.fixture
async def crowd(client: Client) -> AsyncGenerator[Transaction]:
    """A transaction that sees thousands of projects, as nobody else ever does."""
    async with client.db.transaction() as tx:
        await tx.run(sa.text("SAVEPOINT before"))
        await tx.run(_PUBLIC)
        await tx.run(sa.text("ANALYZE project"))
        yield tx
        await tx.run(sa.text("ROLLBACK TO SAVEPOINT before"))


@pytest.mark.parametrize("sort", SORTS)
async def test_a_stretch_of_public_projects_reads_few_of_them(
    crowd: Transaction, sort: str
) -> None:
    wanted, place, user = Wanted("public", "", sort), None, uuid7()
    before = await crowd.one(_READ, _pair)
    # from the sixth time on a statement has a plan for whatever it is given
    for _ in range(8):
        found = await lists.stretch(crowd, user, None, wanted, place, 20)
        assert len(found) == 20
        place = found[-1].place
    after = await crowd.one(_READ, _pair)
    assert after[0] == before[0]
    assert after[1] - before[1] < 1_000


def _pair(scans: int, rows: int) -> tuple[int, int]:
    return scans, rows


@pytest.mark.parametrize("sort", SORTS)
@settings(max_examples=10, deadline=None)
@given(first=st.lists(_NAMES, min_size=4, max_size=10), changes=_CHANGES)
async def test_whatever_changes_meanwhile_what_stays_is_told_once(
    client: Client, sort: str, first: list[str], changes: list[list[tuple[str, int, str]]]
) -> None:
    desk = Desk(client)
    paths = [await desk.project(name=name) for name in first]
    staying, told = set(paths), []
    cursor: str | None = ""
    pending = iter(changes)
    while cursor is not None:
        body = await stretch(desk, f"sort={sort}&limit=2&cursor={cursor}")
        told += [f"{PROJECTS}/{project['id']}" for project in body["data"]]
        cursor = body["meta"]["nextCursor"]
        for kind, number, name in next(pending, []):
            path = paths[number % len(paths)]
            if kind == "insert":
                paths.append(await desk.project(name=name))
            elif kind == "trash":
                await desk.call("DELETE", path)
                staying.discard(path)
            else:
                await desk.call("PATCH", path, sends={"name": name})
                # where it was made it stays; by its name or its last change it has moved
                if sort.endswith(("name", "updatedAt")):
                    staying.discard(path)
    kept = [path for path in told if path in staying]
    assert sorted(kept) == sorted(staying)
