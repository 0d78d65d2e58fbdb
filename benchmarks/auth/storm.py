"""Logins that never end: so many at once, each followed by the next."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import httpx
import msgspec

from benchmarks.auth.people import Person, Service, anonymous

_TIMEOUT_S = 30.0
_BEGINS_WITHIN_S = 1.0


class Logins(msgspec.Struct):
    """What came of the logins so far; refused are those that were told to come back."""

    seconds: list[float] = []
    refused: int = 0
    fault: str = ""


@contextmanager
def logins(service: Service, parallel: int) -> Iterator[Logins]:
    """Log people in, ``parallel`` of them at any time, for as long as the context lasts."""
    told = Logins()
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_storm(service, parallel, told, over)))
    thread.start()
    try:
        time.sleep(_BEGINS_WITHIN_S)
        told.seconds, told.refused = [], 0
        yield told
    finally:
        over.set()
        thread.join()


async def _storm(service: Service, parallel: int, told: Logins, over: threading.Event) -> None:
    limits = httpx.Limits(max_connections=parallel)
    async with httpx.AsyncClient(base_url=service.url, timeout=_TIMEOUT_S, limits=limits) as client:
        people = service.people
        chosen = [people[number % len(people)] for number in range(parallel)]
        await asyncio.gather(*[_again(client, service, one, told, over) for one in chosen])


async def _again(
    client: httpx.AsyncClient,
    service: Service,
    who: Person,
    told: Logins,
    over: threading.Event,
) -> None:
    sends = {"login": who.email, "password": who.password, "tokenDelivery": "body"}
    headers = anonymous(service.secret)
    while not over.is_set() and not told.fault:
        began = time.perf_counter()
        try:
            answer = await client.post("/api/v1/auth/login", json=sends, headers=headers)
            if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
                told.refused += 1
                await asyncio.sleep(float(answer.headers["retry-after"]))
                continue
            found = answer.raise_for_status().json()["data"]["user"]["id"]
        except (httpx.HTTPError, KeyError) as exc:
            told.fault = f"A login failed: {exc!r}"
            return
        if found != str(who.id):
            told.fault = f"{who.id} logged in, and {found} was let in"
        told.seconds.append(time.perf_counter() - began)
