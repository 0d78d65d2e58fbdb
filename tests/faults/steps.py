"""What a client does with files, one step at a time, and what it then knows."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.faults.client import Client
from tests.faults.ledger import SHARED, TOGETHER, digest

type Step = Callable[[Client], Awaitable[None]]

_NAMES = 12
_THINKS_S = 0.2
_FOLDERS = ("a", "b", "c")
_BASE = "based on "
QUICKER = "refused: another was quicker"


async def write(client: Client) -> None:
    """Leave new content in an own file, or make one."""
    path = f"{client.prefix}f{client.dice.randrange(_NAMES)}.txt"
    text = client.content()
    after = client.now | {path: digest(text)}
    here = client.now.get(path)
    is_post = here is None and client.dice.random() < 1 / 2
    condition = {"if-match": f'"{here}"'} if here else {}
    headers = {"idempotency-key": client.door.key()} if is_post else condition
    reply = await client.door.ask(
        "POST" if is_post else "PUT",
        client.file(path),
        sends={"content": text},
        look=client.looking(after),
        headers=headers,
    )
    # a repeated PUT finds its own content there; a repeated POST is answered as at first
    again = {200} if reply.lost and not is_post else set()
    right = ({200} if here else {201}) | again
    if not client.expect(reply, right, f"{'POST' if is_post else 'PUT'} {path}"):
        return
    if reply.data.get("unchanged") and not reply.lost:
        client.tally.fault("wrong answers", f"{path} was not there yet, and is unchanged")
    client.tally.counts["writes"] += 1
    client.tally.counts["repeated, and found done"] += bool(
        reply.data.get("unchanged") or "idempotency-replayed" in reply.headers
    )
    client.settle({path: digest(text)})


async def remove(client: Client) -> None:
    """Let an own file go."""
    own = [path for path in client.now if "/m/" not in path]
    if not own:
        return
    path = client.dice.choice(own)
    after = {name: content for name, content in client.now.items() if name != path}
    headers = {"if-match": f'"{client.now[path]}"'} if client.dice.random() < 1 / 2 else {}
    reply = await client.door.ask(
        "DELETE", client.file(path), look=client.looking(after), headers=headers
    )
    # who repeats it finds that it is gone
    right = {204, 404, 412} if reply.lost else {204}
    if client.expect(reply, right, f"DELETE {path}"):
        client.tally.counts["deletions"] += 1
        client.settle({path: None})


async def move(client: Client) -> None:
    """Give an own file another path."""
    own = [path for path in client.now if "/m/" not in path]
    free = [f"{client.prefix}f{n}.txt" for n in range(_NAMES)]
    free = [path for path in free if path not in client.now]
    if not own or not free:
        return
    path, to = client.dice.choice(own), client.dice.choice(free)
    content = client.now[path]
    after = {n: c for n, c in client.now.items() if n != path} | {to: content}
    reply = await client.batch([{"op": "move", "path": path, "to": to}], after)
    if client.expect(reply, {200}, f"move {path}"):
        client.tally.counts["moves"] += 1
        client.settle({path: None, to: content})


async def group(client: Client) -> None:
    """Write an own folder's files all at once, move the folder, both, or let it go."""
    inside = sorted(path for path in client.now if "/m/" in path)
    home = f"{client.prefix}m/"
    folder = inside[0].rpartition("/")[0] if inside else f"{home}{_FOLDERS[0]}"
    to = f"{home}{client.dice.choice([f for f in _FOLDERS if f'{home}{f}' != folder])}"
    kinds = ["write", "write", "move", "both", "remove"] if inside else ["write"]
    kind = client.dice.choice(kinds)
    operations: list[dict[str, str]] = []
    changes: dict[str, str | None] = {}
    if kind in {"move", "both"}:
        operations.append({"op": "move", "path": folder, "to": to})
        changes = dict.fromkeys(inside)
        changes |= {to + path[len(folder) :]: client.now[path] for path in inside}
    if kind in {"write", "both"}:
        _, contents = client.group(f"{to if kind == 'both' else folder}/")
        operations += [{"op": "upsert", "path": p, "content": t} for p, t in contents.items()]
        changes |= {path: digest(text) for path, text in contents.items()}
    if kind == "remove":
        operations.append({"op": "delete", "path": folder})
        changes = dict.fromkeys(inside)
    merged: dict[str, str | None] = {**client.now, **changes}
    after = {path: content for path, content in merged.items() if content is not None}
    reply = await client.batch(operations, after)
    if client.expect(reply, {200}, f"{kind} {folder}"):
        client.tally.counts["batches"] += 1
        client.settle(changes)


async def together(client: Client) -> None:
    """Write files all at once that others write too, or let them all go."""
    if client.dice.random() < 1 / 6:
        reply = await client.batch([{"op": "delete", "path": TOGETHER.rstrip("/")}])
        if client.expect(reply, {200, 404}, "delete together") and reply.status == 200:
            client.ledger.cleared += 1
            client.tally.counts["batches"] += 1
        return
    _, contents = client.group(TOGETHER)
    steps = [{"op": "upsert", "path": p, "content": t} for p, t in contents.items()]
    reply = await client.batch(steps)
    if client.expect(reply, {200}, "upsert together"):
        client.tally.counts["batches"] += 1
        client.ledger.together.update((path, digest(text)) for path, text in contents.items())


async def share(client: Client) -> None:
    """Change a file that others change too, on top of what was read: nobody's change is lost."""
    path = f"{SHARED}{client.dice.randrange(2)}.txt"
    seen = await client.door.ask("GET", client.file(path))
    base = seen.data["hash"] if seen.status == 200 else None
    text = client.content(f"{_BASE}{base}\n")
    client.ledger.bases[digest(text)] = base
    # long enough for another to be quicker
    await asyncio.sleep(client.dice.uniform(0, _THINKS_S))
    headers = {"if-match": f'"{base}"'} if base else {"if-none-match": "*"}
    reply = await client.door.ask(
        "PUT", client.file(path), sends={"content": text}, headers=headers
    )
    if not client.expect(reply, {200, 201, 412}, f"PUT {path}"):
        return
    if reply.status == 412:
        client.tally.counts[QUICKER] += 1
        if reply.lost:
            # or another came after it
            client.ledger.unsure.add((path, digest(text)))
        return
    client.tally.counts["writes"] += 1
    client.ledger.shared[path, digest(text)] += 1


# and how often each of it
STEPS: list[tuple[Step, int]] = [
    (write, 40),
    (remove, 8),
    (move, 8),
    (group, 14),
    (together, 14),
    (share, 12),
]
