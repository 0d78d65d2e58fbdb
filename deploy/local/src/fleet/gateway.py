"""Render the gateway's configuration: one template, whether Envoy runs here or in Kubernetes."""

import re
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

import msgspec
import yaml

from fleet import gateway_documents, gateway_play, gateway_replies
from fleet.gateway_documents import Documents
from fleet.gateway_values import (
    Address,
    Bodies,
    GatewayValues,
    Limit,
    Limits,
    Timeouts,
    Upstreams,
)
from fleet.home import repository
from fleet.ports import Ports

__all__ = [
    "DRAIN_PATHS",
    "STOP_PATH",
    "Address",
    "Bodies",
    "Documents",
    "GatewayError",
    "GatewayValues",
    "Limit",
    "Limits",
    "Timeouts",
    "Upstreams",
    "command",
    "configuration",
    "render",
    "values_for",
]

# what an administrator asks Envoy for, in this order, before it is stopped: say "not ready", then
# let connections finish; a mere SIGTERM would drop the requests in flight
DRAIN_PATHS = ("/healthcheck/fail", "/drain_listeners?graceful&skip_exit")
STOP_PATH = "/quitquitquit"
# a header's value is a format string to Envoy: what follows a per cent sign would be evaluated
_FROM_OUTSIDE = r"%ENVIRONMENT\([A-Z_]+\)%"
_SECRET = re.compile(rf"[A-Za-z0-9._~+/=-]{{16,}}|{_FROM_OUTSIDE}")
_NAME = re.compile(rf"[A-Za-z0-9._-]+|{_FROM_OUTSIDE}")
_EXPORTED = re.compile(r"[A-Z][A-Z0-9_]*")

type Rendered = dict[str, Any]


class GatewayError(Exception):
    """The values make no configuration; the message says which one."""


def values_for(
    ports: Ports,
    *,
    fleet_secret: str,
    allowed_origins: Sequence[str],
    access_log: Path,
    limits: Limits | None = None,
    play_origin: str = "",
    play_port: int | None = None,
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
        play_origin=play_origin or gateway_play.by_name(ports.gateway),
        play_port=play_port,
        limits=limits or Limits(),
        documents=Documents(openapi=docs / "openapi.json", asyncapi=docs / "asyncapi.json"),
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
    if not _SECRET.fullmatch(values.fleet_secret):
        raise GatewayError("fleet_secret: 16 letters and digits or more, or %ENVIRONMENT(NAME)%.")
    if not _NAME.fullmatch(values.name):
        raise GatewayError("name: letters and digits, or %ENVIRONMENT(NAME)%.")
    where = _play(values)
    files = gateway_documents.place(values.documents, source / "docs", target_dir / "documents")
    plain = _placeholders(values) | files | gateway_play.placeholders(where)
    replies = _load(source / "replies.yaml", plain)["replies"]
    routes = _load(source / "routes.yaml", plain)["route_config"]
    routes, games = gateway_play.route_configs(routes, values.play_port)
    parts = {
        "CLUSTERS": _load(source / "clusters.yaml", plain)["clusters"],
        "ROUTES": routes,
        "ACCESS_LOG": _load(source / "access_log.yaml", plain)["access_log"],
        "REPLIES": gateway_replies.mappers(replies),
        "PREPARE": (source / "prepare.lua").read_text(),
    }
    loaded = _load(source / "envoy.yaml", plain | parts)
    listeners = loaded["static_resources"]["listeners"]
    if games is not None and values.play_port is not None:
        listeners.append(gateway_play.listener(listeners[0], games, values.play_port))
    return loaded


def _play(values: GatewayValues) -> gateway_play.Place:
    where = gateway_play.place(values.play_origin)
    if where is None:
        raise GatewayError("play_origin: http or https, a name in small letters, perhaps a port.")
    if re.fullmatch(_origins(values.allowed_origins), values.play_origin):
        raise GatewayError("play_origin: is among allowed_origins; a game could act as an editor.")
    return where


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
        # the first says the whole path of a refused request, with its query; the second says
        # at every question that auth is away
        "--component-log-level": "http:critical,config:error",
        # so that a line is in the log when somebody looks for it
        "--file-flush-interval-msec": "500",
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
        "GATEWAY_NAME": values.name,
        "FLEET_SECRET": values.fleet_secret,
        "TOKEN_ISSUER": values.token_issuer,
        "TOKEN_AUDIENCE": values.token_audience,
        "TOKEN_LIFETIME_MAX": _seconds(values.token_lifetime_s_max),
        "JWKS_CACHE": _seconds(values.jwks_cache_s),
        "REVOKED_REFRESH": _seconds(values.revoked_refresh_s),
        "REVOKED_FIRST": _seconds(values.revoked_first_s),
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
