"""Positions are those of yjs as npm has it: read as it reads them, made as it makes them."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pycrdt import Doc, Text

from collab.yjs.positions import Places, Position, decoded
from collab.yjs.varints import MalformedError

HERE = Path(__file__).parents[1] / "npm"
DOCUMENTS = 60


async def ask(node: str, **request: Any) -> Any:
    """Let yjs make positions, or read them."""
    running = await asyncio.create_subprocess_exec(
        node,
        "positions.mjs",
        cwd=HERE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await running.communicate(msgspec.json.encode(request))
    assert running.returncode == 0
    return msgspec.json.decode(output)


def raw(text: str) -> bytes:
    """Bytes, as JSON has them."""
    return base64.b64decode(text)


@pytest.fixture(scope="module")
async def documents(node: str) -> Any:
    """Documents that three people wrote, positions in them, and where those were later."""
    return await ask(node, make=DOCUMENTS)


def compacted(update: bytes) -> bytes:
    """The same document as small as it can be said: what was deleted is not in it."""
    doc: Doc[Any] = Doc()
    doc.apply_update(update)
    return doc.get_update()


@pytest.mark.parametrize("stored", [bytes, compacted])
def test_positions_are_where_yjs_says_that_they_are(documents: Any, stored: Any) -> None:
    for document in documents:
        before, after = Places(raw(document["before"])), Places(stored(raw(document["after"])))
        for place in document["places"]:
            position = decoded(raw(place["position"]))
            assert before.index(position) == place["index"]
            assert after.index(position) == place["then"]


def test_positions_are_made_as_yjs_makes_them(documents: Any) -> None:
    for document in documents:
        places = Places(raw(document["before"]))
        for place in document["places"]:
            made = places.at(place["index"], is_behind=place["assoc"] < 0).encoded()
            assert made == raw(place["position"])


async def test_yjs_reads_positions_of_ours(node: str, documents: Any) -> None:
    asked, wanted = [], []
    for document in documents:
        places = Places(raw(document["before"]))
        made = [
            places.at(place["index"], is_behind=place["assoc"] < 0).encoded()
            for place in document["places"]
        ]
        positions = [base64.b64encode(one).decode() for one in made]
        asked.append({"update": document["after"], "positions": positions})
        wanted.append([place["then"] for place in document["places"]])
    assert await ask(node, read=asked) == wanted


def test_lines_are_where_their_breaks_are(documents: Any) -> None:
    for document in documents:
        text, places = document["text"], Places(raw(document["before"]))
        units = text.encode("utf-16-le")
        assert places.length == len(units) // 2
        for number, line in enumerate(text.split("\n"), 1):
            found = places.line_at(number)
            assert found is not None
            start, end = found
            assert units[2 * start : 2 * end].decode("utf-16-le") == line
            assert places.line(start) == places.line(end) == number
        assert places.line_at(text.count("\n") + 2) is None


def test_what_a_document_does_not_have_is_nowhere(documents: Any) -> None:
    places = Places(raw(documents[0]["before"]))
    for document in documents[1:]:
        # of a client that this document never heard of, or further than it ever came
        assert places.index(decoded(raw(document["places"][0]["position"]))) is None
    known = decoded(raw(documents[0]["places"][0]["position"]))
    assert places.index(msgspec.structs.replace(known, clock=1_000_000)) is None


def test_where_nothing_is_left_of_an_operation_is_nowhere() -> None:
    doc: Doc[Any] = Doc(client_id=5)
    text = doc.get("content", type=Text)
    text += "text"
    # ten operations of another client, of which nothing is told but that there were some
    doc.apply_update(b"\x01\x01\x07\x00\x00\x0a\x00")
    places = Places(doc.get_update())
    assert places.index(Position(7, 3, is_behind=False)) is None
    assert places.index(places.at(2, is_behind=False)) == 2


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\x00",
        b"\x00\x05",
        b"\x01",
        b"\x01\x09content",
        b"\x01\x05other\x00",
        b"\x02\x05\x01\x00",
        b"\x03\x00",
        b"\x00\x05\x01\x00\x00",
        b"\x00" + b"\xff" * 12,
    ],
)
def test_what_is_no_position_is_refused(junk: bytes) -> None:
    with pytest.raises(MalformedError):
        decoded(junk)


def test_a_position_may_leave_out_what_it_belongs_to() -> None:
    assert decoded(b"\x00\x05\x01").is_behind is False
    assert decoded(b"\x01\x07content").client is None
