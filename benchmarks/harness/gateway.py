"""The projects service behind the gateway, which checks a JWT of every request."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from benchmarks.harness.contender import Contender
from benchmarks.harness.processes import answers, running
from common.ids import uuid7
from fleet import gateway
from fleet.context import PYTHON, Context
from fleet.ports import LOOPBACK
from fleet.processes import Process

NAME = "gateway"
_TOKEN_LIVES_S = 900
_KEY_ID = "benchmark"
# it is the rate of answers that is measured: nobody is to be told to come back later
_EVERYBODY = gateway.Limit(1_000_000_000, 1)
_LIMITS = gateway.Limits(address=_EVERYBODY, read=_EVERYBODY, write=_EVERYBODY)


@contextmanager
def behind(context: Context, service: Contender, name: str = NAME) -> Iterator[Contender]:
    """Run the gateway before a service that runs; CPU and memory are those of both."""
    key = ECKey.generate_key("P-256", {"kid": _KEY_ID, "alg": "ES256", "use": "sig"})
    values = gateway.values_for(
        context.ports,
        fleet_secret=context.secrets.fleet_secret,
        allowed_origins=(),
        access_log=Path("/dev/null"),
        limits=_LIMITS,
    )
    path = gateway.render(values, context.home.config / f"measured-{name}")
    envoy = Process(
        name=name,
        command=tuple(gateway.command(path, context.programs.envoy)),
        environment=context.environment(),
    )
    url = f"http://{LOOPBACK}:{context.ports.gateway}"
    log = context.home.log(f"{name}-measured")
    with _keys(context, key), running(envoy, log, context.home.repository) as child:
        answers(child, f"{url}/health", log)
        yield msgspec.structs.replace(
            service,
            name=name,
            url=url,
            pids=(child.pid, *service.pids),
            identify=lambda user: {"authorization": f"Bearer {_token(key, user)}"},
        )


@contextmanager
def _keys(context: Context, key: ECKey) -> Iterator[None]:
    """Publish the key where the gateway looks for those of the auth service, as a mere file."""
    folder = context.home.cache / "keys"
    files = {
        ".well-known/jwks.json": msgspec.json.encode({"keys": [key.as_dict(private=False)]}),
        "health/ready": b"{}",
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    port = str(context.ports.auth)
    server = Process(
        name="keys",
        command=(PYTHON, "-m", "http.server", "--bind", LOOPBACK, "-d", str(folder), port),
        environment=context.environment(),
    )
    log = context.home.log("keys")
    with running(server, log, folder) as child:
        answers(child, f"http://{LOOPBACK}:{port}/health/ready", log)
        yield


def _token(key: ECKey, user: UUID) -> str:
    now = int(time.time())
    claims = {
        "iss": "worldloom",
        "aud": "worldloom",
        "sub": str(user),
        "sid": str(uuid7()),
        "role": "user",
        "iat": now,
        "exp": now + _TOKEN_LIVES_S,
    }
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": _KEY_ID}, claims, key)
