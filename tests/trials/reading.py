"""The ways in which a writer reads."""

from tests.trials.writer import Writer


async def read(writer: Writer) -> bool:
    """Read the file, in one of the ways; whether it was read."""
    path = writer.place.path
    kind = writer.dice.choice(["json", "json", "raw", "known"])
    since = writer.ledger.now()
    address = writer.file(path) + ("?raw=1" if kind == "raw" else "")
    if kind == "known" and writer.tag:
        reply, span = await writer.ask("GET", address, if_none_match=f'"{writer.tag}"')
    else:
        reply, span = await writer.ask("GET", address)
    writer.expect(reply, since)
    if not reply.is_done:
        return False
    if reply.status == 304:
        writer.ledger.see(f"{writer.name}'s 304", span, writer.tag, is_hash=True)
        return True
    text = reply.text if reply.data is None else reply.data["content"]
    key = writer.ledger.know(text)
    if reply.tag != key or (reply.data is not None and reply.data["hash"] != key):
        writer.ledger.fault(f"{writer.name} reads {key[:8]}, but the tag is {reply.tag}")
    writer.ledger.note(writer.name, f"reads {key[:8]} {writer.ledger.words.spelled(text)}")
    writer.ledger.see(f"{writer.name}'s read", span, text)
    writer.seen, writer.tag = text, key
    return True


async def look(writer: Writer) -> None:
    """See the file among the others: what is typed is written back before."""
    path = writer.place.path
    folder = path.rpartition("/")[0]
    since = writer.ledger.now()
    ways = [f"tree?prefix={folder}/", f"files?prefix={folder}/&limit=100"]
    way = writer.dice.choice(ways)
    reply, span = await writer.ask("GET", f"/projects/{writer.project}/{way}")
    writer.expect(reply, since)
    if not reply.is_done:
        return
    entries = reply.data["entries"] if isinstance(reply.data, dict) else reply.data
    found = [entry["hash"] for entry in entries if entry["path"] == path]
    if found:
        writer.ledger.see(f"{writer.name}'s tree", span, found[0], is_hash=True)
    elif not writer.place.may_miss(since):
        writer.ledger.fault(f"{writer.name} does not see {path} in {reply.data}")
