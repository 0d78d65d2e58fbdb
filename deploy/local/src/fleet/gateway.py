"""Render the gateway's configuration: one template, whether Envoy runs here or in Kubernetes."""

import re
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

import msgspec
import yaml

from fleet import gateway_documents, gateway_replies
from fleet.gateway_documents import Documents
from fleet.home import repository
from fleet.ports import LOOPBACK, Ports

MEBIBYTE = 1 << 20
# what an administrator asks Envoy for, in this order, before it is stopped: say "not ready", then
# let connections finish; a mere SIGTERM would drop the requests in flight
DRAIN_PATHS = ("/healthcheck/fail", "/drain_listeners?graceful&skip_exit")
STOP_PATH = "/quitquitquit"
# a header's value is a format string to Envoy: what follows a per cent sign would be evaluated
_PLAIN = re.compile(r"[A-Za-z0-9._~+/=-]{16,}|%ENVIRONMENT\([A-Z_]+\)%")
_EXPORTED = re.compile(r"[A-Z][A-Z0-9_]*")

type Rendered = dict[str, Any]


class GatewayError(Exception):
    """The values make no configuration; the message says which one."""


class Address(msgspec.Struct, frozen=True):
    """One process behind the gateway; health may be asked at another port of it."""

    port: int
    host: str = LOOPBACK
    health_port: int | None = None


class Upstreams(msgspec.Struct, frozen=True, kw_only=True):
    """Where each cluster's processes are; one name may stand for many (a headless service)."""

    auth: Sequence[Address]
    projects: Sequence[Address]
    assets: Sequence[Address]
    builds: Sequence[Address]
    collab: Sequence[Address]
    collab_sockets: Sequence[Address]
    registry: Sequence[Address]
    s3: Sequence[Address]


class Limit(msgspec.Struct, frozen=True):
    """So many requests in so many seconds; a full bucket may be spent at once."""

    requests: int
    seconds: float


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Rate limits: by address before anything else, then by caller in the route's class.

    Where nobody is known to be calling, the caller is the address.
    """

    address: Limit = Limit(20_000, 1)
    read: Limit = Limit(300_000, 60)
    write: Limit = Limit(120_000, 60)
    strict: Limit = Limit(60, 60)
    upload: Limit = Limit(6_000, 60)
    build: Limit = Limit(600, 60)
    socket: Limit = Limit(12_000, 60)


class Bodies(msgspec.Struct, frozen=True, kw_only=True):
    """The largest request bodies, in bytes."""

    default: int = MEBIBYTE
    file: int = 32 * MEBIBYTE
    upload: int = 512 * MEBIBYTE


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """In seconds. ``idle`` is silence on a stream; the others are for a whole answer."""

    default: float = 15
    file: float = 30
    upload: float = 900
    poll: float = 60
    idle: float = 60
    stream_idle: float = 300
    socket_idle: float = 300
    headers: float = 10


class GatewayValues(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that differs from one gateway to the next."""

    listen_port: int
    admin_port: int
    upstreams: Upstreams
    # or %ENVIRONMENT(NAME)%, so that the rendered file holds no secret
    fleet_secret: str
    listen_host: str = LOOPBACK
    token_issuer: str = "worldloom"  # noqa: S105 - the name of an issuer
    token_audience: str = "worldloom"  # noqa: S105 - the name of an audience
    token_lifetime_s_max: int = 900
    jwks_cache_s: float = 300
    # an asterisk stands for one label: https://*.example.com
    allowed_origins: Sequence[str] = ()
    trusted_hops: int = 0
    limits: Limits = Limits()
    bodies: Bodies = Bodies()
    timeouts: Timeouts = Timeouts()
    health_interval_s: float = 0.5
    heap_bytes_max: int = 512 * MEBIBYTE
    connections_max: int = 20_000
    access_log: Path = Path("/dev/stdout")
    documents: Documents = Documents()
    source: Path | None = None


def values_for(
    ports: Ports,
    *,
    fleet_secret: str,
    allowed_origins: Sequence[str],
    access_log: Path,
    limits: Limits | None = None,
) -> GatewayValues:
    """Return the values of a fleet of local processes."""
    upstreams = Upstreams(
        auth=[Address(ports.auth)],
        projects=[Address(ports.projects)],
        assets=[Address(ports.assets)],
        builds=[Address(ports.builds)],
        collab=[Address(ports.collab)],
        collab_sockets=[Address(ports.collab_socket, health_port=ports.collab)],
        registry=[Address(ports.registry)],
        s3=[Address(ports.s3)],
    )
    docs = repository() / "docs"
    return GatewayValues(
        listen_port=ports.gateway,
        admin_port=ports.envoy_admin,
        upstreams=upstreams,
        fleet_secret=fleet_secret,
        allowed_origins=allowed_origins,
        access_log=access_log,
        limits=limits or Limits(),
        documents=Documents(
            openapi=docs / "openapi" / "openapi.json", asyncapi=docs / "asyncapi" / "asyncapi.json"
        ),
    )


def render(values: GatewayValues, target_dir: Path) -> Path:
    """Write the configuration and the documents that it serves; return the configuration's path."""
    target_dir.mkdir(parents=True, exist_ok=True)
    rendered = configuration(values, target_dir)
    path = target_dir / "envoy.json"
    scratch = target_dir / "envoy.json.new"
    scratch.touch(mode=0o600)
    scratch.write_bytes(msgspec.json.format(msgspec.json.encode(rendered)))
    scratch.replace(path)
    return path


