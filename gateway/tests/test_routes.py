"""Every path goes to its service, under its canonical name, and no further."""

import pytest

from fleet.gateway_testing import Edge

pytestmark = pytest.mark.integration

ID = "0190a000-0000-7000-8000-00000000000c"
ROUTED = [
    ("POST", "/auth/register", "auth"),
    ("POST", "/auth/login", "auth"),
    ("POST", "/auth/refresh", "auth"),
    ("POST", "/auth/logout", "auth"),
    ("POST", "/auth/ws-ticket", "auth"),
    ("GET", "/auth/sessions", "auth"),
    ("GET", "/auth/oauth", "auth"),
    ("GET", "/auth/oauth/github/callback", "auth"),
    ("POST", "/auth/password/change", "auth"),
    ("GET", "/users", "auth"),
    ("GET", "/users/me", "auth"),
    ("DELETE", "/users/me/identities/1", "auth"),
    ("GET", "/users/somebody", "auth"),
    ("GET", "/projects", "projects"),
    ("POST", "/projects", "projects"),
    ("PATCH", f"/projects/{ID}", "projects"),
    ("POST", "/projects/import", "projects"),
    ("POST", f"/projects/from-template/{ID}", "projects"),
    ("GET", f"/projects/{ID}/export", "projects"),
    ("GET", f"/projects/{ID}/tree", "projects"),
    ("POST", f"/projects/{ID}/files/batch", "projects"),
    ("PUT", f"/projects/{ID}/files/assets/a.txt", "projects"),
    ("GET", f"/projects/{ID}/files/src/builds/main.ts", "projects"),
    ("GET", f"/projects/{ID}/history/files/src/comments", "projects"),
    ("DELETE", "/projects/jobs/1", "projects"),
    ("POST", f"/projects/{ID}/collaborators", "projects"),
    ("POST", "/invitations/abc/accept", "projects"),
    ("GET", "/shared/abc/files/src/main.ts", "projects"),
    ("POST", "/shared/abc", "projects"),
    ("GET", f"/projects/{ID}/assets", "assets"),
    ("GET", f"/projects/{ID}/assets/garbage", "assets"),
    ("POST", "/assets/upload", "assets"),
    ("POST", "/assets/uploads", "assets"),
    ("GET", f"/assets/uploads/{ID}", "assets"),
    ("POST", f"/assets/uploads/{ID}/complete", "assets"),
    ("DELETE", f"/assets/uploads/{ID}", "assets"),
    ("POST", "/assets/tus", "assets"),
    ("PATCH", "/assets/tus/1", "assets"),
    ("GET", "/assets/tus/1", "assets"),
    ("DELETE", "/assets/tus/1", "assets"),
    ("GET", f"/assets/{ID}/versions", "assets"),
    ("POST", f"/assets/{ID}/versions", "assets"),
    ("POST", f"/assets/{ID}/rollback", "assets"),
    ("POST", f"/assets/{ID}/restore", "assets"),
    ("POST", "/assets/negotiate", "assets"),
    ("GET", f"/assets/{ID}/variants", "assets"),
    ("PUT", f"/assets/{ID}/optimize", "assets"),
    ("GET", f"/assets/jobs/{ID}", "assets"),
    ("GET", f"/assets/{ID}/download", "assets"),
    ("GET", f"/projects/{ID}/builds", "builds"),
    ("POST", "/builds", "builds"),
    ("GET", f"/builds/{ID}", "builds"),
    ("GET", f"/builds/{ID}/artifacts/game.zip", "builds"),
    ("POST", f"/builds/{ID}/cancel", "builds"),
    ("GET", f"/projects/{ID}/presence", "collab"),
    ("POST", f"/projects/{ID}/chat", "collab"),
    ("POST", f"/projects/{ID}/comments", "collab"),
    ("PATCH", f"/comments/{ID}", "collab"),
    ("GET", f"/projects/{ID}/plugins", "registry"),
    ("DELETE", f"/projects/{ID}/plugins/@scope/name", "registry"),
    ("GET", "/templates", "registry"),
    ("POST", "/templates", "registry"),
    ("GET", "/plugins/search", "registry"),
    ("POST", "/plugins/@scope/name/versions", "registry"),
    ("GET", "/plugins/@scope/name/versions/1.0.0/download", "registry"),
]


@pytest.mark.parametrize(("method", "path", "cluster"), ROUTED)
def test_a_path_goes_to_its_service(
    edge: Edge, bearer: dict[str, str], method: str, path: str, cluster: str
) -> None:
    answer = edge.ask(method, f"/api/v1{path}?q=1", bearer)
    assert (answer.status, answer.header("x-cluster")) == (200, cluster)
    assert answer.json()["path"] == f"/api/v1{path}"
    assert answer.header("link") == ""


