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
    """Return the origin of games: a name of their own, unless the settings say another place."""
    return context.settings.play_origin or gateway_play.by_name(context.ports.gateway)


def port(settings: FleetSettings) -> int | None:
    """Return the port that is the games' alone, where no name tells them from the gateway."""
    given = urlsplit(settings.play_origin)
    return given.port if given.hostname in {"localhost", LOOPBACK} else None


def is_found(settings: FleetSettings) -> bool:
    """Say whether a browser on this machine finds the name."""
    name = urlsplit(settings.play_origin).hostname
    if name is None or name == "localhost" or name.endswith(_HERE):
        return True
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        return False
    return True


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