def configuration(values: GatewayValues, target_dir: Path) -> Rendered:
    """Put the values and the neighbouring files into the template."""
    source = values.source or repository() / "gateway"
    if not _PLAIN.fullmatch(values.fleet_secret):
        raise GatewayError("fleet_secret: 16 letters and digits or more, or %ENVIRONMENT(NAME)%.")
    files = gateway_documents.place(values.documents, source / "docs", target_dir / "documents")
    plain = _placeholders(values) | files
    replies = _load(source / "replies.yaml", plain)["replies"]
    parts = {
        "CLUSTERS": _load(source / "clusters.yaml", plain)["clusters"],
        "ROUTES": _load(source / "routes.yaml", plain)["route_config"],
        "ACCESS_LOG": _load(source / "access_log.yaml", plain)["access_log"],
        "REPLIES": gateway_replies.mappers(replies),
        "PREPARE": (source / "prepare.lua").read_text(),
    }
    return _load(source / "envoy.yaml", plain | parts)


def command(
    path: Path, binary: Path | str = "envoy", *, concurrency: int = 1, log_level: str = "warning"
) -> list[str]:
    """Return the command that runs the gateway.

    Hot restart would share memory with every other Envoy of the machine, so it is off; and where
    the services are on the same cores, one worker is faster than two.
    """
    options = {
        "--concurrency": str(concurrency),
        "--log-level": log_level,
        "--drain-time-s": "5",
        "--parent-shutdown-time-s": "6",
    }
    flat = [word for pair in options.items() for word in pair]
    return [str(binary), "-c", str(path), "--disable-hot-restart", *flat]


def _load(path: Path, values: Rendered) -> Rendered:
    written = {name: msgspec.json.encode(value).decode() for name, value in values.items()}
    try:
        text = Template(path.read_text()).substitute(written)
    except (KeyError, ValueError) as exc:
        raise GatewayError(f"{path.name}: placeholder {exc} has no value.") from exc
    loaded: Rendered = yaml.safe_load(text)
    # only lends its anchors
    loaded.pop("fragments", None)
    return loaded


def _placeholders(values: GatewayValues) -> Rendered:
    simple = {
        "LISTEN_HOST": values.listen_host,
        "LISTEN_PORT": values.listen_port,
        "ADMIN_PORT": values.admin_port,
        "FLEET_SECRET": values.fleet_secret,
        "TOKEN_ISSUER": values.token_issuer,
        "TOKEN_AUDIENCE": values.token_audience,
        "TOKEN_LIFETIME_MAX": _seconds(values.token_lifetime_s_max),
        "JWKS_CACHE": _seconds(values.jwks_cache_s),
        "TRUSTED_HOPS": values.trusted_hops,
        "ORIGINS": _origins(values.allowed_origins),
        "HEALTH_INTERVAL": _seconds(values.health_interval_s),
        "HEAP_BYTES_MAX": values.heap_bytes_max,
        "CONNECTIONS_MAX": values.connections_max,
        "ACCESS_LOG_PATH": str(values.access_log),
        "BODY_DEFAULT": values.bodies.default,
        "BODY_FILE": values.bodies.file,
        "BODY_UPLOAD": values.bodies.upload,
    }
    return simple | _hosts(values.upstreams) | _limits(values.limits) | _timeouts(values.timeouts)


def _hosts(upstreams: Upstreams) -> Rendered:
    return {
        f"HOSTS_{cluster.upper()}": [_host(address) for address in getattr(upstreams, cluster)]
        for cluster in upstreams.__struct_fields__
    }


def _host(address: Address) -> Rendered:
    socket = {"address": address.host, "port_value": address.port}
    endpoint: Rendered = {"address": {"socket_address": socket}}
    if address.health_port is not None:
        endpoint["health_check_config"] = {"port_value": address.health_port}
    return {"endpoint": endpoint}


def _limits(limits: Limits) -> Rendered:
    classes = ("read", "write", "strict", "upload", "build", "socket")
    by_caller = [
        {"entries": [{"key": "class", "value": name}, *entries], "token_bucket": bucket}
        for name in classes
        for bucket in [_bucket(getattr(limits, name))]
        for entries in (
            [{"key": "user"}],
            [{"key": "known", "value": "no"}, {"key": "masked_remote_address"}],
        )
    ]
    return {
        "LIMIT_ADDRESS": _bucket(limits.address),
        "LIMIT_ADDRESS_REQUESTS": str(limits.address.requests),
        "LIMIT_CALLER": by_caller,
    }


def _bucket(limit: Limit) -> Rendered:
    return {
        "max_tokens": limit.requests,
        "tokens_per_fill": limit.requests,
        "fill_interval": _seconds(limit.seconds),
    }


def _timeouts(timeouts: Timeouts) -> Rendered:
    return {
        "TIMEOUT_DEFAULT": _seconds(timeouts.default),
        "TIMEOUT_FILE": _seconds(timeouts.file),
        "TIMEOUT_UPLOAD": _seconds(timeouts.upload),
        "TIMEOUT_POLL": _seconds(timeouts.poll),
        "TIMEOUT_IDLE": _seconds(timeouts.idle),
        "TIMEOUT_STREAM": _seconds(timeouts.stream_idle),
        "TIMEOUT_SOCKET": _seconds(timeouts.socket_idle),
        "TIMEOUT_HEADERS": _seconds(timeouts.headers),
    }


def _seconds(value: float) -> str:
    return f"{value:g}s"


def _origins(origins: Sequence[str]) -> str:
    patterns = [re.escape(origin).replace(r"\*", "[a-z0-9-]+") for origin in origins if origin]
    # an empty list allows nobody; an empty expression would match an empty header
    return "|".join(patterns) or "nobody"
