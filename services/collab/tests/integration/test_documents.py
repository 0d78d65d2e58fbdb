"""Documents as clients of y-protocols see them."""

import asyncio
import random
import signal

from collab.yjs.updates import state_vector
from common.ids import uuid7


async def test_a_document_begins_with_the_text_of_its_file(desk):
    project = await desk.project()
    await desk.write(project, "src/main.ts", "let a = 1;\n")
    client = await desk.open(project, "src/main.ts", desk.owner)
    assert str(client.text) == "let a = 1;\n"


async def test_many_who_begin_it_at_once_see_the_text_once(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "once")
    clients = await asyncio.gather(*[desk.open(project, "a.txt", desk.owner) for _ in range(8)])
    assert {str(client.text) for client in clients} == {"once"}


async def test_what_one_types_the_others_see(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "bc")
    one = await desk.open(project, "a.txt", desk.owner)
    two = await desk.open(project, "a.txt", desk.editor)
    await one.type(0, "a")
    await two.until_text("abc")
    await two.type(3, "d")
    await one.until_text("abcd")


async def test_three_who_type_at_random_converge(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "the quick brown fox\n" * 5)
    users = [desk.owner, desk.editor, desk.owner]
    clients = [await desk.open(project, "a.txt", user) for user in users]
    dice = random.Random(7)  # noqa: S311 - the same dice in every run

    async def types(client):
        for _ in range(80):
            size = len(str(client.text))
            at = dice.randrange(size + 1)
            if size > 20 and dice.random() < 0.3:
                start = dice.randrange(size - 5)
                await client.cut(start, start + 5)
            else:
                await client.type(at, dice.choice("abcdefgh") * dice.randrange(1, 4))
            await asyncio.sleep(dice.random() * 0.01)

    await asyncio.gather(*[types(client) for client in clients])
    for client in clients:
        await client.sync()
    late = await desk.open(project, "a.txt", desk.viewer)
    texts = {str(client.text) for client in [*clients, late]}
    states = [state_vector(client.doc.get_state()) for client in [*clients, late]]
    assert len(texts) == 1
    assert all(state == states[0] for state in states)


async def test_a_viewer_reads_and_may_not_type(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "calm")
    viewer = await desk.open(project, "a.txt", desk.viewer)
    owner = await desk.open(project, "a.txt", desk.owner)
    await viewer.type(0, "storm, ")
    await viewer.until(lambda: viewer.denied)
    await owner.type(4, " sea")
    await viewer.until(lambda: "sea" in str(viewer.text))
    await owner.sync()
    assert str(owner.text) == "calm sea"
    assert str((await desk.open(project, "a.txt", desk.owner)).text) == "calm sea"


