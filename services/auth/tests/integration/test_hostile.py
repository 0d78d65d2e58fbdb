"""Bodies that are no honest request: each is answered as such, and none is our fault."""

import pytest
from services.auth.tests.desk import Desk, code

ROUTES = ("/register", "/login", "/refresh", "/logout")
DEEP = b"[" * 100_000
BODIES = {
    "invalid UTF-8": b'{"login": "\xff", "password": "x"}',
    "a lone surrogate": b'{"login": "\\ud800", "password": "\\ud800xxxxxxx"}',
    "nested deeply": b'{"login": ' + DEEP + b"}",
    "cut off": b'{"login": "a',
    "a list": b"[]",
    "a text": b'"login"',
    "null": b"null",
    "twice": b'{"refreshToken": 1, "refreshToken": {}}',
    "a number": b'{"login": 1e999, "password": -0, "refreshToken": 1e999}',
    "unknown": b'{"__proto__": {}, "constructor": 1}',
    "a comment": b"{} // no",
    "UTF-16": '{"login": "a"}'.encode("utf-16"),
}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_does_not_fit_is_refused(desk: Desk, path: str, body: bytes) -> None:
    answer = await desk.raw(path, body)
    assert code(answer) == (400, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("value", ["text/plain", "application/x-www-form-urlencoded", "x", ""])
async def test_a_body_says_that_it_is_json(desk: Desk, path: str, value: str) -> None:
    headers = {"x-fleet-secret": desk.client.secret, "content-type": value}
    url = f"/api/v1/auth{path}"
    answer = await desk.client.post(url, content=b'{"refreshToken": "x"}', headers=headers)
    assert code(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("path", ROUTES)
async def test_a_body_has_its_limit(desk: Desk, path: str) -> None:
    answer = await desk.raw(path, b'{"password": "' + b"x" * 2_000_000 + b'"}')
    assert code(answer) == (413, "PAYLOAD_TOO_LARGE")


STRANGE = ["\u0000", "a\u0000b", "\u202e", "%00", "..", "'; DROP TABLE account; --", "\U0001f4a5"]


@pytest.mark.parametrize("value", STRANGE)
async def test_no_text_is_too_strange(desk: Desk, value: str) -> None:
    ann = await desk.person()
    bodies: list[tuple[str, str, dict[str, object]]] = [
        ("POST", "/register", desk.registration(email=value, username=value, displayName=value)),
        ("POST", "/login", {"login": value, "password": value}),
        ("POST", "/refresh", {"refreshToken": value}),
        ("PATCH", "/api/v1/users/me", {"displayName": value, "avatarUrl": f"https://x/{value}"}),
        ("POST", "/api-keys", {"name": value, "scopes": ["builds:write"], "networks": [value]}),
        ("POST", "/api-keys/introspect", {"key": value}),
        ("POST", "/internal/ws-tickets/redeem", {"ticket": value}),
    ]
    for method, path, sends in bodies:
        answer = await desk.call(method, path, ann, sends=sends)
        assert answer.status_code < 500, (path, answer.text)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/users/%00",
        "/api/v1/users/%ff",
        "/api/v1/users/" + "x" * 5_000,
        "/api/v1/users/..%2fme",
        "/internal/accounts?login=%00",
        "/internal/accounts?login=%ff",
        "/internal/accounts",
        "/api/v1/auth/sessions/%00",
        "/api/v1/auth/nothing",
        "/.well-known/nothing",
    ],
)
async def test_no_path_is_too_strange(desk: Desk, path: str) -> None:
    ann = await desk.person()
    answer = await desk.call("GET", path, ann)
    assert answer.status_code in {400, 404, 405}, answer.text
    assert answer.json()["error"]["requestId"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("strange", [b"\xff", b"\xc3\xa4", b"\xed\xa0\x80", b"%00"])
async def test_no_header_is_too_strange(desk: Desk, strange: bytes) -> None:
    ann = await desk.person()
    headers = {
        b"x-fleet-secret": desk.client.secret.encode(),
        b"user-agent": strange,
        b"x-api-key": strange,
        b"x-csrf-token": strange,
        b"cookie": b"wl_refresh=" + strange + b"; wl_csrf=" + strange,
        b"x-envoy-external-address": strange,
        b"content-type": b"application/json",
    }
    login = b'{"login": "%s", "password": "%s"}' % (ann.email.encode(), ann.password.encode())
    for method, path, body in (
        ("POST", "/api/v1/auth/login", login),
        ("POST", "/api/v1/auth/refresh", b""),
        ("POST", "/api/v1/auth/logout", b""),
        ("GET", "/internal/authz/api/v1/projects", b""),
    ):
        answer = await desk.client.request(method, path, content=body, headers=headers)
        assert answer.status_code < 500, (path, answer.text)
    desk.client.cookies.clear()
