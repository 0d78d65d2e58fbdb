"""Who vanishes without a word: the machine lost its network, and nobody closes the connection."""

import asyncio
import time
from urllib.parse import quote
from uuid import UUID

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from collab.yjs import messages
from fleet.ports import LOOPBACK
from tests.trials.desk import Desk
from tests.trials.stage import Stage
from tests.trials.trial import gathered
from tests.wire import wire

_PATH = "live/a.txt"
_CLIENT = 4711
# who is not heard of for so long is gone
LIFETIME_S = 60.0
_WITHIN_S = 2 * LIFETIME_S


async def vanish(desk: Desk, stage: Stage) -> dict[str, float]:
    """Let somebody vanish; return after how many seconds the others knew, in room and document."""
    team = await gathered(desk)
    stays, goes = team.typists[:2]
    file = f"/projects/{team.project}/files/{quote(_PATH)}"
    await desk.sure(team.writers[0], "PUT", file, sends={"content": "text"})
    here, there = stage.collabs
    room, document = f"projects/{team.project}", f"documents/{team.project}/{quote(_PATH)}"
    async with wire(there.socket_port) as network:
        watching = [await _opened(stage, here.socket_port, way, stays) for way in (room, document)]
        vanishing = [await _opened(stage, network.port, way, goes) for way in (room, document)]
        for socket in (watching[0], vanishing[0]):
            await socket.send('{"id": 1, "type": "join-project"}')
        state = msgspec.json.encode({"cursor": 1})
        seen = asyncio.create_task(_awareness(watching[1], is_there=True))
        await vanishing[1].send(messages.awareness([(_CLIENT, 1, state)])[2:])
        await seen
        began = time.monotonic()
        network.freeze()
        looking = {
            "in the room": asyncio.create_task(_left(watching[0], goes, began)),
            "in the document": asyncio.create_task(_gone(watching[1], began)),
        }
        await asyncio.wait(looking.values(), timeout=_WITHIN_S)
        for task in looking.values():
            task.cancel()
        await asyncio.gather(*looking.values(), return_exceptions=True)
        return {n: _WITHIN_S if t.cancelled() else t.result() for n, t in looking.items()}


async def _opened(stage: Stage, port: int, way: str, user: UUID) -> ClientConnection:
    ticket = stage.auth.ticket(user)
    return await connect(
        f"ws://{LOOPBACK}:{port}/collab/v1/{way}?ticket={ticket}",
        additional_headers={"x-fleet-secret": stage.secret},
        proxy=None,
        # neither side speaks unless it is asked: this one least of all
        ping_interval=None,
    )


async def _left(room: ClientConnection, user: UUID, since: float) -> float:
    while True:
        frame = msgspec.json.decode(await room.recv())
        if frame.get("type") == "user-left" and frame.get("userId") == str(user):
            return time.monotonic() - since


async def _gone(document: ClientConnection, since: float) -> float:
    await _awareness(document, is_there=False)
    return time.monotonic() - since


async def _awareness(document: ClientConnection, *, is_there: bool) -> None:
    while True:
        message = await document.recv()
        if isinstance(message, bytes) and message[0] == messages.AWARENESS:
            states = {client: state for client, _, state in messages.read_awareness(message)}
            if _CLIENT in states and (states[_CLIENT] != b"null") is is_there:
                return
