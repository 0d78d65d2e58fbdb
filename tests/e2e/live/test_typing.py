"""Two people type in their browsers, with what editors use: CodeMirror and the provider of npm."""

import asyncio

PATH = "src/main.ts"
TEXT = "const lives = 3;\nconst speed = 5;\n"


async def test_what_two_type_at_once_is_the_same_in_both_browsers(sits, together) -> None:
    ann, ben, project = await together(PATH, TEXT)
    hers, his = await asyncio.gather(sits(ann, project, PATH), sits(ben, project, PATH))
    assert await hers.text() == await his.text() == TEXT
    await hers.select(0)
    await his.select(len(TEXT))
    above = "// whoever reads this: it was typed above\n"
    below = "// and this was typed below, at the same moment"
    await asyncio.gather(hers.type(above), his.type(below))
    for editor in (hers, his):
        await editor.until_text(above + TEXT + below)
        assert await editor.text() == above + TEXT + below


async def test_what_two_type_at_one_place_is_there_once(sits, together) -> None:
    ann, ben, project = await together(PATH, "")
    hers, his = await asyncio.gather(sits(ann, project, PATH), sits(ben, project, PATH))
    words = [f"a{number} " for number in range(40)], [f"b{number} " for number in range(40)]
    await hers.select(0)
    await his.select(0)
    await asyncio.gather(hers.type("".join(words[0])), his.type("".join(words[1])))
    size = sum(map(len, words[0] + words[1]))
    for editor in (hers, his):
        await editor.until(f"editor.text().length === {size}")
    text = await hers.text()
    await his.until_text(text)
    for typed in ("a", "b"):
        mine = [word for word in text.split() if word.startswith(typed)]
        assert mine == [f"{typed}{number}" for number in range(40)]


async def test_a_cursor_is_seen_under_the_name_and_id_that_the_server_knows(sits, together) -> None:
    ann, ben, project = await together(PATH, TEXT)
    hers = await sits(ann, project, PATH)
    his = await sits(ben, project, PATH, id=ann.user_id, name="Ben")
    await his.select(6, 11)
    await hers.until("document.querySelector('.cm-ySelection')?.textContent === 'lives'")
    [other] = await hers.ask("others()")
    assert other["user"]["id"] == ben.user_id
    assert await hers.page.inner_text(".cm-ySelectionInfo") == "Ben"
    await his.close()
    await hers.until("editor.others().length === 0")
    await hers.until("document.querySelector('.cm-ySelection') === null")


async def test_what_was_typed_without_a_network_is_merged_once_when_it_is_back(
    sits, together
) -> None:
    ann, ben, project = await together(PATH, TEXT)
    hers, his = await asyncio.gather(sits(ann, project, PATH), sits(ben, project, PATH))
    his.network.cut()
    await his.until("editor.closed.length > 0")
    await hers.select(0)
    await his.select(len(TEXT))
    await asyncio.gather(hers.type("// with a network\n"), his.type("// without one\n"))
    assert await hers.text() == "// with a network\n" + TEXT
    assert await his.text() == TEXT + "// without one\n"
    his.network.mend()
    merged = "// with a network\n" + TEXT + "// without one\n"
    for editor in (hers, his):
        await editor.until_text(merged)
    tickets = await his.ask("tickets")
    assert len(tickets) > 1
    assert len(set(tickets)) == len(tickets)
    await his.type("again")
    await hers.until_text(f"{merged}again")


async def test_who_lost_the_network_for_good_is_seen_to_leave(sits, together) -> None:
    ann, ben, project = await together(PATH, TEXT)
    hers, his = await asyncio.gather(sits(ann, project, PATH), sits(ben, project, PATH))
    await his.select(3)
    await hers.until("editor.others().length === 1")
    his.network.cut()
    await hers.until("editor.others().length === 0")
