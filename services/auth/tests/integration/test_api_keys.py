"""Keys for machines: made once, good for what they name, and for no more."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from services.auth.tests.desk import Desk, Person, code, faulty

from common.ids import uuid7
from common.testing.apps import Serving
from common.testing.waiting import until

KEY = {
    "id",
    "name",
    "scopes",
    "projectId",
    "networks",
    "createdAt",
    "lastUsedAt",
    "expiresAt",
    "revokedAt",
}


def later(**more: int) -> str:
    """A time from now."""
    return (datetime.now(UTC) + timedelta(**more)).isoformat()


async def test_a_key_is_shown_once(desk: Desk) -> None:
    ann = await desk.person()
    sends = {"name": "ci", "scopes": ["builds:write", "assets:read", "builds:write"]}
    answer = await desk.call("POST", "/api-keys", ann, sends=sends)
    assert answer.status_code == 201, answer.text
    made = answer.json()["data"]
    assert set(made) == KEY | {"key"}
    assert made["scopes"] == ["assets:read", "builds:write"]
    assert made["key"].startswith("wl_")
    assert answer.headers["location"] == f"/api/v1/auth/api-keys/{made['id']}"
    assert answer.headers["cache-control"] == "no-store"
    listed = (await desk.call("GET", "/api-keys", ann)).json()["data"]
    assert listed == [{name: made[name] for name in made if name != "key"}]
    secret = made["key"].split("_", 2)[2]
    kept = await desk.one(
        "SELECT to_jsonb(api_key)::text || outbox.data::text AS value FROM api_key, outbox"
        " WHERE CAST(api_key.id AS text) = :id AND outbox.data->>'keyId' = :id",
        sa.Text(),
        id=made["id"],
    )
    assert secret not in kept
    assert (await desk.subjects(ann))[-1] == "api_key.created"


async def test_a_key_stands_for_its_owner(desk: Desk) -> None:
    ann = await desk.person()
    project = str(uuid7())
    made = await desk.key(ann, projectId=project, scopes=["builds:write", "projects:read"])
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
        answer = await desk.authorized(made["key"], method)
        assert answer.status_code == 200, method
        given = {k: v for k, v in answer.headers.items() if k.startswith(("x-user", "x-auth"))}
        assert given == {
            "x-user-id": str(ann.id),
            "x-auth-role": "user",
            "x-auth-method": "api_key",
            "x-auth-scopes": "builds:write projects:read",
            "x-auth-project": project,
        }


async def test_a_key_that_is_not_good_is_refused(desk: Desk) -> None:
    ann = await desk.person()
    made, other = await desk.key(ann), await desk.key(ann)
    key = made["key"]
    mixed = "_".join([*key.split("_")[:2], other["key"].split("_", 2)[2]])
    for wrong in (
        "",
        "x",
        "wl_",
        "wl__",
        f"{key}x",
        key[:-1],
        key.upper(),
        mixed,
        f"wl_{'0' * 32}_x",
    ):
        answer = await desk.authorized(wrong)
        assert code(answer) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert code(await desk.authorized(ann.access_token)) == (401, "UNAUTHENTICATED")


async def test_a_key_keeps_to_its_networks(desk: Desk) -> None:
    ann = await desk.person()
    made = await desk.key(ann, networks=["192.0.2.0/24", "2001:db8::/32", "203.0.113.9"])

    async def status(address: str) -> int:
        answer = await desk.authorized(made["key"], x_envoy_external_address=address)
        return answer.status_code

    for inside in ("192.0.2.1", "2001:db8::1", "203.0.113.9"):
        assert await status(inside) == 200
    for outside in ("198.51.100.7", "203.0.113.8", "2001:db9::1", "", "x", "::ffff:198.51.100.7"):
        assert await status(outside) == 403
    # only the gateway says where a request comes from
    answer = await desk.authorized(
        made["key"], x_envoy_external_address="198.51.100.7", x_forwarded_for="192.0.2.1"
    )
    assert code(answer) == (403, "FORBIDDEN")


async def test_a_key_has_its_end(desk: Desk) -> None:
    ann = await desk.person()
    made = await desk.key(ann, expiresAt=later(days=1))
    assert (await desk.authorized(made["key"])).status_code == 200
    await desk.run(
        "UPDATE api_key SET expires_at = now() WHERE CAST(id AS text) = :id", id=made["id"]
    )
    assert code(await desk.authorized(made["key"])) == (401, "UNAUTHENTICATED")


async def test_a_revoked_key_is_dead_at_once(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    made = await desk.key(ann)
    path = f"/api-keys/{made['id']}"
    assert code(await desk.call("DELETE", path, bob)) == (404, "NOT_FOUND")
    assert (await desk.authorized(made["key"])).status_code == 200
    gone = await desk.call("DELETE", path, ann)
    assert (gone.status_code, gone.content) == (204, b"")
    assert code(await desk.authorized(made["key"])) == (401, "UNAUTHENTICATED")
    assert code(await desk.call("DELETE", path, ann)) == (404, "NOT_FOUND")
    assert (await desk.subjects(ann))[-1] == "api_key.revoked"
    [listed] = (await desk.call("GET", "/api-keys", ann)).json()["data"]
    assert listed["revokedAt"] is not None


async def test_the_keys_of_who_is_disabled_are_dead(desk: Desk) -> None:
    ann = await desk.person()
    made = await desk.key(ann)
    await desk.run("UPDATE account SET is_disabled = true WHERE id = :id", id=ann.id)
    assert code(await desk.authorized(made["key"])) == (401, "UNAUTHENTICATED")


async def test_its_owner_sees_when_a_key_was_used(desk: Desk) -> None:
    ann = await desk.person()
    made = await desk.key(ann)
    answers = await asyncio.gather(*[desk.authorized(made["key"]) for _ in range(10)])
    assert {answer.status_code for answer in answers} == {200}
    [listed] = (await desk.call("GET", "/api-keys", ann)).json()["data"]
    assert listed["lastUsedAt"] is not None
    await desk.authorized(made["key"])
    [again] = (await desk.call("GET", "/api-keys", ann)).json()["data"]
    assert again == listed
    await desk.run(
        "UPDATE api_key SET last_used_at = now() - interval '1 hour' WHERE CAST(id AS text) = :id",
        id=made["id"],
    )
    await desk.authorized(made["key"])
    [later_on] = (await desk.call("GET", "/api-keys", ann)).json()["data"]
    assert later_on["lastUsedAt"] >= listed["lastUsedAt"]


async def test_a_key_can_be_looked_at_by_its_owner(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    made = await desk.key(ann)
    sends = {"key": made["key"]}

    async def looked(who: Person) -> Any:
        answer = await desk.call("POST", "/api-keys/introspect", who, sends=sends)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    found = await looked(ann)
    assert found["active"]
    assert set(found["key"]) == KEY
    assert await looked(bob) == {"active": False, "key": None}
    await desk.call("DELETE", f"/api-keys/{made['id']}", ann)
    found = await looked(ann)
    assert (found["active"], found["key"]["id"]) == (False, made["id"])


async def test_a_key_makes_no_keys(desk: Desk) -> None:
    ann = await desk.person()
    sends = {"name": "more", "scopes": ["builds:write"]}
    headers = {"x_auth_method": "api_key", "x_auth_scopes": "builds:write users:read"}
    answer = await desk.call("POST", "/api-keys", ann, sends=sends, **headers)
    assert code(answer) == (403, "INSUFFICIENT_SCOPE")
    assert code(await desk.call("POST", "/api-keys", sends=sends)) == (401, "UNAUTHENTICATED")


async def test_a_key_is_not_told_what_a_session_was_answered(desk: Desk) -> None:
    ann, repeated = await desk.person(), str(uuid7())
    sends = {"name": "more", "scopes": ["builds:write"]}
    first = await desk.call("POST", "/api-keys", ann, sends=sends, idempotency_key=repeated)
    assert first.status_code == 201, first.text
    rights = {"x_auth_method": "api_key", "x_auth_scopes": "users:read", "x_auth_session": ""}
    answer = await desk.call(
        "POST", "/api-keys", ann, sends=sends, idempotency_key=repeated, **rights
    )
    assert code(answer) == (403, "INSUFFICIENT_SCOPE")
    again = await desk.call("POST", "/api-keys", ann, sends=sends, idempotency_key=repeated)
    assert again.content == first.content


async def test_each_fault_of_a_key_is_named(desk: Desk) -> None:
    ann = await desk.person()
    wrong = {"name": "", "scopes": ["root"], "projectId": "x", "expiresAt": "soon", "key": "mine"}
    answer = await desk.call("POST", "/api-keys", ann, sends=wrong)
    assert faulty(answer) == ["expiresAt", "key", "name", "projectId", "scopes"]
    wrong = {
        "name": "ci",
        "scopes": ["builds:write"],
        "expiresAt": later(days=-1),
        "networks": ["192.0.2.1/24", "x", "192.0.2.0/24"],
    }
    answer = await desk.call("POST", "/api-keys", ann, sends=wrong)
    assert faulty(answer) == ["expiresAt", "networks", "networks"]


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2999-01-01T00:00:00",
        "2999-13-01T00:00:00Z",
    ],
)
async def test_no_time_is_too_strange(desk: Desk, value: str) -> None:
    ann = await desk.person()
    sends = {"name": "ci", "scopes": ["builds:write"], "expiresAt": value}
    assert faulty(await desk.call("POST", "/api-keys", ann, sends=sends)) == ["expiresAt"]


async def test_there_are_enough_keys_some_time(serve: Serving, desk: Desk) -> None:
    async with serve(API_KEYS_PER_ACCOUNT_MAX="2") as client:
        desk.client = client
        ann = await desk.person()
        made = [await desk.key(ann) for _ in range(2)]
        sends = {"name": "one more", "scopes": ["builds:write"]}
        answer = await desk.call("POST", "/api-keys", ann, sends=sends)
        assert code(answer)[0] == 403
        assert answer.json()["error"]["details"] == [{"limit": 2}]
        await desk.call("DELETE", f"/api-keys/{made[0]['id']}", ann)
        await desk.key(ann)


async def test_no_more_keys_than_enough_are_made_at_once(serve: Serving, desk: Desk) -> None:
    async def are_waiting() -> bool:
        waits = "SELECT count(*) AS value FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        count: int = await desk.one(waits, sa.BigInteger())
        return count >= 4

    async with serve(API_KEYS_PER_ACCOUNT_MAX="2") as client:
        desk.client = client
        ann = await desk.person()
        sends = {"name": "ci", "scopes": ["builds:write"]}
        async with client.db.transaction() as tx:
            # all of them have looked before the first goes on
            held = sa.text("SELECT 1 FROM session WHERE account_id = :account FOR UPDATE")
            await tx.run(held.bindparams(account=ann.id))
            calls = [
                asyncio.create_task(desk.call("POST", "/api-keys", ann, sends=sends))
                for _ in range(4)
            ]
            await until(are_waiting)
        answers = await asyncio.gather(*calls)
        assert sorted(a.status_code for a in answers) == [201, 201, 403, 403]
        assert len((await desk.call("GET", "/api-keys", ann)).json()["data"]) == 2


async def test_a_session_that_is_over_makes_no_key(desk: Desk) -> None:
    ann = await desk.person()
    await desk.call("POST", "/logout", ann)
    sends = {"name": "late", "scopes": ["builds:write"]}
    answer = await desk.call("POST", "/api-keys", ann, sends=sends)
    assert code(answer) == (401, "UNAUTHENTICATED")
    again = await desk.login(ann)
    assert (await desk.call("GET", "/api-keys", again)).json()["data"] == []
