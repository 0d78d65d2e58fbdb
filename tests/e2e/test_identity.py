"""Whoever is not who they say they are is told so, the same way everywhere."""

import base64
import time
from typing import Any

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from common.ids import uuid7

_ENVELOPE = {"code", "message", "details", "requestId"}


def _refused(answer: httpx.Response, status: int, *codes: str) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["success"] is False
    assert set(body["error"]) == _ENVELOPE
    assert body["error"]["code"] in codes
    assert answer.headers["x-request-id"] == body["error"]["requestId"]


async def test_nobody_gets_in_without_saying_who_they_are(gateway) -> None:
    answer = await gateway.get("/api/v1/projects")
    _refused(answer, 401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-user-id": str(uuid7())},
        {"x-user-id": str(uuid7()), "x-auth-role": "admin"},
        {"x-user-id": str(uuid7()), "x-fleet-secret": "guess"},
        {"x-auth-scopes": "projects:read", "x-user-id": str(uuid7())},
        {"x-internal-caller": "builds", "x-user-id": str(uuid7())},
        {"x_user_id": str(uuid7())},
    ],
)
async def test_forged_identity_headers_are_worth_nothing(gateway, headers) -> None:
    answer = await gateway.get("/api/v1/projects", headers=headers)
    assert answer.status_code in {400, 401}
    assert answer.json()["success"] is False


async def test_a_forged_header_does_not_change_who_is_calling(person) -> None:
    ann, bob = await person(), await person()
    project = await ann.project()
    forged = {"x-user-id": ann.user_id, "x-auth-role": "admin"}
    answer = await bob.client.get(f"/api/v1/projects/{project}", headers=forged)
    _refused(answer, 404, "NOT_FOUND")


def _forged(
    claims: dict[str, Any], header: dict[str, str] | None = None, key: ECKey | None = None
) -> str:
    key = key or ECKey.generate_key("P-256")
    now = int(time.time())
    whole = {
        "iss": "worldloom",
        "aud": "worldloom",
        "sub": str(uuid7()),
        "sid": str(uuid7()),
        "role": "user",
        "exp": now + 300,
        **claims,
    }
    known = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", **(header or {})}, known, key)


def _unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


async def test_forged_tokens_are_refused(person, gateway) -> None:
    ann = await person()
    real = ann.token
    kid = msgspec.json.decode(base64.urlsafe_b64decode(real.split(".")[0] + "=="))["kid"]
    head, body, signature = real.split(".")
    forgeries = [
        _forged({}),
        _forged({}, {"kid": kid}),
        _forged({"sub": ann.user_id}, {"kid": kid}),
        _unsigned(real),
        f"{head}.{body}.",
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{body[:-2]}AA.{signature}",
        ann.refresh_token,
        "nonsense",
    ]
    for token in forgeries:
        answer = await gateway.get("/api/v1/users/me", headers={"authorization": f"Bearer {token}"})
        _refused(answer, 401, "UNAUTHENTICATED", "TOKEN_EXPIRED")


async def test_no_other_secret_is_an_access_token(person, gateway) -> None:
    ann = await person()
    wanted = {"name": "ci", "scopes": ["projects:read"]}
    key = (await ann.client.post("/api/v1/auth/api-keys", json=wanted)).json()["data"]["key"]
    ticket = (await ann.client.post("/api/v1/auth/ws-ticket")).json()["data"]["ticket"]
    again = {"refreshToken": ann.refresh_token}
    renewed = (await gateway.post("/api/v1/auth/refresh", json=again)).json()["data"]
    for secret in (key, ticket, renewed["refreshToken"], f"{key}.{key}.{key}"):
        for path in ("/api/v1/users/me", "/api/v1/projects"):
            answer = await gateway.get(path, headers={"authorization": f"Bearer {secret}"})
            _refused(answer, 401, "UNAUTHENTICATED")
    for swapped in (ann.token, ticket):
        _refused(
            await gateway.get("/api/v1/projects", headers={"x-api-key": swapped}),
            401,
            "UNAUTHENTICATED",
        )
        answer = await gateway.post("/api/v1/auth/refresh", json={"refreshToken": swapped})
        _refused(answer, 401, "UNAUTHENTICATED", "INVALID_CREDENTIALS")


async def test_a_token_in_the_query_is_no_token(person, gateway) -> None:
    ann = await person()
    answer = await gateway.get(f"/api/v1/users/me?access_token={ann.token}")
    _refused(answer, 401, "UNAUTHENTICATED")


async def test_an_api_key_does_what_its_scopes_say_and_no_more(person, gateway) -> None:
    ann = await person()
    project = await ann.project()
    wanted = {"name": "ci", "scopes": ["projects:read"]}
    made = await ann.client.post("/api/v1/auth/api-keys", json=wanted)
    assert made.status_code == 201, made.text
    key = made.json()["data"]
    headers = {"x-api-key": key["key"]}
    seen = await gateway.get(f"/api/v1/projects/{project}", headers=headers)
    assert (seen.status_code, seen.json()["data"]["id"]) == (200, project)
    _refused(
        await gateway.post("/api/v1/projects", headers=headers, json={"name": "x"}),
        403,
        "INSUFFICIENT_SCOPE",
    )
    _refused(
        await gateway.post("/api/v1/auth/api-keys", headers=headers, json=wanted),
        403,
        "INSUFFICIENT_SCOPE",
    )
    assert (await ann.client.delete(f"/api/v1/auth/api-keys/{key['id']}")).status_code == 204
    _refused(
        await gateway.get(f"/api/v1/projects/{project}", headers=headers), 401, "UNAUTHENTICATED"
    )


@pytest.mark.parametrize("path", ["/internal/projects/x/access", "/api/v1/../../internal/blobs"])
async def test_the_fleets_own_routes_are_not_there(gateway, path) -> None:
    answer = await gateway.get(path)
    assert answer.status_code in {400, 401, 404}
    assert answer.json()["success"] is False
