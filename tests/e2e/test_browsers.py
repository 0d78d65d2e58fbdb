"""What a browser may do for a page, and what every answer tells it."""

import asyncio
from http.cookies import Morsel, SimpleCookie
from typing import Any

import httpx
import pytest

from common.ids import uuid7

_EDITOR = "http://localhost:5173"
_FOREIGN = [
    "https://evil.example",
    "http://localhost:5173.evil.example",
    "https://localhost:5173",
    "http://localhost:51730",
    "http://user@localhost:5173",
    "null",
    "",
]
_PREFLIGHTS = [
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("GET", "/api/v1/projects"),
    ("PATCH", "/api/projects/x"),
    ("PUT", "/api/v1/projects/x/files/src/main.ts"),
    ("POST", "/api/v1/assets/upload"),
    ("POST", "/api/v1/builds"),
    ("GET", "/api/v1/templates"),
    ("PUT", "/assets/uploads/x?X-Amz-Signature=1"),
]
# far more than the class of credentials lets through in a minute
_ENOUGH = 100


def _cookies(answer: httpx.Response) -> dict[str, Morsel[str]]:
    jar: SimpleCookie = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        jar.load(line)
    return dict(jar)


class Browser:
    """A page's session: the cookies that were set, and the token that the page was given."""

    def __init__(self, answer: httpx.Response) -> None:
        self.data: dict[str, Any] = answer.json()["data"]
        self.jar = _cookies(answer)
        self.csrf: str = self.data["csrfToken"]
        self.headers = {"cookie": "; ".join(f"{n}={m.value}" for n, m in self.jar.items())}


