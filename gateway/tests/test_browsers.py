"""What a browser is told: which sites may ask, and what an answer may do."""

import gzip
from urllib.parse import quote

import pytest

from fleet.gateway_testing import Edge

pytestmark = pytest.mark.integration

ORIGIN = "http://localhost:5173"
PREFLIGHT = {"access-control-request-method": "PUT", "access-control-request-headers": "if-match"}


@pytest.mark.parametrize("origin", [ORIGIN, "https://demo.editor.example"])
@pytest.mark.parametrize(
    "path", ["/api/v1/projects", "/api/projects", "/assets/k?X-Amz-Signature=1"]
)
def test_an_editor_may_ask(edge: Edge, path: str, origin: str) -> None:
    answer = edge.ask("OPTIONS", path, PREFLIGHT | {"origin": origin})
    assert answer.status == 200
    assert answer.header("access-control-allow-origin") == origin
    assert answer.header("access-control-allow-credentials") == "true"
    assert "PUT" in answer.header("access-control-allow-methods")
    for name in ("authorization", "if-match", "idempotency-key", "x-csrf-token"):
        assert name in answer.header("access-control-allow-headers")


def test_a_client_of_resumable_uploads_can_read_how_far_one_is(
    edge: Edge, bearer: dict[str, str]
) -> None:
    asked = {"access-control-request-method": "PATCH", "origin": ORIGIN}
    preflight = edge.ask("OPTIONS", "/api/v1/assets/tus/1", asked)
    assert "PATCH" in preflight.header("access-control-allow-methods")
    allowed = preflight.header("access-control-allow-headers").split(", ")
    for name in ("tus-resumable", "upload-length", "upload-metadata", "upload-offset"):
        assert name in allowed
    assert {"upload-checksum", "content-type", "authorization"} <= set(allowed)
    answer = edge.ask("PATCH", "/api/v1/assets/tus/1", bearer | {"origin": ORIGIN}, b"bytes")
    exposed = answer.header("access-control-expose-headers").split(", ")
    for name in ("upload-offset", "upload-length", "upload-expires", "location", "asset-id"):
        assert name in exposed
    assert {"tus-resumable", "tus-version", "tus-extension", "tus-max-size"} <= set(exposed)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost:5173.evil.example",
        "https://localhost:5173",
        "https://a.b.editor.example",
        "https://editor.example",
        "https://x.editor.exampleXevil",
    ],
)
def test_a_foreign_site_may_not(edge: Edge, bearer: dict[str, str], origin: str) -> None:
    preflight = edge.ask("OPTIONS", "/api/v1/projects", PREFLIGHT | {"origin": origin})
    assert (preflight.status, preflight.code()) == (403, "FORBIDDEN")
    assert [n for n, _ in preflight.headers if n.startswith("access-control-")] == []
    assert "Origin" in preflight.header("vary")
    answer = edge.ask("GET", "/api/v1/projects", bearer | {"origin": origin})
    assert answer.header("access-control-allow-origin") == ""


@pytest.mark.parametrize("path", ["/api/v1/projects", "/api/v1/projects/1?sleep=3"])
def test_an_error_can_be_read_by_the_editor(edge: Edge, path: str) -> None:
    answer = edge.ask("GET", path, {"origin": ORIGIN})
    assert answer.status in {401, 504}
    assert answer.header("access-control-allow-origin") == ORIGIN
    assert "x-request-id" in answer.header("access-control-expose-headers")
    assert "Origin" in answer.header("vary")


def test_what_is_for_everyone_comes_without_credentials(edge: Edge) -> None:
    answer = edge.play("GET", "/play/x/index.html", {"origin": "https://games.example"})
    assert answer.header("access-control-allow-origin") == "https://games.example"
    assert answer.header("access-control-allow-credentials") == ""


@pytest.mark.parametrize("more", [{}, {"x-request-id": "odd one"}, {"x-request-id": "a-sane-one"}])
@pytest.mark.parametrize("origin", [ORIGIN, "https://games.example", ""])
def test_bytes_by_hash_are_the_same_answer_for_every_site(
    edge: Edge, origin: str, more: dict[str, str]
) -> None:
    said = {
        "access-control-allow-origin": "*",
        "cache-control": "public, max-age=31536000, immutable",
        "vary": "Accept-Encoding",
        "etag": '"abc"',
        "cross-origin-resource-policy": "cross-origin",
        "cache-tag": "project-1,sha256-abc",
        "content-encoding": "br",
    }
    query = "&".join(f"h-{name}={quote(value)}" for name, value in said.items())
    sent = more | ({"origin": origin} if origin else {})
    for method in ("GET", "HEAD"):
        answer = edge.ask(method, f"/cdn/abc/b.json?{query}", sent | {"accept-encoding": "gzip"})
        assert answer.header("x-cluster") == "assets"
        assert {name: answer.header(name) for name in said} == said
        assert answer.header("access-control-allow-credentials") == ""


