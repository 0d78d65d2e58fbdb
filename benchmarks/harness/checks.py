"""A measurement counts only if the answers are right: before it, while it lasts, and after it."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import httpx
import msgspec

from benchmarks.harness import database
from benchmarks.harness.cases import READ_FILE, Ask, BadAnswerError, Case, content_with
from benchmarks.harness.contender import Contender
from benchmarks.harness.world import FILES_PER_PROJECT, PROJECTS, STRANGER, World
from benchmarks.harness.wrk import Drive

_ASKED_BEFORE = 20
_SAMPLE_EVERY_S = 0.1
_TIMEOUT_S = 15.0
# what comes over the wire is longer than the bodies, by the headers, and never shorter
_SHORTEST = 0.95
_RIGHT = (HTTPStatus.OK, HTTPStatus.CREATED)
_UNSEEN = (HTTPStatus.NOT_FOUND,)
# the gateway drops a forged identity and lets anybody ask for what may be public
_UNKNOWN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)


class Sampled(msgspec.Struct):
    """What was asked beside the load."""

    requests: int = 0
    body_bytes: int = 0
    fault: str = ""


def asks(world: World, seed: int) -> Iterator[Ask]:
    """Ask for every file of every project in some order, for ever; owner and editor take turns."""
    chance = random.Random(seed)  # noqa: S311 - test data, not a secret
    pairs = [(p, f) for p in range(PROJECTS) for f in range(FILES_PER_PROJECT)]
    while True:
        chance.shuffle(pairs)
        for number, (project, file) in enumerate(pairs):
            members = (world.projects[project].owner, world.projects[project].editor)
            yield Ask(members[number % 2], project, file)


def send(
    client: httpx.Client, contender: Contender, world: World, case: Case, ask: Ask, stamp: str = ""
) -> httpx.Response:
    """Send one request of a case."""
    body = {"content": content_with(world, ask, stamp)} if case.writes else None
    return client.request(
        case.method,
        contender.url + case.url_path(world, contender, ask),
        headers=contender.identify(world.users[ask.user]),
        json=body,
        timeout=_TIMEOUT_S,
    )


def checked(
    client: httpx.Client, contender: Contender, world: World, case: Case, ask: Ask
) -> httpx.Response:
    """Send one request of a case, and see that the answer is the right one."""
    stamp = str(time.time_ns())
    answer = send(client, contender, world, case, ask, stamp)
    try:
        case.check(world, ask, stamp, _data(answer))
    except (BadAnswerError, KeyError, TypeError, msgspec.DecodeError) as exc:
        raise BadAnswerError(f"{contender.name}, {case.name}: {exc!r}") from exc
    return answer


def _data(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code not in _RIGHT:
        raise BadAnswerError(f"status {answer.status_code}: {answer.text[:200]}")
    body = msgspec.json.decode(answer.content)
    if body["success"] is not True or not body["meta"]["requestId"]:
        raise BadAnswerError(f"the envelope is {answer.text[:200]}")
    data: dict[str, Any] = body["data"]
    return data


def before(contender: Contender, world: World, case: Case) -> None:
    """Ask for some things as those who may, and once as each of those who may not."""
    some = asks(world, seed=1)
    with httpx.Client() as client:
        for _ in range(_ASKED_BEFORE):
            ask = next(some)
            checked(client, contender, world, case, ask)
            if case.writes:
                checked(client, contender, world, READ_FILE, ask)
        ask = next(some)
        refused = send(client, contender, world, case, Ask(STRANGER, ask.project, ask.file))
        _refused(contender, case, refused, _UNSEEN)
        nobody = msgspec.structs.replace(contender, identify=lambda user: {"x-user-id": str(user)})
        refused = send(client, nobody, world, case, ask)
        _refused(contender, case, refused, _UNKNOWN)


def _refused(
    contender: Contender, case: Case, found: httpx.Response, right: tuple[HTTPStatus, ...]
) -> None:
    if found.status_code not in right:
        raise BadAnswerError(
            f"{contender.name}, {case.name}: {found.status_code} for somebody who may not"
        )


@contextmanager
def during(contender: Contender, world: World, case: Case) -> Iterator[Sampled]:
    """Ask now and then while the load is on, and check every answer."""
    sampled = Sampled()
    over = threading.Event()

    def work() -> None:
        some = asks(world, seed=time.time_ns())
        with httpx.Client() as client:
            while not over.wait(_SAMPLE_EVERY_S) and not sampled.fault:
                try:
                    answer = checked(client, contender, world, case, next(some))
                except (BadAnswerError, httpx.HTTPError) as exc:
                    sampled.fault = f"{contender.name}, {case.name}: {exc!r}"
                else:
                    sampled.requests += 1
                    sampled.body_bytes += len(answer.content)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield sampled
    finally:
        over.set()
        thread.join()


def after(contender: Contender, case: Case, drive: Drive, sampled: Sampled, in_flight: int) -> None:
    """See that nothing was refused or cut short, and that every write left one event."""
    where = f"{contender.name}, {case.name}"
    if sampled.fault or not sampled.requests:
        raise BadAnswerError(sampled.fault or f"{where}: no answer was checked")
    if drive.refused or drive.broken or not drive.requests:
        raise BadAnswerError(
            f"{where}: of {drive.requests} requests {drive.refused} were refused, "
            f"{drive.broken} connections broke"
        )
    mean = sampled.body_bytes / sampled.requests
    if drive.bytes / drive.requests < mean * _SHORTEST:
        raise BadAnswerError(f"{where}: answers are shorter than {mean:.0f} bytes")
    if case.writes:
        # wrk hangs up at the end: what was in flight then is written and not counted
        events = database.settled(contender) - sampled.requests
        if not drive.requests <= events <= drive.requests + in_flight:
            raise BadAnswerError(f"{where}: {drive.requests} writes left {events} events")
