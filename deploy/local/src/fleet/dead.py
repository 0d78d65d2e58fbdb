"""Events that could not be acted upon: list them, or send them again.

``python -m fleet.dead`` lists them; ``python -m fleet.dead replay <number>...`` sends some again to
whom they were for. Who acted on one before passes over it: every service remembers the ids.
"""

import asyncio
import sys
from collections.abc import AsyncIterator

import nats
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from fleet import plan, secrets, settings
from fleet.context import Context
from fleet.home import find
from fleet.ports import kept
from fleet.stores.nats import url

STREAM = "DEAD"
# dead.<consumer>.<subject of the event>
PREFIXES = 2


def main() -> int:
    """Do what the arguments say; NATS must be running."""
    match sys.argv[1:]:
        case []:
            return asyncio.run(_with_stream(()))
        case ["replay", *numbers] if numbers and all(number.isdigit() for number in numbers):
            return asyncio.run(_with_stream(tuple(int(number) for number in numbers)))
        case _:
            sys.exit(__doc__)


async def _with_stream(numbers: tuple[int, ...]) -> int:
    context = _context()
    client = await nats.connect(
        url(context),
        user="admin",
        password=context.secrets.nats["admin"],
        allow_reconnect=False,
    )
    try:
        stream = client.jetstream()
        await (_replay(stream, numbers) if numbers else _list(stream))
    finally:
        await client.close()
    return 0


async def _list(stream: JetStreamContext) -> None:
    async for letter in _letters(stream):
        headers = letter.headers or {}
        consumer = headers.get("Worldloom-Consumer", "")
        sys.stdout.write(f"{letter.seq}  {consumer}  {_subject(letter)}\n")
        sys.stdout.write(f"    {headers.get('Worldloom-Error', '')}\n")


async def _letters(stream: JetStreamContext) -> AsyncIterator[RawStreamMsg]:
    state = (await stream.stream_info(STREAM)).state
    if not state.messages:
        return
    for number in range(state.first_seq, state.last_seq + 1):
        try:
            yield await stream.get_msg(STREAM, number)
        except NotFoundError:
            continue


async def _replay(stream: JetStreamContext, numbers: tuple[int, ...]) -> None:
    for number in numbers:
        letter = await stream.get_msg(STREAM, number)
        # without an id, for the stream would take it for the one that it has seen
        await stream.publish(_subject(letter), letter.data or b"")
        await stream.delete_msg(STREAM, number)
        sys.stdout.write(f"{number}  sent again: {_subject(letter)}\n")


def _subject(letter: RawStreamMsg) -> str:
    return ".".join((letter.subject or "").split(".")[PREFIXES:])


def _context() -> Context:
    given = settings.read()
    home = find(given)
    return plan.context(home, kept(home.ports), secrets.read(home.secrets), given)


if __name__ == "__main__":
    sys.exit(main())
