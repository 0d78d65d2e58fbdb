"""What differs from one gateway to the next."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from fleet.gateway_documents import Documents
from fleet.ports import LOOPBACK

MEBIBYTE = 1 << 20


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
    # no two gateways of a fleet have the same; or %ENVIRONMENT(NAME)%
    name: str = "gateway"
    listen_host: str = LOOPBACK
    token_issuer: str = "worldloom"  # noqa: S105 - the name of an issuer
    token_audience: str = "worldloom"  # noqa: S105 - the name of an audience
    token_lifetime_s_max: int = 900
    jwks_cache_s: float = 300
    # pauses between two questions for the sessions that are over last once to twice as long
    revoked_refresh_s: float = 0.025
    # how long a gateway that starts waits for the first answer
    revoked_first_s: float = 5
    # an asterisk stands for one label: https://*.example.com
    allowed_origins: Sequence[str] = ()
    # where games are played, as browsers see it: another name than the gateway's, or
    play_origin: str = "http://play.localhost:8080"
    # the same name, on a port where the gateway listens for them alone
    play_port: int | None = None
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
