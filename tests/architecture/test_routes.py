"""Every public route says whom it lets in and how often."""

import re

import pytest

from tests.architecture.applications import Route, facts
from tests.architecture.layout import SERVICES

pytestmark = pytest.mark.architecture
RATES = {"read", "write", "strict", "upload", "build", "socket"}
# the fleet's own, which the gateway sends nobody to
PRIVATE = ("/internal", "/health", "/metrics", "/v3/discovery:")
# the API is versioned; the others are not for programs that somebody writes against it
PUBLIC = ("/api/v1/", "/cdn/", "/play/", "/.well-known/")
UNKEYED = {
    "/api/v1/auth/register": "an address has one account: who repeats it is told, and logs in",
    "/api/v1/auth/ws-ticket": "a ticket is good once and for seconds: another one is as good",
    "/api/v1/assets/tus": "bytes may come along, and what nobody goes on with expires",
    "/api/v1/assets/uploads/{upload_id:uuid}/complete": "an upload is one asset, however often",
    "/api/v1/assets/upload": "bytes come as a stream, and the same bytes are the same asset",
    "/api/v1/assets/{asset_id:uuid}/versions": "the bytes that it has make no new version",
}
each = pytest.mark.parametrize("service", SERVICES)


def _public(service: str) -> list[Route]:
    return [route for route in facts(service).routes if not route.path.startswith(PRIVATE)]


@each
def test_a_service_offers_something(service: str) -> None:
    assert _public(service)


@each
def test_a_route_declares_scope_anonymity_and_rate(service: str) -> None:
    wanted = {"scope", "anonymous", "rate"}
    silent = [f"{r.name} {r.path}" for r in _public(service) if set(r.declared) != wanted]
    assert silent == [], "these want opt=needs(...)"


@each
def test_a_rate_is_one_that_the_gateway_knows(service: str) -> None:
    assert {route.declared.get("rate") for route in _public(service)} <= RATES


@each
def test_a_scope_is_a_thing_and_what_is_done_to_it(service: str) -> None:
    scopes = {str(scope) for r in _public(service) if (scope := r.declared.get("scope"))}
    assert {scope for scope in scopes if not re.fullmatch(r"[a-z]+:(read|write)", scope)} == set()


@each
def test_a_route_has_a_canonical_path(service: str) -> None:
    assert [r.path for r in _public(service) if not r.path.startswith(PUBLIC)] == []


@each
def test_what_creates_may_be_repeated_with_a_key(service: str) -> None:
    made = [route for route in _public(service) if route.creates]
    assert [r.path for r in made if r.is_keyed == (r.path in UNKEYED)] == [], "use common.Keyed"