async def test_what_was_acknowledged_survives_a_kill(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    client = await desk.open(project, "a.txt", desk.owner)
    for number in range(50):
        await client.type(len(str(client.text)), f"{number} ")
    await client.sync()
    expected = str(client.text)
    await desk.collab.end(signal.SIGKILL)
    await desk.collab.start()
    again = await desk.open(project, "a.txt", desk.owner)
    assert str(again.text) == expected


async def test_a_restart_in_order_says_so(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    client = await desk.open(project, "a.txt", desk.owner)
    room = await desk.room(project, desk.owner)
    await client.type(0, "kept")
    assert await desk.collab.end() == 0
    assert await client.closed() == 1012
    assert await room.closed() == 1012
    await desk.collab.start()
    assert str((await desk.open(project, "a.txt", desk.owner)).text) == "kept"


async def test_a_write_over_http_becomes_a_small_change(desk):
    project = await desk.project()
    lines = [f"line {number}\n" for number in range(200)]
    await desk.write(project, "a.txt", "".join(lines))
    client = await desk.open(project, "a.txt", desk.owner)
    sizes = []
    watching = client.doc.observe(lambda event: sizes.append(len(event.update)))
    lines[100] = "line 100 is änother 😀\n"
    await desk.write(project, "a.txt", "".join(lines))
    await client.until_text("".join(lines))
    client.doc.unobserve(watching)
    assert sum(sizes) < 200
    late = await desk.open(project, "a.txt", desk.editor)
    assert str(late.text) == "".join(lines)


async def test_a_write_while_nobody_looked_is_there_afterwards(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one\n")
    client = await desk.open(project, "a.txt", desk.owner)
    await client.type(0, "zero\n")
    await client.sync()
    await client.socket.close()
    await asyncio.sleep(1.2)  # it leaves memory
    await desk.write(project, "a.txt", "zero\none\ntwo\n")
    await asyncio.sleep(0.5)
    again = await desk.open(project, "a.txt", desk.owner)
    await again.until_text("zero\none\ntwo\n")


async def test_a_move_keeps_the_document_and_its_readers(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "text")
    client = await desk.open(project, "a.txt", desk.owner)
    await client.type(4, "!")
    await client.sync()
    operations = [{"op": "move", "path": "a.txt", "to": "b.txt"}]
    room = await desk.room(project, desk.owner)
    await desk.rest("POST", f"/projects/{project}/files/batch", json={"operations": operations})
    await room.frame(type="file-moved", path="a.txt", to="b.txt")
    other = await desk.open(project, "b.txt", desk.editor)
    assert str(other.text) == "text!"
    await client.type(0, "my ")
    await other.until_text("my text!")


async def test_a_deleted_file_ends_its_document(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "text")
    client = await desk.open(project, "a.txt", desk.owner)
    await desk.rest("DELETE", f"/projects/{project}/files/a.txt")
    assert await client.closed() == 4404
    await desk.write(project, "a.txt", "new")
    assert str((await desk.open(project, "a.txt", desk.owner)).text) == "new"


async def test_there_is_no_document_without_a_file(desk):
    project = await desk.project()
    ticket = desk.auth.ticket(desk.owner)
    socket = await desk.connect(f"/documents/{project}/none.txt?ticket={ticket}")
    await socket.wait_closed()
    assert socket.close_code == 4404


async def test_awareness_carries_the_identity_that_the_server_knows(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    one = await desk.open(project, "a.txt", desk.owner)
    two = await desk.open(project, "a.txt", desk.viewer)
    await two.speak(5, 1, {"user": {"name": "Ann", "id": str(desk.owner)}, "cursor": 3})
    await one.until(lambda: 5 in one.awareness)
    assert one.awareness[5]["user"] == {"name": "Ann", "id": str(desk.viewer)}
    await one.speak(5, 2, {"user": {"name": "Mallory"}})
    await one.speak(6, 1, {"user": {"name": "Bob"}})
    await two.until(lambda: 6 in two.awareness)
    assert two.awareness[5]["user"]["name"] == "Ann"
    await two.socket.close()
    await one.until(lambda: one.awareness[5] is None)


async def test_garbage_closes_its_sender_alone(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "calm")
    good = await desk.open(project, "a.txt", desk.owner)
    for junk in (b"\x00\x02\x05\xff\xff\xff\xff\x7f", b"\x00\x07\x00", b"\x01\xff", b"\x00", b""):
        bad = await desk.open(project, "a.txt", desk.editor)
        await bad.socket.send(junk)
        assert await bad.closed() == 4400
    await good.type(0, "so ")
    await good.sync()
    assert str((await desk.open(project, "a.txt", desk.editor)).text) == "so calm"


async def test_too_many_frames_are_cut_off(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    client = await desk.open(project, "a.txt", desk.owner)
    for _ in range(1_500):
        await client.socket.send(b"\x03")
    assert await client.closed() == 4429


async def test_a_frame_too_large_is_refused(desk):
    project = await desk.project()
    guest = await desk.room(project, desk.owner)
    await guest.socket.send('{"type": "' + "x" * 100_000 + '"}')
    assert await guest.closed() == 1009


async def test_somebody_who_is_unknown_sees_no_document(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    ticket = desk.auth.ticket(uuid7())
    socket = await desk.connect(f"/documents/{project}/a.txt?ticket={ticket}")
    await socket.wait_closed()
    assert socket.close_code == 4404
