"""What every route does alike: the envelope, ids, timing, media types, who is believed."""

import pytest
import sqlalchemy as sa
from services.projects.tests.desk import Desk

from common.ids import uuid7
from common.outbox import OutboxRow
from common.testing.apps import identity

PROJECTS = "/api/v1/projects"
_TRACED = sa.select(OutboxRow.request_id, OutboxRow.traceparent).where(
    OutboxRow.key == sa.bindparam("key", type_=sa.Text)
)


async def test_an_identity_is_believed_beside_the_secret_alone(desk: Desk) -> None:
    project = await desk.project()
    user = {"x-user-id": str(desk.owner)}
    forged = (
        user,
        {**user, "x-fleet-secret": "wrong"},
        {**user, "x-fleet-secret": ""},
        {"x-auth-role": "admin"},
        {"x-auth-scopes": "projects:read"},
        {"x-internal-caller": "builds"},
    )
    for headers in forged:
        answer = await desk.client.get(project, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["x-request-id"]
        assert answer.headers["content-length"] == str(len(answer.content))
    internal = f"/internal/projects/{project.rpartition('/')[2]}/access"
    assert (await desk.client.get(internal)).status_code == 401
    assert (await desk.client.get(internal, headers=user)).status_code == 401
    assert (await desk.client.get("/health/live")).status_code == 200


@pytest.mark.parametrize("user", ["me", "", "0190a000", "' or 1=1"])
async def test_an_identity_that_is_none_is_nobody(desk: Desk, user: str) -> None:
    headers = {**identity(desk.client.secret), "x-user-id": user}
    assert (await desk.client.get(PROJECTS, headers=headers)).status_code == 401


@pytest.mark.parametrize("given", ["abcdefgh", "a.b-c_d.1234", "x" * 128])
async def test_a_sane_request_id_is_kept(desk: Desk, given: str) -> None:
    for path in (PROJECTS, f"{PROJECTS}/{uuid7()}", "/no/such/path", "/health/live"):
        answer = await desk.call("GET", path, x_request_id=given)
        assert answer.headers["x-request-id"] == given
        body = answer.json()
        told = body.get("meta", body.get("error", {})).get("requestId", given)
        assert told == given


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 129, "with space here", 'quo"te"quote', "<script>"]
)
async def test_any_other_request_id_is_replaced(desk: Desk, given: str) -> None:
    answer = await desk.call("GET", PROJECTS, x_request_id=given)
    made = answer.headers["x-request-id"]
    assert made != given
    assert len(made) == 36
    assert answer.headers.get_list("x-request-id") == [made]


async def test_every_answer_says_how_long_it_took(desk: Desk) -> None:
    project = await desk.project()
    for path in (project, PROJECTS, f"{PROJECTS}/{uuid7()}", f"{project}/tree", "/nowhere"):
        timing = (await desk.call("GET", path)).headers["server-timing"]
        total, database = timing.split(", ")
        assert total.startswith("total;dur=")
        assert float(database.removeprefix("db;dur=")) <= float(total.removeprefix("total;dur="))


async def test_a_failure_can_be_a_problem(desk: Desk) -> None:
    path = f"{PROJECTS}/{uuid7()}"
    answer = await desk.call("GET", path, accept="application/problem+json, */*;q=0.1")
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem == {
        "type": "about:blank",
        "title": "Not found",
        "status": 404,
        "detail": problem["detail"],
        "instance": path,
        "code": "NOT_FOUND",
        "details": [],
        "requestId": answer.headers["x-request-id"],
    }
    refused = await desk.client.get(
        path, headers={"x-user-id": "x", "accept": "application/problem+json"}
    )
    assert refused.json()["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
async def test_a_form_of_another_site_is_not_json(desk: Desk, kind: str) -> None:
    headers = {**identity(desk.client.secret, desk.owner), "content-type": kind}
    answer = await desk.client.post(PROJECTS, headers=headers, content=b'{"name": "x"}')
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
async def test_json_may_be_written_in_any_case(desk: Desk, kind: str) -> None:
    headers = {**identity(desk.client.secret, desk.owner), "content-type": kind}
    answer = await desk.client.post(PROJECTS, headers=headers, content=b'{"name": "x"}')
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "x", "settings": {"a": "\\u0000"}}',
        b'{"name": "x", "settings": {"a\\u0000": 1}}',
        b'{"name": "x", "name": 1}',
        b"[" * 200_000,
        b'{"name": "x", "settings": {"a": 1e999}}',
        b'{"name": "x", "settings": {"a": NaN}}',
    ],
)
async def test_hostile_bodies_are_bad_requests(desk: Desk, body: bytes) -> None:
    headers = {**identity(desk.client.secret, desk.owner), "content-type": "application/json"}
    answer = await desk.client.post(PROJECTS, headers=headers, content=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert error["details"]


@pytest.mark.parametrize("depth", [500, 2000, 9000, 90_000])
async def test_what_is_nested_deeply_is_kept_or_refused(desk: Desk, depth: int) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    headers = {**identity(desk.client.secret, desk.owner), "content-type": "application/json"}
    body = b'{"name": "x", "settings": ' + nested + b"}"
    answer = await desk.client.post(PROJECTS, headers=headers, content=body)
    assert answer.status_code in {201, 400}
    if answer.status_code == 201:
        shown = await desk.call("GET", answer.headers["location"])
        assert shown.content.count(b'"a"') == depth


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "NOT_FOUND"),
        ("GET", "/", 404, "NOT_FOUND"),
        ("GET", f"{PROJECTS}/nope", 404, "NOT_FOUND"),
        ("GET", f"{PROJECTS}/nope/tree", 404, "NOT_FOUND"),
        ("POST", f"{PROJECTS}/{uuid7()}", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", PROJECTS, 405, "METHOD_NOT_ALLOWED"),
        ("TRACE", PROJECTS, 405, "METHOD_NOT_ALLOWED"),
    ],
)
async def test_what_the_router_refuses_has_the_envelope(
    desk: Desk, method: str, path: str, status: int, code: str
) -> None:
    answer = await desk.call(method, path)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["requestId"] == answer.headers["x-request-id"]
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize("query", ["q=%00", "q=%FF", "q=%ED%A0%80"])
async def test_text_that_cannot_be_looked_for_is_refused(desk: Desk, query: str) -> None:
    answer = await desk.call("GET", f"{PROJECTS}?{query}")
    assert answer.status_code in {200, 400}


async def test_a_trace_reaches_the_event(desk: Desk) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    project = await desk.project()
    await desk.put(project, "a", "1", traceparent=trace, x_request_id="request-of-mine")
    key = project.rpartition("/")[2]
    told = await desk.client.db.all(_TRACED, lambda ids, parent: (ids, parent), key=key)
    assert ("request-of-mine", trace) in told
