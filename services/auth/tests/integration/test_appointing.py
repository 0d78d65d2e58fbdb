"""Somebody has to be the first administrator: an operator says who."""

import pytest
import sqlalchemy as sa
from services.auth.tests.desk import Desk, Person, claims
from services.auth.tests.operation import operate

from auth.auditing import OPERATOR


async def role(desk: Desk, who: Person) -> str:
    """What somebody is, as their own account says."""
    found: str = (await desk.call("GET", "/me", who)).json()["data"]["role"]
    return found


@pytest.mark.parametrize("known_as", ["email", "username", "id"])
async def test_an_operator_makes_an_administrator(
    desk: Desk, told: dict[str, str], known_as: str
) -> None:
    ann = await desk.person()
    done = await operate(told, "set-role", str(getattr(ann, known_as)), "admin")
    assert done.code == 0, done.err
    assert done.out.endswith(" is admin; before: user\n")
    assert await role(desk, ann) == "admin"
    answer = await desk.refresh(ann.refresh_token)
    assert claims(answer.json()["data"]["accessToken"])["role"] == "admin"
    last = (await desk.events(ann))[-1]
    assert last.subject == "auth.user.role_changed.v1"
    assert last.data == {"userId": str(ann.id), "actorId": str(OPERATOR), "role": "admin"}
    noted = await desk.one(
        "SELECT string_agg(action || details::text, '') AS value FROM"
        " (SELECT * FROM (SELECT account_id, actor_id, action, details FROM audit) AS waiting"
        "  UNION ALL SELECT account_id, actor_id, action, details FROM auth_audit.entry) AS noted"
        " WHERE account_id = :id AND actor_id = :actor",
        sa.Text(),
        id=ann.id,
        actor=OPERATOR,
    )
    assert noted.startswith("role.changed")


async def test_who_is_no_administrator_any_more_is_logged_out(
    desk: Desk, told: dict[str, str]
) -> None:
    ann = await desk.person()
    assert (await operate(told, "set-role", ann.username, "admin")).code == 0
    assert (await operate(told, "set-role", ann.username, "user")).code == 0
    assert not await desk.is_live(ann.refresh_token)
    assert await role(desk, await desk.login(ann)) == "user"
    subjects = await desk.subjects(ann)
    assert subjects.count("user.role_changed") == 2
    assert subjects.count("session.revoked") == 1


async def test_what_somebody_is_already_changes_nothing(desk: Desk, told: dict[str, str]) -> None:
    ann = await desk.person()
    done = await operate(told, "set-role", ann.username, "user")
    assert (done.code, done.out) == (0, f"{ann.username} is user; before: user\n")
    assert await desk.is_live(ann.refresh_token)
    assert "user.role_changed" not in await desk.subjects(ann)


async def test_who_is_not_there_becomes_nothing(told: dict[str, str]) -> None:
    done = await operate(told, "set-role", "nobody@example.org", "admin")
    assert (done.code, done.out) == (1, "")
    assert "There is no such account." in done.err
    wrong = await operate(told, "set-role", "nobody@example.org", "king")
    assert wrong.code == 2
