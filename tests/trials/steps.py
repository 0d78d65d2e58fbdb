"""What a writer does, one step at a time."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.trials.desk import Reply
from tests.trials.ledger import Removal, Span
from tests.trials.reading import look, read
from tests.trials.writer import Writer

type Step = Callable[[Writer], Awaitable[None]]

_THINKS_S = 0.04
_AWAY_S = 0.05
_AGAIN_S = 0.2
_TRIES = 200


async def show(writer: Writer) -> None:
    """Read."""
    await read(writer)


async def change(writer: Writer) -> None:
    """Change what was read, if it is still so."""
    since = writer.ledger.now()
    if not await read(writer):
        return
    await _think(writer)
    base, content = writer.seen, writer.edited(writer.seen)
    path = writer.file(writer.place.path)

    async def call() -> tuple[Reply, Span]:
        return await writer.ask("PUT", path, sends={"content": content}, if_match=f'"{writer.tag}"')

    writer.expect(await writer.write(content, base, call), since, 412)


async def put(writer: Writer) -> None:
    """Leave a content, whatever is there now."""
    if writer.dice.random() < 1 / 2:
        await read(writer)
        await _think(writer)
    await _put(writer, writer.edited(writer.seen))


async def again(writer: Writer) -> None:
    """Leave the same once more."""
    if writer.last:
        await _put(writer, writer.last)


async def _put(writer: Writer, content: str) -> None:
    async with writer.place.staying() as path:

        async def call() -> tuple[Reply, Span]:
            return await writer.ask("PUT", writer.file(path), sends={"content": content})

        writer.expect(await writer.write(content, None, call), writer.ledger.now())


async def batch(writer: Writer) -> None:
    """Change the file together with another one."""
    since = writer.ledger.now()
    if not await read(writer):
        return
    await _think(writer)
    base = writer.seen if writer.dice.random() < 1 / 2 else None
    content = writer.edited(writer.seen)
    async with writer.place.staying() as path:
        step = {"op": "upsert", "path": path, "content": content}
        if base is not None:
            step["ifMatch"] = f'"{writer.tag}"'
        side = {"op": "upsert", "path": f"{path}.side", "content": content}
        operations = writer.dice.sample([step, side], 2)

        async def call() -> tuple[Reply, Span]:
            address = f"/projects/{writer.project}/files/batch"
            return await writer.ask("POST", address, sends={"operations": operations})

        writer.expect(await writer.write(content, base, call), since, 412)


async def restore(writer: Writer) -> None:
    """Let the file be what it was."""
    async with writer.place.staying() as path:
        if not writer.place.versions:
            return
        since = writer.ledger.now()
        version = writer.dice.choice(list(writer.place.versions))
        content = writer.place.versions[version]

        async def call() -> tuple[Reply, Span]:
            address = f"/projects/{writer.project}/restore-file"
            return await writer.ask("POST", address, sends={"path": path, "version": version})

        writer.expect(await writer.write(content, None, call), since)


async def move(writer: Writer) -> None:
    """Give the file another path."""
    async with writer.place.moving() as path:
        folder, _, name = path.rpartition("/")
        to = f"{folder}/{'b' if name == 'a.txt' else 'a'}.txt"
        operations = [{"op": "move", "path": path, "to": to}]
        since = writer.ledger.now()
        address = f"/projects/{writer.project}/files/batch"
        reply, _ = await writer.ask("POST", address, sends={"operations": operations})
        while not reply.is_done and not reply.is_refused:
            await asyncio.sleep(_AGAIN_S)
            reply, _ = await writer.ask("POST", address, sends={"operations": operations})
        writer.expect(reply, since)
        if reply.is_done or await _is_there(writer, to):
            writer.place.moved(to)
            writer.ledger.note(writer.name, f"moved it to {to}")


async def _is_there(writer: Writer, path: str) -> bool:
    for _ in range(_TRIES):
        reply, _ = await writer.ask("GET", writer.file(path))
        if reply.is_done or reply.is_refused:
            return reply.is_done
        await asyncio.sleep(_AGAIN_S)
    raise AssertionError("Nobody says where the file is.")


async def recreate(writer: Writer) -> None:
    """Delete the file, and make it again."""
    if not await read(writer):
        return
    async with writer.place.staying() as path:
        trouble = writer.place.trouble()
        writer.place.was_deleted = True
        removal = Removal(span=Span(writer.ledger.now()))
        writer.ledger.remove(removal)
        reply, span = await writer.ask("DELETE", writer.file(path))
        if reply.is_refused:
            writer.ledger.withdraw([], removal)
        elif reply.is_done:
            removal.span.end, removal.is_sure = span.end, True
        await asyncio.sleep(writer.dice.uniform(0, _AWAY_S))
        content = writer.edited(writer.seen)

        async def call() -> tuple[Reply, Span]:
            return await writer.ask("POST", writer.file(path), sends={"content": content})

        for _ in range(_TRIES):
            made = await writer.write(content, None, call)
            # somebody else may have been quicker
            if made.is_done or made.status == 409:
                break
            writer.expect(made, trouble.begin)
            await asyncio.sleep(_AGAIN_S)
        trouble.end = writer.ledger.now()


async def _think(writer: Writer) -> None:
    await asyncio.sleep(writer.dice.uniform(0, _THINKS_S))


# and how often each of it
STEPS: list[tuple[Step, int]] = [
    (show, 24),
    (change, 34),
    (put, 14),
    (again, 3),
    (batch, 8),
    (restore, 4),
    (look, 6),
    (move, 4),
    (recreate, 3),
]
