"""A real Envoy with our configuration, and small servers in the services' places."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from fleet import gateway, ports, programs, settings
from fleet.gateway_documents import Documents
from fleet.gateway_testing import Edge
from fleet.gateway_values import Address, GatewayValues, Limit, Limits, Timeouts, Upstreams

HERE = Path(__file__).resolve().parent
SECRET = "the-fleets-own-secret"  # noqa: S105 - a secret of these tests
STARTING_S = 60.0


@pytest.fixture(scope="session")
def key() -> ECKey:
    """The key that auth signs with."""
    return ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)


@pytest.fixture(scope="session")
def token(key: ECKey) -> Callable[..., str]:
    """Give a way to make access tokens; ``None`` leaves a claim out."""

    def made(*, signed_by: ECKey = key, header: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(time.time())
        usual = {
            "iss": "worldloom",
            "aud": "worldloom",
            "sub": "0190a000-0000-7000-8000-000000000001",
            "sid": "session-1",
            "role": "user",
            "iat": now,
            "exp": now + 600,
        }
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        protected = {"alg": "ES256", "kid": key.kid, "typ": "at+jwt"} | (header or {})
        return jwt.encode(protected, said, signed_by)

    return made


@pytest.fixture
def bearer(token: Callable[..., str]) -> dict[str, str]:
    """The header of somebody who is known; made anew, because a whole run outlasts a token."""
    return {"authorization": f"Bearer {token()}"}


@pytest.fixture(scope="session")
def upstreams(key: ECKey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstreams]:
    """The stand-ins, started."""
    clusters = Upstreams.__struct_fields__
    numbers = dict(zip(clusters, ports.by_name(ports.free()).values(), strict=False))
    jwks = tmp_path_factory.mktemp("keys") / "jwks.json"
    jwks.write_bytes(msgspec.json.encode({"keys": [key.as_dict(private=False)]}))
    plan = msgspec.json.encode({"ports": numbers, "jwks": str(jwks), "secret": SECRET})
    command = [sys.executable, str(HERE / "standins.py"), plan.decode()]
    with subprocess.Popen(command) as process:  # noqa: S603 - our own script
        try:
            _wait(lambda: not any(map(ports.is_free, numbers.values())), process)
            yield Upstreams(**{name: [Address(number)] for name, number in numbers.items()})
        finally:
            process.kill()


@pytest.fixture(scope="session")
def start(
    upstreams: Upstreams, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Edge]]:
    """Give a way to start gateways that differ in some values."""
    running: list[subprocess.Popen[bytes]] = []
    binary = programs.find(settings.read()).envoy

    def started(**changes: Any) -> Edge:
        free = ports.free()
        folder = tmp_path_factory.mktemp("gateway")
        usual = GatewayValues(
            listen_port=free.gateway,
            admin_port=free.envoy_admin,
            upstreams=upstreams,
            fleet_secret=SECRET,
            allowed_origins=["http://localhost:5173", "https://*.editor.example"],
            access_log=folder / "access.log",
        )
        edge = Edge(msgspec.structs.replace(usual, **changes), folder)
        path = gateway.render(edge.values, folder)
        process = subprocess.Popen(gateway.command(path, binary, log_level="error"))  # noqa: S603 - our own command
        running.append(process)
        _wait(lambda: _serves(edge), process)
        return edge

    yield started
    for process in running:
        process.terminate()
    for process in running:
        process.wait(timeout=STARTING_S)


@pytest.fixture(scope="session")
def edge(start: Callable[..., Edge], tmp_path_factory: pytest.TempPathFactory) -> Edge:
    """The gateway of most tests: impatient, and generous with everything else."""
    openapi = tmp_path_factory.mktemp("documents") / "openapi.json"
    openapi.write_text('{"openapi":"3.1.0"}')
    return start(
        timeouts=Timeouts(default=1, idle=1, poll=4, stream_idle=10, headers=1),
        limits=Limits(strict=Limit(6_000, 60)),
        documents=Documents(openapi=openapi),
    )


@pytest.fixture(scope="session")
def tight(start: Callable[..., Edge]) -> Edge:
    """A gateway that lets very little through."""
    return start(limits=Limits(read=Limit(3, 60), write=Limit(2, 60), strict=Limit(2, 60)))


@pytest.fixture(scope="session")
def edge_log(start: Callable[..., Edge]) -> Path:
    """The access log of a gateway that was asked for things with secrets in their addresses."""
    edge = start()
    edge.play("GET", "/play/x?ticket=hidden-ticket")
    edge.ask("GET", "/a%2fb?ticket=hidden-ticket")
    edge.ask("POST", "/api/v1/invitations/hidden-invitation/accept?x=hidden-ticket")
    edge.ask("POST", "/api/invitations/hidden-invitation/accept")
    edge.ask("GET", "/api/v1/shared/hidden-link/files/a.txt?x=hidden-ticket")
    edge.ask("GET", "/api/shared/hidden-link")
    log = edge.values.access_log
    until = time.monotonic() + STARTING_S
    # written from a buffer
    while log.read_text().count("/shared/") < 2 and time.monotonic() < until:
        time.sleep(0.1)
    return log


def _serves(edge: Edge) -> bool:
    try:
        return edge.ask("GET", "/health/live").status == 200
    except OSError:
        return False


def _wait(is_there: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTING_S
    while not is_there():
        if process.poll() is not None or time.monotonic() > until:
            pytest.fail(f"{process.args!r} did not start")
        time.sleep(0.02)
