"""What the gateway says itself is said as the services say it."""

import contextlib
import socket
from collections.abc import Callable, Iterator

import msgspec
import pytest

from fleet import ports
from fleet.gateway_testing import Answer, Edge
from fleet.gateway_values import Address, Upstreams

pytestmark = pytest.mark.integration

MEBIBYTE = 1 << 20
PROBLEM = {"accept": "application/problem+json"}


def _is_envelope(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.header("content-type")) == (status, "application/json")
    body = answer.json()
    assert set(body) == {"success", "error"}
    assert set(body["error"]) == {"code", "message", "details", "requestId"}
    assert (body["success"], body["error"]["code"]) == (False, code)
    assert body["error"]["message"].endswith(".")
    assert body["error"]["requestId"] == answer.header("x-request-id")


def _is_problem(answer: Answer, status: int, code: str, instance: str) -> None:
    assert (answer.status, answer.header("content-type")) == (status, "application/problem+json")
    body = answer.json()
    assert set(body) == {
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "code",
        "details",
        "requestId",
    }
    assert (body["status"], body["code"], body["instance"]) == (status, code, instance)
    assert body["requestId"] == answer.header("x-request-id")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nope", 404, "NOT_FOUND"),
        ("/api/v1/projects", 401, "UNAUTHENTICATED"),
        ("/api/v1/projects/1?sleep=3", 504, "TIMEOUT"),
        ("/play/..%2f", 400, "VALIDATION_ERROR"),
    ],
)
def test_an_error_comes_in_both_shapes(edge: Edge, path: str, status: int, code: str) -> None:
    _is_envelope(edge.ask("GET", path), status, code)
    both = {"accept": "text/html, application/problem+json;q=0.9"}
    for headers in (PROBLEM, both):
        _is_problem(edge.ask("GET", path, headers), status, code, path.partition("?")[0])


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("POST", "/api/v1/projects", MEBIBYTE),
        ("PUT", "/api/v1/projects/1/files/a", 32 * MEBIBYTE),
        ("POST", "/api/v1/projects/1/files/batch", 32 * MEBIBYTE),
    ],
)
def test_a_body_may_be_so_large_and_no_larger(
    edge: Edge, bearer: dict[str, str], method: str, path: str, limit: int
) -> None:
    assert edge.ask(method, path, bearer, b"x" * limit).json()["bodyBytes"] == limit
    refused = edge.ask(method, path, bearer, b"x" * (limit + 1))
    _is_envelope(refused, 413, "PAYLOAD_TOO_LARGE")
    assert refused.json()["error"]["details"] == [
        {"field": "body", "message": f"{limit} bytes are the limit."}
    ]


def test_a_body_of_unknown_length_is_limited_too(edge: Edge, bearer: dict[str, str]) -> None:
    def body() -> Iterator[bytes]:
        yield from [b"x" * 65536] * 64

    _is_envelope(edge.ask("POST", "/api/v1/projects", bearer, body()), 413, "PAYLOAD_TOO_LARGE")


def test_headers_may_not_be_huge(edge: Edge) -> None:
    _is_envelope(edge.ask("GET", "/", {"x-huge": "x" * 70_000}), 431, "PAYLOAD_TOO_LARGE")
    many = [(f"x-{number}", "1") for number in range(200)]
    _is_envelope(edge.ask("GET", "/", many), 431, "PAYLOAD_TOO_LARGE")


def test_a_request_that_never_ends_is_ended(edge: Edge) -> None:
    with contextlib.closing(socket.create_connection(("127.0.0.1", edge.values.listen_port))) as c:
        c.settimeout(5)
        c.sendall(b"GET / HTTP/1.1\r\nhost: slow\r\n")
        answer = c.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"TIMEOUT"' in answer


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 418, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("accept", ["*/*", "application/problem+json"])
def test_a_services_own_words_stay(
    edge: Edge, bearer: dict[str, str], status: int, accept: str
) -> None:
    headers = bearer | {"accept": accept}
    answer = edge.ask("POST", f"/api/v1/projects?status={status}", headers)
    assert (answer.status, answer.json()["cluster"]) == (status, "projects")


def test_what_nobody_answers_is_unavailable(
    start: Callable[..., Edge], upstreams: Upstreams, bearer: dict[str, str]
) -> None:
    dead = Address(ports.free().gateway)
    edge = start(upstreams=msgspec.structs.replace(upstreams, projects=[dead]))
    answer = edge.ask("GET", "/api/v1/projects", bearer)
    _is_envelope(answer, 503, "UNAVAILABLE")
    assert answer.header("retry-after") == "1"
    _is_problem(
        edge.ask("POST", "/api/v1/projects", bearer | PROBLEM),
        503,
        "UNAVAILABLE",
        "/api/v1/projects",
    )
    assert edge.ask("GET", "/api/v1/builds", bearer).status == 200
    health = edge.ask("GET", "/health")
    _is_envelope(health, 503, "UNAVAILABLE")
    assert health.json()["error"]["details"] == [{"service": "projects", "message": "unavailable"}]
    assert edge.ask("GET", "/health/ready").status == 200


def test_without_auth_nobody_is_let_in_and_nobody_is_blamed(
    start: Callable[..., Edge], upstreams: Upstreams, bearer: dict[str, str]
) -> None:
    dead = Address(ports.free().gateway)
    edge = start(upstreams=msgspec.structs.replace(upstreams, auth=[dead]))
    for headers in (bearer, {"x-api-key": "wl_good_key"}):
        answer = edge.ask("GET", "/api/v1/projects", headers)
        _is_envelope(answer, 503, "UNAVAILABLE")
        assert answer.header("retry-after") == "1"
    assert edge.ask("GET", "/api/v1/projects/1").status == 200


def test_a_request_id_is_kept_where_it_is_sane(edge: Edge) -> None:
    for sane in ("a1b2c3d4", "0190a000-0000-7000-8000-00000000000c", "a.b_c-d" * 18):
        answer = edge.play("GET", "/play/x", {"x-request-id": sane})
        assert (answer.header("x-request-id"), answer.seen("x-request-id")) == (sane, sane)


@pytest.mark.parametrize("odd", ["", "short", "x" * 129, "with space", "a;b=c<d>", "ab,cdefghij"])
def test_a_request_id_is_made_where_it_is_not(edge: Edge, odd: str) -> None:
    answer = edge.play("GET", "/play/x", {"x-request-id": odd})
    made = answer.header("x-request-id")
    assert made not in {"", odd}
    assert len(made) >= 8
    assert answer.seen("x-request-id") == made
    assert edge.play("GET", "/play/x", {"x-request-id": odd}).header("x-request-id") != made
    _is_envelope(edge.ask("GET", "/nope", {"x-request-id": odd}), 404, "NOT_FOUND")


def test_a_trace_goes_on_to_the_service(edge: Edge) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert edge.play("GET", "/play/x", {"traceparent": trace}).seen("traceparent") == trace
