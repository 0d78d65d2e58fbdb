"""What the runner reads from the environment: where it lives, and which programs to use instead."""

import msgspec

from common.settings import load


class FleetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Every variable has a default: a laptop needs none of them."""

    worldloom_home: str = ""
    envoy_bin: str = ""
    nats_server_bin: str = ""
    weed_bin: str = ""
    postgres_bin_dir: str = ""
    redis_server_bin: str = ""
    allowed_origins: str = "http://localhost:5173,http://localhost:3000"
    # where games are played; empty: a name beside the gateway's. http://localhost:<port>: a port
    play_origin: str = ""
    # pages that a login through another provider may lead to
    oauth_redirects: str = ""
    # where builds run, and the container engine if that is in containers
    sandbox: str = "bubblewrap"
    sandbox_engine: str = "podman"
    # where builds get packages from, instead of where npm does
    npm_registry_url: str = ""
    log_level: str = "info"
    path: str = "/usr/local/bin:/usr/bin:/bin"
    home: str = "/"
    lang: str = "C.UTF-8"
    tz: str = ""


def read() -> FleetSettings:
    """Read the runner's own environment."""
    return load(FleetSettings)


def inherited(settings: FleetSettings) -> dict[str, str]:
    """Return the few variables that a child gets; nothing else of a shell leaks into the fleet."""
    given = {"PATH": settings.path, "HOME": settings.home, "LANG": settings.lang}
    return given | ({"TZ": settings.tz} if settings.tz else {})
