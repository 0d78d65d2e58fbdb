"""``GET /users/me``: how it is driven, and that every answer is the right one."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

from benchmarks.auth.people import Person, Service
from benchmarks.harness import wrk
from benchmarks.harness.cases import BadAnswerError
from benchmarks.harness.ours import gateway_headers

PATH = "/api/v1/users/me"
_SAMPLE_EVERY_S = 0.1
_TIMEOUT_S = 15.0


class Sampled(msgspec.Struct):
    """What was asked beside the load."""

    requests: int = 0
    fault: str = ""


def plan(service: Service, folder: Path) -> Path:
    """Write down whose account is asked for, in which order."""
    asked = [
        wrk.Request("GET", PATH, "", gateway_headers(service.secret, who.id))
        for who in service.people
    ]
    return wrk.write_plan(folder / "users-me.plan", asked)


def check(client: httpx.Client, service: Service, who: Person) -> None:
    """Ask for somebody's account; raises ``BadAnswerError`` where it is not theirs."""
    headers = gateway_headers(service.secret, who.id)
    answer = client.get(service.url + PATH, headers=headers, timeout=_TIMEOUT_S)
    try:
        data = answer.raise_for_status().json()["data"]
        found = (data["id"], data["email"], data["username"])
    except (httpx.HTTPError, KeyError) as exc:
        raise BadAnswerError(f"GET {PATH}: {exc!r}") from exc
    if found != (str(who.id), who.email, who.username):
        raise BadAnswerError(f"GET {PATH}: {found} for {who.id}")


@contextmanager
def checking(service: Service) -> Iterator[Sampled]:
    """Ask now and then while the load is on, and check every answer."""
    sampled = Sampled()
    over = threading.Event()
    chance = random.Random(time.time_ns())  # noqa: S311 - test data, not a secret

    def work() -> None:
        with httpx.Client() as client:
            while not over.wait(_SAMPLE_EVERY_S) and not sampled.fault:
                try:
                    check(client, service, chance.choice(service.people))
                except (BadAnswerError, httpx.HTTPError) as exc:
                    sampled.fault = repr(exc)
                sampled.requests += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield sampled
    finally:
        over.set()
        thread.join()
