"""Where games are played: an origin of their own, and how a program finds it."""

import socket
from typing import override
from urllib.parse import urlsplit

import httpx

from fleet import gateway_play
from fleet.context import Context
from fleet.ports import LOOPBACK
from fleet.settings import FleetSettings

# a name below this one is this machine: browsers know that, resolvers do not all
_HERE = ".localhost"


def origin(context: Context) -> str:
    """Return the origin of games of a fleet."""
    return beside(context.ports.gateway, context.settings)


def beside(gateway: int, settings: FleetSettings) -> str:
    """Return the origin of games: a name beside the gateway's, unless the settings say another."""
    return settings.play_origin or gateway_play.by_name(gateway)


def port(settings: FleetSettings) -> int | None:
    """Return the port that is the games' alone, where no name tells them from the gateway."""
    given = urlsplit(settings.play_origin)
    return given.port if given.hostname in {"localhost", LOOPBACK} else None


def fault(where: str) -> str:
    """Say what keeps a browser on this machine from the origin, and how to mend it; or nothing."""
    found = gateway_play.place(where)
    if found is None:
        return f"{where} is none: set PLAY_ORIGIN to http://<name> or http://localhost:<port>"
    if found.host == "localhost" or found.host.endswith(_HERE):
        return ""
    try:
        socket.getaddrinfo(found.host, None)
    except OSError:
        return f"{found.host} leads nowhere: give it an address, or leave PLAY_ORIGIN out"
    return ""


class Browsing(httpx.AsyncHTTPTransport):
    """Finds names below localhost on this machine, as browsers do."""

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host.endswith(_HERE):
            request = httpx.Request(
                request.method,
                request.url.copy_with(host=LOOPBACK),
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        return await super().handle_async_request(request)
