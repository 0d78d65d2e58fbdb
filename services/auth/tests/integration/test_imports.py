"""Accounts that come from elsewhere: all of a file's lines, or none, and what is wrong is told."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import bcrypt
import msgspec
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from services.auth.tests.desk import PASSWORD, Desk
from services.auth.tests.operation import operate

from auth.imports import service
from auth.imports.schema import Fault
from auth.settings import Settings
from common.settings import load

BCRYPT = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
ARGON2 = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)

type Import = Callable[..., Awaitable[tuple[int, list[str]]]]


def account(desk: Desk, **fields: Any) -> dict[str, Any]:
    """A line that is as it should be."""
    new = desk.registration()
    return {"email": new["email"], "username": new["username"], "passwordHash": BCRYPT} | fields


def encoded(lines: list[Any]) -> list[bytes]:
    return [x if isinstance(x, bytes) else msgspec.json.encode(x) for x in lines]


@pytest.fixture
def imported(desk: Desk, told: dict[str, str]) -> Import:
    """Import these lines; return how many became accounts, and what is said of the others."""

    async def run(
        lines: list[Any], *, skip_faulty: bool = False, rows_max: int = 500
    ) -> tuple[int, list[str]]:
        settings = load(Settings, told | {"IMPORT_ROWS_MAX": str(rows_max)})
        faults: list[Fault] = []
        done = await service.run(
            desk.client.db, settings, encoded(lines), faults.append, skip_faulty=skip_faulty
        )
        assert done.faulty == len({fault.line for fault in faults})
        return done.accounts, [str(fault) for fault in faults]

    return run


async def logs_in(desk: Desk, line: dict[str, Any]) -> dict[str, Any] | None:
    """The account of a line, as its owner sees it after a login with the password from before."""
    sends = {"login": line["username"], "password": PASSWORD}
    answer = await desk.call("POST", "/login", sends=sends)
    found: dict[str, Any] | None = answer.json().get("data", {}).get("user")
    return found


async def test_whoever_is_imported_logs_in_with_the_password_from_before(
    desk: Desk, imported: Import
) -> None:
    ann = account(desk)
    bob = account(
        desk,
        passwordHash=ARGON2,
        displayName="Bob Ross",
        emailVerified=True,
        createdAt="2019-05-06T07:08:09+02:00",
    )
    assert await imported([ann, b"", bob, b""], rows_max=1) == (2, [])
    first, second = await logs_in(desk, ann), await logs_in(desk, bob)
    assert first is not None
    assert second is not None
    assert (first["displayName"], first["emailVerified"]) == (ann["username"], False)
    assert (second["displayName"], second["emailVerified"]) == ("Bob Ross", True)
    assert (second["createdAt"], second["role"]) == ("2019-05-06T05:08:09Z", "user")
    for hash_kind in ("$2a$", "$2y$"):
        carl = account(desk, passwordHash=hash_kind + BCRYPT[4:])
        assert await imported([carl]) == (1, [])
        assert await logs_in(desk, carl)


async def test_an_import_is_announced_and_noted(desk: Desk, imported: Import) -> None:
    lines = [account(desk), account(desk)]
    assert await imported(lines) == (2, [])
    for line in lines:
        user_id = (await desk.client.get(f"/api/v1/users/{line['username']}")).json()["data"]["id"]
        said = await desk.one(
            "SELECT string_agg(subject || ' ' || (data->>'username') || ' '"
            " || (data->>'displayName') || ' ' || (data->>'userId'), ', ') AS value"
            " FROM outbox WHERE key = :id",
            sa.Text(),
            id=user_id,
        )
        name = line["username"]
        assert said == f"auth.user.registered.v1 {name} {name} {user_id}"
        noted = await desk.one(
            "SELECT count(*) AS value FROM"
            " (SELECT account_id, action, details FROM audit UNION ALL"
            "  SELECT account_id, action, details FROM auth_audit.entry) AS both_of_them"
            " WHERE CAST(account_id AS text) = :id AND action = 'account.registered'"
            " AND details @> jsonb_build_object('imported', true)",
            sa.BigInteger(),
            id=user_id,
        )
        assert noted == 1


FAULTS: list[tuple[Any, str]] = [
    (b"{", "The body is not valid JSON."),
    (b"[]", "The body must be a JSON object."),
    (b'{"email": "\xff"}', ""),
    (b'{"email": "a\\ud800@example.org"}', ""),
    ({"email": "nobody"}, "email: "),
    ({"username": "-"}, "username: "),
    ({"passwordHash": "secret"}, "passwordHash: "),
    ({"passwordHash": None}, "passwordHash: "),
    ({"passwordHash": "$argon2i" + ARGON2[9:]}, "passwordHash: "),
    ({"passwordHash": ARGON2.replace("p=1", "p=4096")}, "passwordHash: "),
    ({"passwordHash": ARGON2.replace("m=64", "m=99999999")}, "passwordHash: To verify it"),
    ({"passwordHash": BCRYPT.replace("$04$", "$31$")}, "passwordHash: To verify it"),
    ({"passwordHash": BCRYPT + "\n"}, "passwordHash: "),
    ({"displayName": " "}, "displayName: "),
    ({"emailVerified": "yes"}, "emailVerified: "),
    ({"createdAt": "2019-05-06T07:08:09"}, "createdAt: "),
    ({"createdAt": "2999-01-01T00:00:00Z"}, "createdAt: This is in the future."),
    ({"role": "admin"}, "role: There is no such member."),
]


@pytest.mark.parametrize(("fields", "fault"), FAULTS)
async def test_a_faulty_line_is_named_and_nothing_is_kept(
    desk: Desk, imported: Import, fields: Any, fault: str
) -> None:
    good = account(desk)
    bad = account(desk, **fields) if isinstance(fields, dict) else fields
    made, [said] = await imported([good, b"", bad])
    assert made == 0
    assert said.startswith(f"line 3: {fault}")
    assert await logs_in(desk, good) is None


async def test_each_fault_of_each_line_is_told_at_once(desk: Desk, imported: Import) -> None:
    there = await desk.person()
    twice = account(desk)
    lines = [
        account(desk, email="x", username="!"),
        account(desk, email=there.email.upper(), username=there.username.upper()),
        twice,
        account(desk, username=twice["username"].upper()),
        account(desk, email=there.email),
    ]
    for rows_max in (1, 2, 500):
        made, said = await imported(lines, rows_max=rows_max)
        assert made == 0
        assert sorted(line.split(": ")[:2] for line in said) == [
            ["line 1", "email"],
            ["line 1", "username"],
            ["line 2", "email"],
            ["line 2", "username"],
            ["line 4", "username"],
            ["line 5", "email"],
        ]


async def test_faulty_lines_may_be_skipped(desk: Desk, imported: Import) -> None:
    there = await desk.person()
    first, last = account(desk), account(desk)
    lines = [first, account(desk, email=there.email), b"?", last]
    made, said = await imported(lines, skip_faulty=True)
    assert (made, len(said)) == (2, 2)
    assert await logs_in(desk, first)
    assert await logs_in(desk, last)
    made, said = await imported(lines)
    assert {line.split(": ")[0] for line in said} == {f"line {number}" for number in (1, 2, 3, 4)}
    assert made == 0


@pytest.fixture
def file(tmp_path: Path) -> Callable[[list[Any]], str]:
    """Write a file of these lines."""

    def written(lines: list[Any]) -> str:
        path = tmp_path / "accounts.jsonl"
        path.write_bytes(b"\n".join(encoded(lines)))
        return str(path)

    return written


async def test_an_operator_imports_ten_thousand(
    desk: Desk, told: dict[str, str], file: Callable[[list[Any]], str]
) -> None:
    lines = [account(desk) for _ in range(10_000)]
    done = await operate(told, "import-accounts", file(lines))
    assert (done.code, done.out) == (0, "10000 accounts imported, 0 lines at fault\n"), done.err
    assert await logs_in(desk, lines[-1])


async def test_an_operator_is_told_what_is_wrong(
    desk: Desk, told: dict[str, str], file: Callable[[list[Any]], str], tmp_path: Path
) -> None:
    path = file([account(desk), b"?", account(desk)])
    done = await operate(told, "import-accounts", path)
    assert (done.code, done.out) == (1, "0 accounts imported, 1 lines at fault\n")
    assert done.err == "line 2: The body is not valid JSON.\n"
    done = await operate(told, "import-accounts", "--skip-faulty", path)
    assert (done.code, done.out) == (0, "2 accounts imported, 1 lines at fault\n")
    done = await operate(told, "import-accounts", str(tmp_path))
    assert done.code == 1
    assert done.err.startswith("The file cannot be read:")