async def _browser(gateway: httpx.AsyncClient) -> Browser:
    name = f"b{uuid7().hex[-20:]}"
    body = {"email": f"{name}@example.org", "username": name, "password": "correct horse battery"}
    async with httpx.AsyncClient(base_url=gateway.base_url) as client:
        answer = await client.post("/api/v1/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    return Browser(answer)


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_browser_keeps_the_refresh_token_where_no_script_and_no_other_site_finds_it(
    gateway,
) -> None:
    browser = await _browser(gateway)
    assert "refreshToken" not in browser.data
    assert set(browser.jar) == {"wl_refresh", "wl_csrf"}
    refresh, csrf = browser.jar["wl_refresh"], browser.jar["wl_csrf"]
    assert (refresh["path"], csrf["path"]) == ("/api/v1/auth", "/")
    assert (bool(refresh["httponly"]), bool(csrf["httponly"])) == (True, False)
    for cookie in (refresh, csrf):
        assert cookie["samesite"].lower() == "strict"
        assert int(cookie["max-age"]) > 0
        assert cookie["domain"] == ""
        # this fleet is plain HTTP on this machine, the one place where a browser would lose it
        assert not cookie["secure"]
    assert refresh.value not in str(browser.data)


@pytest.mark.parametrize(
    "path", ["/api/v1/auth/refresh", "/api/auth/refresh", "/api/v1/auth/logout"]
)
async def test_a_cookie_alone_does_nothing(gateway, path) -> None:
    browser, other = await _browser(gateway), await _browser(gateway)
    attempts: list[dict[str, str]] = [
        {},
        {"x-csrf-token": ""},
        {"x-csrf-token": "guess"},
        {"x-csrf-token": other.csrf},
        {"origin": "https://evil.example"},
        {"content-type": "application/x-www-form-urlencoded"},
    ]
    for more in attempts:
        answer = await gateway.post(path, headers=browser.headers | more)
        assert _code(answer) == (403, "CSRF_FAILED"), more
    planted = {"cookie": f"wl_refresh={browser.jar['wl_refresh'].value}; wl_csrf={other.csrf}"}
    answer = await gateway.post(path, headers=planted | {"x-csrf-token": other.csrf})
    assert _code(answer) == (403, "CSRF_FAILED")
    bare = {"cookie": f"wl_refresh={browser.jar['wl_refresh'].value}"}
    answer = await gateway.post(path, headers=bare | {"x-csrf-token": browser.csrf})
    assert _code(answer) == (403, "CSRF_FAILED")

    answer = await gateway.post(path, headers=browser.headers | {"x-csrf-token": browser.csrf})
    assert answer.is_success, answer.text


async def test_a_cookie_is_no_identity(gateway) -> None:
    browser = await _browser(gateway)
    headers = browser.headers | {"x-csrf-token": browser.csrf}
    for method, path in (("GET", "/api/v1/users/me"), ("POST", "/api/v1/projects")):
        assert _code(await gateway.request(method, path, headers=headers)) == (
            401,
            "UNAUTHENTICATED",
        )


async def test_a_bearer_needs_no_token_beside_it(gateway) -> None:
    browser = await _browser(gateway)
    bearer = {"authorization": f"Bearer {browser.data['accessToken']}"}
    for headers in (bearer, bearer | browser.headers):
        made = await gateway.post("/api/v1/projects", headers=headers, json={"name": "x"})
        assert made.status_code == 201
    answer = await gateway.post("/api/v1/auth/logout", headers=bearer | browser.headers)
    assert answer.status_code == 204
    forgotten = _cookies(answer)
    assert {name: cookie["max-age"] for name, cookie in forgotten.items()} == {
        "wl_refresh": "0",
        "wl_csrf": "0",
    }
    answer = await gateway.post(
        "/api/v1/auth/refresh", headers=browser.headers | {"x-csrf-token": browser.csrf}
    )
    assert answer.status_code == 401


async def test_a_client_that_is_no_browser_needs_no_token_either(person, gateway) -> None:
    ann = await person()
    body = {"refreshToken": ann.refresh_token}
    answer = await gateway.post("/api/v1/auth/refresh", json=body)
    assert answer.status_code == 200
    assert answer.headers.get_list("set-cookie") == []


@pytest.mark.parametrize(("method", "path"), _PREFLIGHTS)
async def test_the_editors_pages_may_ask_and_others_may_not(gateway, method, path) -> None:
    asks = {
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type,x-csrf-token,if-match",
    }
    allowed = await gateway.options(path, headers=asks | {"origin": _EDITOR})
    assert allowed.status_code in {200, 204}
    assert allowed.headers["access-control-allow-origin"] == _EDITOR
    assert allowed.headers["access-control-allow-credentials"] == "true"
    assert method in allowed.headers["access-control-allow-methods"]
    wanted = {"authorization", "content-type", "x-csrf-token", "if-match", "x-api-key"}
    told = allowed.headers["access-control-allow-headers"].split(",")
    assert wanted <= {name.strip() for name in told}
    for origin in _FOREIGN:
        refused = await gateway.options(path, headers=asks | {"origin": origin})
        granted = [n for n in refused.headers if n.startswith("access-control-allow")]
        assert granted == [], origin


async def test_an_answer_says_which_page_may_read_it(person, gateway) -> None:
    ann = await person()
    project = await ann.project()
    asked = [
        (ann.client, "/api/v1/projects", 200),
        (ann.client, f"/api/v1/projects/{project}", 200),
        (gateway, "/api/v1/projects", 401),
        (ann.client, "/api/v1/projects?limit=x", 400),
        (ann.client, f"/api/v1/projects/{uuid7()}", 404),
        (gateway, "/assets/x?X-Amz-Signature=1", 403),
    ]
    for client, path, status in asked:
        answer = await client.get(path, headers={"origin": _EDITOR})
        assert answer.status_code == status, path
        assert answer.headers.get_list("access-control-allow-origin") == [_EDITOR]
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "x-request-id" in answer.headers["access-control-expose-headers"]
        assert "origin" in answer.headers["vary"].lower()
        for origin in _FOREIGN:
            foreign = await client.get(path, headers={"origin": origin})
            assert foreign.status_code == status
            assert "access-control-allow-origin" not in foreign.headers
            assert "access-control-allow-credentials" not in foreign.headers
            assert "origin" in foreign.headers["vary"].lower()


def _is_hardened(answer: httpx.Response, *, is_own_page: bool = False) -> None:
    told = answer.headers
    assert told.get_list("x-content-type-options") == ["nosniff"]
    assert "max-age=" in told["strict-transport-security"]
    assert told["referrer-policy"]
    assert "server" not in told
    assert "x-powered-by" not in told
    if not is_own_page:
        assert "default-src 'none'" in told["content-security-policy"]
        assert "frame-ancestors 'none'" in told["content-security-policy"]
        assert told["x-frame-options"] == "DENY"


async def test_answers_of_every_kind_are_hardened(person, gateway, fleet_up) -> None:
    ann = await person()
    project = await ann.project()
    base = f"/api/v1/projects/{project}"
    file = f"{base}/files/a.txt"
    image = {"file": ("a.txt", b"text", "text/plain")}
    made = await ann.client.put(file, json={"content": "1"})
    asset = await ann.client.post("/api/v1/assets/upload", data={"projectId": project}, files=image)
    download = f"/api/v1/assets/{asset.json()['data']['id']}/download"
    tree = (await ann.client.get(f"{base}/tree")).headers["etag"]
    kinds = [
        (200, await ann.client.get(base)),
        (201, made),
        (302, await ann.client.get(download)),
        (304, await ann.client.get(f"{base}/tree", headers={"if-none-match": tree})),
        (204, await ann.client.delete(file)),
        (400, await ann.client.get("/api/v1/projects?limit=x")),
        (401, await gateway.get(base, headers={"authorization": "Bearer x"})),
        (403, await gateway.get("/builds/x?X-Amz-Signature=1")),
        (404, await gateway.get("/nowhere")),
        (404, await ann.client.get(f"/api/v1/projects/{uuid7()}")),
        (405, await ann.client.delete("/api/v1/projects")),
        (413, await ann.client.post("/api/v1/projects", content=b"x" * (2 << 20))),
        (415, await ann.client.post("/api/v1/projects", content=b"x")),
        (200, await gateway.get("/health")),
        (200, await gateway.get("/.well-known/jwks.json")),
        (429, await _limited(ann)),
    ]
    for status, answer in kinds:
        assert answer.status_code == status, answer.text
        _is_hardened(answer)
    for page in ("/docs", f"/play/{uuid7()}/", f"{fleet_up.play_origin}/play/{uuid7()}/"):
        _is_hardened(await gateway.get(page), is_own_page=True)


async def _limited(ann) -> httpx.Response:
    """What somebody hears who asks for too much: counted for them alone."""

    async def ask() -> httpx.Response:
        answer: httpx.Response = await ann.client.post("/api/v1/auth/password/change", json={})
        return answer

    answers = await asyncio.gather(*[ask() for _ in range(_ENOUGH)])
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert int(limited[0].headers["retry-after"]) > 0
    return limited[0]


async def test_an_assets_bytes_are_hardened_as_well(person) -> None:
    ann = await person()
    files = {"file": ("a.html.txt", b"<script>alert(1)</script>", "text/plain")}
    data = {"projectId": await ann.project(), "type": "data"}
    asset = await ann.client.post("/api/v1/assets/upload", data=data, files=files)
    path = f"/api/v1/assets/{asset.json()['data']['id']}/download"
    location = (await ann.client.get(path)).headers["location"]
    async with httpx.AsyncClient() as client:
        good, altered = await client.get(location), await client.get(f"{location}&sig=b")
    assert (good.status_code, altered.status_code) == (200, 403)
    assert good.headers["content-disposition"].startswith("attachment")
    for answer in (good, altered):
        _is_hardened(answer)