@pytest.mark.parametrize(("method", "path", "cluster"), ROUTED)
def test_a_path_without_a_version_is_the_same_resource(
    edge: Edge, bearer: dict[str, str], method: str, path: str, cluster: str
) -> None:
    answer = edge.ask(method, f"/api{path}?q=1", bearer)
    assert (answer.status, answer.header("x-cluster")) == (200, cluster)
    assert (answer.json()["path"], answer.json()["query"]) == (f"/api/v1{path}", "q=1")
    assert answer.header("link") == f'</api/v1{path}>; rel="canonical"'


def test_a_path_without_a_version_wants_an_identity_as_well(edge: Edge) -> None:
    assert edge.ask("GET", "/api/projects").code() == "UNAUTHENTICATED"
    assert edge.ask("GET", f"/api/projects/{ID}").seen("x-user-id") is None


def test_a_path_without_a_version_takes_as_large_a_body(edge: Edge, bearer: dict[str, str]) -> None:
    body = b"x" * (2 << 20)
    for headers in (bearer, bearer | {"x-request-id": "no id"}):
        answer = edge.ask("PUT", f"/api/projects/{ID}/files/a", headers, body)
        assert answer.json()["bodyBytes"] == len(body)
        assert edge.ask("PATCH", f"/api/projects/{ID}", headers, body).status == 413


def test_an_odd_request_id_changes_no_limit(edge: Edge, bearer: dict[str, str]) -> None:
    odd = bearer | {"x-request-id": "no id"}
    body = b"x" * (33 << 20)
    for path in ("/api/v1/assets/upload", "/api/assets/upload", "/api/v1/assets/batch-upload"):
        assert edge.ask("POST", path, odd, body).json()["bodyBytes"] == len(body)
    assert edge.ask("PUT", f"/api/v1/projects/{ID}/files/a", odd, body).status == 413
    assert edge.ask("PATCH", f"/api/v1/projects/{ID}", odd, b"x" * (2 << 20)).status == 413


@pytest.mark.parametrize(
    ("path", "cluster"),
    [
        ("/.well-known/jwks.json", "auth"),
        ("/cdn/abc/sprite.png", "assets"),
        ("/assets/key?x-grant=200&X-Amz-Signature=1", "s3"),
        ("/builds/key?x-grant=200&X-Amz-Signature=1", "s3"),
    ],
)
def test_bytes_need_no_identity(edge: Edge, path: str, cluster: str) -> None:
    assert edge.ask("GET", path).header("x-cluster") == cluster


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nope",
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nope",
        "/api/v2/projects",
        "/api/nope",
        "/api/v1/projectsandmore",
        "/internal",
        "/internal/authz",
        "/internal/projects/1/access",
        "/api/v1/internal/projects/1/access",
        "/api/internal/authz",
        "/metrics",
        "/playground",
        "/collab",
        "/assets/key",
        "/secrets/key?X-Amz-Signature=1",
    ],
)
def test_there_is_nothing_else(edge: Edge, bearer: dict[str, str], path: str) -> None:
    answer = edge.ask("GET", path, bearer)
    assert (answer.status, answer.code()) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/play/..%2finternal/authz", 400),
        ("/play/..%2Finternal%2Fauthz", 400),
        ("/play/..%5cinternal", 400),
        ("/api/v1/projects/1/files/a%2fb", 400),
        ("/play/../internal/authz", 404),
        ("/play/%2e%2e/internal/authz", 404),
        ("//internal//authz", 404),
        ("/play/../api/v1/auth/sessions", 401),
        ("/play/%2e%2e/api/v1/auth/sessions", 401),
        ("/cdn/../api/v1//auth/sessions", 401),
        ("/api/v1/projects/1/../../auth/sessions", 401),
        ("/api/v1//auth/sessions", 401),
        ("/API/v1/auth/sessions", 404),
    ],
)
def test_a_written_detour_opens_no_door(edge: Edge, path: str, status: int) -> None:
    assert edge.ask("GET", path).status == status


def test_a_path_that_is_encoded_twice_stays_as_it_is(edge: Edge, bearer: dict[str, str]) -> None:
    path = "/api/v1/projects/1/files/%252e%252e%252fa"
    assert edge.ask("GET", path, bearer).header("x-cluster") == "projects"


def test_health_names_every_service(edge: Edge) -> None:
    services = edge.ask("GET", "/health").json()["data"]["services"]
    wanted = ("auth", "projects", "assets", "builds", "collab", "registry")
    assert services == dict.fromkeys(wanted, "ready")


def test_the_gateway_says_itself_that_it_is_ready(edge: Edge) -> None:
    assert edge.ask("GET", "/health/live").json() == {"status": "live"}
    assert edge.ask("GET", "/health/ready").status == 200
