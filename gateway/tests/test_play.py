"""Games are played on an origin of their own, where there is nothing of the API."""

from collections.abc import Callable

import pytest

from fleet import ports
from fleet.gateway_testing import Answer, Edge

pytestmark = pytest.mark.integration

COOKIES = "wl_refresh=r; wl_csrf=c; wl_play=the-key; theme=dark"
FORGED = {"x-user-id": "mallory", "x-auth-role": "admin", "x-fleet-secret": "guess"}
ODD = [{}, {"x-request-id": "odd one"}, {"x-request-id": "a-sane-one"}]

type Asks = Callable[..., Answer]


@pytest.fixture(scope="session")
def by_port(start: Callable[..., Edge]) -> Edge:
    """A gateway that has a port for games instead of a name."""
    port = ports.free().gateway
    return start(play_origin=f"http://localhost:{port}", play_port=port)


@pytest.fixture(params=["by name", "by port"])
def games(request: pytest.FixtureRequest, edge: Edge, by_port: Edge) -> Asks:
    """The host of games, in both of its forms."""
    if request.param == "by name":
        return edge.play
    return by_port.at(by_port.values.play_port or 0).ask


@pytest.mark.parametrize("more", ODD)
def test_a_game_comes_from_the_builds_service(games: Asks, more: dict[str, str]) -> None:
    answer = games("GET", "/play/abc/index.html?level=2", more)
    assert (answer.status, answer.header("x-cluster")) == (200, "builds")
    assert (answer.json()["path"], answer.json()["query"]) == ("/play/abc/index.html", "level=2")
    assert len(answer.header("x-request-id")) >= 8


@pytest.mark.parametrize("more", ODD)
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/playground",
        "/api/v1/auth/refresh",
        "/api/v1/projects",
        "/api/projects",
        "/api/v1/openapi.json",
        "/collab/v1/rooms/x",
        "/cdn/a/b",
        "/assets/key?X-Amz-Signature=1&x-grant=200",
        "/builds/key?X-Amz-Signature=1&x-grant=200",
        "/docs",
        "/health",
        "/.well-known/jwks.json",
        "/internal/authz",
        "/play/../api/v1/auth/sessions",
        "/play/%2e%2e/internal/authz",
    ],
)
def test_there_is_nothing_of_the_api_where_games_are(
    games: Asks, bearer: dict[str, str], path: str, more: dict[str, str]
) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = games(method, path, bearer | more)
        assert (answer.status, answer.code()) == (404, "NOT_FOUND")
        assert answer.header("content-security-policy").startswith("default-src 'none'")


def test_the_host_of_games_says_that_it_lives(games: Asks) -> None:
    assert games("GET", "/health/live").json() == {"status": "live"}
    assert games("GET", "/health/ready").status == 200
    assert games("GET", "/play/..%2fx").status == 400


@pytest.mark.parametrize("more", ODD)
def test_one_cookie_reaches_a_game_and_no_other(games: Asks, more: dict[str, str]) -> None:
    assert games("GET", "/play/x", more | {"cookie": COOKIES}).seen("cookie") == "wl_play=the-key"
    assert games("GET", "/play/x", more | {"cookie": "wl_csrf=c; a=b"}).seen("cookie") is None
    assert games("GET", "/play/x", more).seen("cookie") is None


def test_no_credential_and_no_forged_identity_reaches_a_game(
    games: Asks, bearer: dict[str, str]
) -> None:
    answer = games("GET", "/play/x", bearer | FORGED | {"x-api-key": "wl_good_key"})
    for name in ("authorization", "x-api-key", "x-user-id", "x-auth-role"):
        assert answer.seen(name) is None
    assert answer.seen("x-fleet-secret") == "the-fleets-own-secret"


@pytest.mark.parametrize("more", ODD)
def test_the_gateways_own_host_leads_to_the_games(edge: Edge, more: dict[str, str]) -> None:
    for path in ("/play/abc/", "/play/abc/a%20b.js?key=k&level=2", "/play"):
        answer = edge.ask("GET", path, more | {"cookie": COOKIES})
        assert (answer.status, answer.body) == (308, b"")
        assert answer.header("location") == f"{edge.values.play_origin}{path}"
        assert answer.header("cache-control") == "no-store"
        assert answer.header("referrer-policy") == "no-referrer"


def test_the_gateways_own_port_leads_to_the_port_of_games(by_port: Edge) -> None:
    answer = by_port.ask("GET", "/play/abc/?key=k", {"host": "play.localhost"})
    location = f"{by_port.values.play_origin}/play/abc/?key=k"
    assert (answer.status, answer.header("location")) == (308, location)
    assert by_port.ask("GET", "/api/v1/projects", {}).status == 401


@pytest.mark.parametrize("host", ["play.localhost", "PLAY.localhost:1", "play.localhost:8080"])
def test_a_name_is_the_games_on_every_port_and_in_every_case(edge: Edge, host: str) -> None:
    assert edge.ask("GET", "/play/x", {"host": host}).header("x-cluster") == "builds"
    assert edge.ask("GET", "/api/v1/projects", {"host": host}).status == 404


@pytest.mark.parametrize("host", ["play.localhost.evil", "xplay.localhost", "a.play.localhost"])
def test_another_name_is_not_the_games(edge: Edge, host: str) -> None:
    assert edge.ask("GET", "/play/x", {"host": host}).status == 308


def test_a_page_of_a_game_may_not_ask_the_api(edge: Edge, bearer: dict[str, str]) -> None:
    origin = {"origin": edge.values.play_origin}
    asked = origin | {"access-control-request-method": "GET"}
    assert edge.ask("OPTIONS", "/api/v1/projects", asked).status == 403
    answer = edge.ask("GET", "/api/v1/projects", bearer | origin)
    assert answer.header("access-control-allow-origin") == ""
