"""An account's end: nothing of it lets anybody in, and its names are free."""

import asyncio
from typing import Any

import httpx
import sqlalchemy as sa
from services.auth.tests.desk import Desk, Person, code, cookies
from sqlalchemy.dialects.postgresql import JSONB

ME = "/api/v1/users/me"


async def removed(desk: Desk, who: Person) -> httpx.Response:
    """Let somebody delete their account."""
    answer = await desk.call("DELETE", ME, who)
    assert (answer.status_code, answer.content) == (204, b"")
    return answer


async def count(desk: Desk, table: str, who: Person) -> int:
    """How many rows there are of somebody, though no foreign key tells."""
    # a name of this test's own
    statement = f"SELECT count(*) AS value FROM {table} WHERE account_id = :id"  # noqa: S608 - see above
    return await desk.one(statement, sa.BigInteger(), id=who.id)


async def test_nothing_of_an_account_that_is_gone_lets_anybody_in(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    other, key = await desk.login(ann), (await desk.key(ann))["key"]
    ticket = (await desk.call("POST", "/ws-ticket", ann)).json()["data"]["ticket"]
    answer = await removed(desk, ann)
    jar = cookies(answer)
    assert {(name, jar[name].value, jar[name]["max-age"]) for name in jar} == {
        ("wl_refresh", "", "0"),
        ("wl_csrf", "", "0"),
    }
    for token in (ann.refresh_token, other.refresh_token):
        assert code(await desk.refresh(token)) == (401, "UNAUTHENTICATED")
    assert (await desk.authorized(key)).status_code == 401
    redeemed = await desk.call("POST", "/internal/ws-tickets/redeem", sends={"ticket": ticket})
    assert redeemed.status_code == 404
    login = {"login": ann.email, "password": ann.password}
    refused = await desk.call("POST", "/login", sends=login)
    assert code(refused) == (401, "INVALID_CREDENTIALS")
    assert (await desk.call("GET", f"/api/v1/users/{ann.username}")).status_code == 404
    assert (await desk.call("GET", f"/internal/accounts?login={ann.id}")).status_code == 404
    for table in ("api_key", "ticket", "identity", "mail_token"):
        assert await count(desk, table, ann) == 0
    assert await desk.is_live(bob.refresh_token)


async def test_who_is_gone_does_nothing_more(desk: Desk) -> None:
    ann = await desk.person()
    await removed(desk, ann)
    calls: list[tuple[str, str, object]] = [
        ("DELETE", ME, None),
        ("GET", ME, None),
        ("PATCH", ME, {"displayName": "Ann"}),
        ("POST", "/ws-ticket", None),
        ("POST", "/api-keys", {"name": "ci", "scopes": ["builds:write"]}),
    ]
    for method, path, sends in calls:
        answer = await desk.call(method, path, ann, sends=sends)
        assert code(answer) == (401, "UNAUTHENTICATED"), path


async def test_everybody_hears_of_it_and_it_is_noted(desk: Desk) -> None:
    ann = await desk.person()
    await desk.login(ann)
    await removed(desk, ann)
    subjects = await desk.subjects(ann)
    assert subjects.count("user.deleted") == 1
    assert subjects.count("session.revoked") == 2
    about = [e.data for e in await desk.events(ann) if e.subject == "auth.user.deleted.v1"]
    assert about == [{"userId": str(ann.id)}]
    noted: dict[str, Any] = await desk.one(
        "SELECT details AS value FROM (SELECT account_id, actor_id, action, details FROM audit"
        " UNION ALL SELECT account_id, actor_id, action, details FROM auth_audit.entry) AS both_of"
        " WHERE action = 'account.deleted' AND account_id = :id AND actor_id = :id",
        JSONB(),
        id=ann.id,
    )
    assert noted == {"before": {"username": ann.username, "email": ann.email}}


async def test_its_names_are_free(desk: Desk) -> None:
    ann = await desk.person()
    taken = {"email": ann.email, "username": ann.username}
    refused = await desk.call("POST", "/register", sends=desk.registration(**taken))
    assert refused.status_code == 409
    await removed(desk, ann)
    heir = await desk.person(**taken)
    assert heir.id != ann.id
    assert (heir.email, heir.username) == (ann.email, ann.username)
    audit = (await desk.call("GET", f"{ME}/audit", heir)).json()["data"]
    assert {entry["actorId"] for entry in audit} == {str(heir.id)}


async def test_a_key_deletes_nobody(desk: Desk) -> None:
    ann = await desk.person()
    key = {"x_auth_method": "api_key", "x_auth_scopes": "users:read"}
    assert code(await desk.call("DELETE", ME, ann, **key)) == (403, "INSUFFICIENT_SCOPE")
    assert code(await desk.call("DELETE", ME)) == (401, "UNAUTHENTICATED")
    assert (await desk.call("GET", ME, ann)).status_code == 200


async def test_nobody_slips_in_meanwhile(desk: Desk) -> None:
    ann = await desk.person()
    login = {"login": ann.email, "password": ann.password, "tokenDelivery": "body"}
    key = {"name": "ci", "scopes": ["builds:write"]}
    calls = [desk.call("POST", "/login", sends=login) for _ in range(4)]
    calls += [desk.call("POST", "/api-keys", ann, sends=key) for _ in range(6)]
    calls += [desk.call("DELETE", ME, ann) for _ in range(3)]
    calls += [desk.call("POST", "/ws-ticket", ann) for _ in range(6)]
    answers = await asyncio.gather(*calls)
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 201, 204, 401}
    assert statuses.count(204) == 1
    live = "SELECT count(*) AS value FROM session WHERE account_id = :id AND revoked_at IS NULL"
    assert await desk.one(live, sa.BigInteger(), id=ann.id) == 0
    assert await count(desk, "api_key", ann) == 0