@pytest.mark.parametrize("origin", [ORIGIN, "https://games.example"])
def test_every_site_may_ask_for_bytes_by_hash_with_a_range(edge: Edge, origin: str) -> None:
    asked = {"access-control-request-method": "GET", "access-control-request-headers": "range"}
    answer = edge.ask("OPTIONS", "/cdn/abc/b.json", asked | {"origin": origin})
    assert answer.status == 204
    assert answer.header("access-control-allow-origin") == "*"
    assert "range" in answer.header("access-control-allow-headers")
    assert answer.header("access-control-allow-methods") == "GET, HEAD"
    assert answer.header("access-control-allow-credentials") == ""


def test_no_credential_of_a_browser_reaches_who_delivers(
    edge: Edge, bearer: dict[str, str]
) -> None:
    answer = edge.ask("GET", "/cdn/abc/b.json", bearer | {"cookie": "refresh=1"})
    for name in ("authorization", "cookie", "x-user-id"):
        assert answer.seen(name) is None


@pytest.mark.parametrize(
    "path", ["/api/v1/projects/1", "/api/v1/projects", "/nope", "/a%2fb", "/health"]
)
def test_every_answer_is_a_dead_end_for_a_browser(edge: Edge, path: str) -> None:
    answer = edge.ask("GET", path)
    assert answer.header("content-security-policy") == "default-src 'none'; frame-ancestors 'none'"
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("x-frame-options") == "DENY"
    assert answer.header("strict-transport-security")
    assert answer.header("referrer-policy")
    for name in ("server", "x-powered-by", "x-envoy-upstream-service-time"):
        assert answer.header(name) == ""


@pytest.mark.parametrize("headers", [{}, {"x-request-id": "odd one"}])
def test_a_game_has_the_services_policy_and_no_other(edge: Edge, headers: dict[str, str]) -> None:
    answer = edge.play("GET", "/play/x/?h-content-security-policy=sandbox", headers)
    assert answer.header("content-security-policy") == "sandbox"
    assert answer.header("x-frame-options") == ""
    assert answer.header("x-content-type-options") == "nosniff"
    assert edge.play("GET", "/play/x/", headers).header("content-security-policy") == ""


def test_a_service_may_say_its_own_policy(edge: Edge) -> None:
    answer = edge.ask("GET", "/cdn/a/b?h-content-security-policy=sandbox")
    assert answer.header("content-security-policy") == "sandbox"


def test_answers_are_compressed_unless_they_have_an_etag(
    edge: Edge, bearer: dict[str, str]
) -> None:
    accepts = bearer | {"accept-encoding": "gzip"}
    answer = edge.ask("GET", "/api/v1/projects?pad=5000", accepts)
    assert answer.header("content-encoding") == "gzip"
    assert len(gzip.decompress(answer.body)) > 5000
    tagged = edge.ask("GET", "/api/v1/projects?pad=5000&h-etag=%22abc%22", accepts)
    assert (tagged.header("content-encoding"), tagged.header("etag")) == ("", '"abc"')


def test_the_documents_are_served(edge: Edge) -> None:
    for path in ("/api/v1/openapi.json", "/api/openapi.json"):
        answer = edge.ask("GET", path)
        assert (answer.status, answer.json()) == (200, {"openapi": "3.1.0"})
        assert answer.header("content-type") == "application/json"


def test_a_document_that_was_not_made_says_how_to_make_it(edge: Edge) -> None:
    answer = edge.ask("GET", "/asyncapi.json")
    assert (answer.status, answer.code()) == (503, "UNAVAILABLE")
    assert "make contracts" in answer.json()["error"]["message"]


def test_the_reference_is_a_page_with_its_own_scripts_only(edge: Edge) -> None:
    page = edge.ask("GET", "/docs")
    assert (page.status, page.header("content-type")) == (200, "text/html; charset=utf-8")
    policy = page.header("content-security-policy")
    assert "script-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert b"<script>" not in page.body
    assert b"//" not in page.body.replace(b"<!doctype html>", b"")
    start = edge.ask("GET", "/docs/start.js")
    assert start.header("content-type") == "text/javascript; charset=utf-8"


def test_the_references_script_is_served_zipped_or_says_what_is_missing(edge: Edge) -> None:
    answer = edge.ask("GET", "/docs/reference.js")
    if answer.status == 200:
        assert answer.header("content-encoding") == "gzip"
        assert b"SwaggerUIBundle" in gzip.decompress(answer.body)
    else:
        assert "make setup" in answer.json()["error"]["message"]
