"""A presigned URL reaches the object store if whoever signed it says that it may still be used."""

from collections.abc import Callable

import msgspec
import pytest

from fleet import ports
from fleet.gateway_testing import Edge
from fleet.gateway_values import Address, Upstreams

pytestmark = pytest.mark.integration

SIGNED = "X-Amz-Signature=1"
GOOD = f"x-grant=200&{SIGNED}"
BUCKETS = ("assets", "builds")
# where a stand-in tells what it was asked last
ASKED = {"assets": "/cdn/standin/asked", "builds": "/play/standin/asked"}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_the_service_that_signed_is_asked_about_the_whole_request(edge: Edge, bucket: str) -> None:
    headers = {
        "authorization": "Bearer x",
        "cookie": "refresh=1",
        "x-user-id": "mallory",
        "x-request-id": f"{bucket}-12345",
    }
    answer = edge.ask("GET", f"/{bucket}/some/key?a=%20b&{GOOD}", headers)
    assert (answer.status, answer.header("x-cluster")) == (200, "s3")
    ask = edge.play if bucket == "builds" else edge.ask
    asked = ask("GET", ASKED[bucket])
    told = asked.json()
    assert (told["cluster"], told["method"]) == (bucket, "GET")
    assert told["path"] == f"/internal/objects/{bucket}/some/key"
    assert told["query"] == f"a=%20b&{GOOD}"
    assert asked.seen("x-fleet-secret") == "the-fleets-own-secret"
    assert asked.seen("x-request-id") == f"{bucket}-12345"
    for name in ("authorization", "cookie", "x-user-id", "x-api-key"):
        assert asked.seen(name) is None


def test_an_upload_is_asked_about_before_its_body_is_sent_anywhere(edge: Edge) -> None:
    body = b"x" * (40 << 20)
    answer = edge.ask("PUT", f"/assets/uploads/1?{GOOD}", {}, body)
    assert (answer.header("x-cluster"), answer.json()["bodyBytes"]) == ("s3", len(body))
    told = edge.ask("GET", ASKED["assets"]).json()
    assert (told["method"], told["bodyBytes"]) == ("PUT", 0)
    refused = edge.ask("PUT", f"/assets/uploads/1?x-grant=403&{SIGNED}", {}, body)
    assert (refused.status, refused.code()) == (403, "FORBIDDEN")


def test_the_object_store_sees_the_request_as_it_was_sent_and_no_secret(
    edge: Edge, bearer: dict[str, str]
) -> None:
    sent = bearer | {"host": "games.example:8080", "cookie": "refresh=1", "x-fleet-secret": "x"}
    path = f"/assets/uploads/1?response-content-disposition=a%3B%20b&{GOOD}"
    answer = edge.ask("PUT", path, sent, b"bytes")
    assert answer.seen("host") == "games.example:8080"
    told = answer.json()
    assert f"{told['path']}?{told['query']}" == path
    for name in ("x-fleet-secret", "authorization", "cookie", "x-user-id"):
        assert answer.seen(name) is None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("bucket", BUCKETS)
@pytest.mark.parametrize("query", [f"x-grant=403&{SIGNED}", SIGNED])
def test_a_refusal_is_the_services_own(edge: Edge, bucket: str, method: str, query: str) -> None:
    answer = edge.ask(method, f"/{bucket}/key?{query}", {"x-request-id": "a-request-id"})
    assert (answer.status, answer.header("x-cluster")) == (403, "")
    if method == "GET":
        assert answer.header("content-type") == "application/json"
        error = answer.json()["error"]
        assert (error["code"], error["message"]) == ("FORBIDDEN", f"{bucket} says so")
        assert error["requestId"] == answer.header("x-request-id") == "a-request-id"


def test_a_refusal_can_be_read_by_the_editor(edge: Edge) -> None:
    origin = "http://localhost:5173"
    answer = edge.ask("GET", f"/assets/key?x-grant=403&{SIGNED}", {"origin": origin})
    assert (answer.status, answer.header("access-control-allow-origin")) == (403, origin)


def test_an_odd_request_id_is_no_way_around(edge: Edge) -> None:
    odd = {"x-request-id": "no id"}
    assert edge.ask("GET", f"/assets/key?x-grant=403&{SIGNED}", odd).status == 403
    body = b"x" * (33 << 20)
    answer = edge.ask("PUT", f"/assets/key?{GOOD}", odd, body)
    assert answer.json()["bodyBytes"] == len(body)


@pytest.mark.parametrize("status", [500, 503])
def test_a_service_that_fails_lets_nobody_pass(edge: Edge, status: int) -> None:
    answer = edge.ask("GET", f"/assets/key?x-grant={status}&{SIGNED}")
    assert (answer.status, answer.code()) == (503, "UNAVAILABLE")
    assert answer.header("retry-after") == "1"


@pytest.mark.parametrize("status", [201, 302])
def test_only_a_plain_yes_is_one(edge: Edge, status: int) -> None:
    answer = edge.ask("GET", f"/assets/key?x-grant={status}&{SIGNED}")
    assert (answer.status, answer.header("x-cluster")) == (status, "")


def test_without_its_service_a_bucket_is_shut(
    start: Callable[..., Edge], upstreams: Upstreams
) -> None:
    dead = Address(ports.free().gateway)
    edge = start(upstreams=msgspec.structs.replace(upstreams, assets=[dead]))
    answer = edge.ask("GET", f"/assets/key?{GOOD}")
    assert (answer.status, answer.code()) == (503, "UNAVAILABLE")
    assert answer.header("retry-after") == "1"
    assert edge.ask("GET", f"/builds/key?{GOOD}").header("x-cluster") == "s3"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/assets/key?x-grant=200"),
        ("POST", f"/assets/key?{GOOD}"),
        ("DELETE", f"/assets/key?{GOOD}"),
        ("PATCH", f"/assets/key?{GOOD}"),
        ("PUT", f"/builds/key?{GOOD}"),
        ("GET", f"/blobs/key?{GOOD}"),
        ("PUT", f"/exports/key?{GOOD}"),
        ("GET", f"/?{GOOD}"),
        ("GET", f"/assets?{GOOD}"),
        ("GET", f"/assets/?{GOOD}"),
    ],
)
def test_what_nobody_signs_is_not_there(edge: Edge, method: str, path: str) -> None:
    answer = edge.ask(method, path)
    assert (answer.status, answer.code()) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        f"/builds/../assets/key?x-grant=403&{SIGNED}",
        f"/assets//key?x-grant=403&{SIGNED}",
        f"/./assets/key?x-grant=403&{SIGNED}",
    ],
)
def test_a_written_detour_asks_the_service_of_the_bucket_that_is_meant(
    edge: Edge, path: str
) -> None:
    answer = edge.ask("GET", path)
    assert (answer.status, answer.json()["error"]["message"]) == (403, "assets says so")
