"""Where the gateway lets games be played: a host of their own, or a port of their own."""

import copy
import re
from collections.abc import Sequence
from typing import Any

import msgspec

_ORIGIN = re.compile(r"(https?)://([a-z0-9-]+(?:\.[a-z0-9-]+)*)(:\d{1,5})?")
_HOST = "play"

type Rendered = dict[str, Any]


class Place(msgspec.Struct, frozen=True):
    """An origin, taken apart; ``at`` is its host with its port, if it has one."""

    scheme: str
    host: str
    at: str


def by_name(port: int) -> str:
    """Return the origin of games beside a gateway on this machine."""
    return f"http://play.localhost:{port}"


def place(origin: str) -> Place | None:
    """Take an origin apart; ``None`` for what is none."""
    found = _ORIGIN.fullmatch(origin)
    return Place(found[1], found[2], f"{found[2]}{found[3] or ''}") if found else None


def placeholders(where: Place) -> Rendered:
    """Return what the routes say of the place."""
    return {
        "PLAY_SCHEME": where.scheme,
        "PLAY_PLACE": where.at,
        # what stands in front of the gateway may have the name on another port
        "PLAY_DOMAINS": [where.host, f"{where.host}:*"],
    }


def route_configs(routes: Rendered, port: int | None) -> tuple[Rendered, Rendered | None]:
    """Return the routes of the gateway's listener, and those of the games' if they have their own.

    There every host is theirs, and on the gateway's no host is.
    """
    if port is None:
        return routes, None
    hosts: Sequence[Rendered] = routes["virtual_hosts"]
    games = [host | {"domains": ["*"]} for host in hosts if host["name"] == _HOST]
    others = [host for host in hosts if host["name"] != _HOST]
    return routes | {"virtual_hosts": others}, routes | {"name": _HOST, "virtual_hosts": games}


def listener(gateways: Rendered, routes: Rendered, port: int) -> Rendered:
    """Return a listener with the same chain as the gateway's, for games alone."""
    made = copy.deepcopy(gateways)
    made["name"] = _HOST
    made["address"]["socket_address"]["port_value"] = port
    manager = made["filter_chains"][0]["filters"][0]["typed_config"]
    manager |= {"stat_prefix": _HOST, "route_config": routes}
    return made
