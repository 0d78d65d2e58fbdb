"""What a document knows of its file: which of its write-backs arrived, and where the file is."""

import pytest
from pycrdt import Doc, Text, merge_updates

from collab.documents.asked import Asked, Base
from collab.documents.document import Document, digest_of
from collab.documents.rebase import rebased
from collab.documents.types import Stored
from collab.documents.writer import Signals
from collab.settings import Settings
from collab.yjs.log import seeded, text_of
from collab.yjs.updates import EMPTY
from common.ids import uuid7


def test_a_write_back_that_arrived_unanswered_is_known_again():
    asked = Asked(3)
    bases = {seq: Base(b"state", str(seq)) for seq in (5, 6, 7)}
    for seq, base in bases.items():
        asked.ask(seq, base)
    assert asked.reached(6) is bases[6]
    assert asked.reached_seq == 6
    assert asked.reached(5) is None
    assert asked.reached(7) is bases[7]


def test_few_are_asked_for_without_an_answer():
    asked = Asked(0)
    seq = 0
    while asked.may_ask():
        seq += 1
        asked.ask(seq, Base(b"", ""))
    assert seq == 8
    asked.answered(1)
    assert asked.may_ask()


class History:
    """A document's log, entry by entry, as it is stored."""

    def __init__(self, text: str) -> None:
        self.first = seeded(text, 7)
        self.file_hash = digest_of(text)
        self.written_seq = 0
        self.entries: list[tuple[bytes, str, str]] = []

    @property
    def state(self) -> bytes:
        """Everything."""
        return merge_updates(self.first, *[data for data, _, _ in self.entries])

    def types(self, actor: str, text: str) -> None:
        """Somebody types at the front."""
        doc: Doc[Text] = Doc()
        doc.apply_update(self.state)
        made: list[bytes] = []
        watching = doc.observe(lambda event: made.append(event.update))
        doc.get("content", type=Text).insert(0, text)
        doc.unobserve(watching)
        self.entries.append((made[0], actor, ""))

    def comes(self, base: bytes, text: str) -> None:
        """A content of the file comes in."""
        update = rebased(base, text)
        assert update is not None
        self.entries.append((update, "", digest_of(text)))

    def stored(self) -> Stored:
        """The same as it is read."""
        return Stored(
            uuid7(),
            self.first,
            0,
            self.written_seq,
            self.file_hash,
            7,
            list(range(1, len(self.entries) + 1)),
            [data for data, _, _ in self.entries],
            [actor for _, actor, _ in self.entries],
            [of for _, _, of in self.entries],
        )


@pytest.fixture
async def read():
    """Read a document from what is stored."""

    async def append(_):
        return True

    def ignore():
        return None

    def reading(history: History, flushed_seq: int = 0) -> Document:
        settings = Settings(database_url="", fleet_secret="", nats_url="")
        signals = Signals(fenced=ignore, unavailable=ignore, long=ignore, accepted=ignore)
        key = (uuid7(), "a.txt")
        return Document(key, history.stored(), flushed_seq, settings, append, signals)

    return reading


async def test_what_was_typed_waits_for_its_way_back(read):
    history = History("one")
    history.types("ann", "typed ")
    history.entries.append((EMPTY, str(uuid7()), ""))
    document = read(history)
    assert not document.is_clean
    assert (text_of(document.base.state), document.base.file_hash) == ("one", digest_of("one"))
    assert list(document.typists) == ["ann"]


async def test_what_the_file_had_got_before_it_was_noted_is_its_place(read):
    history = History("one")
    history.types("ann", "typed ")
    history.types("bob", "more ")
    document = read(history, flushed_seq=1)
    assert text_of(document.base.state) == "typed one"
    # which is made before anybody has the document
    assert document.base.file_hash == ""
    assert list(document.typists) == ["bob"]
    assert read(history, flushed_seq=2).is_clean


async def test_what_came_from_the_file_is_its_place_without_what_was_typed(read):
    history = History("one\ntwo\n")
    history.types("ann", "typed ")
    history.comes(history.first, "one\ntwo and more\n")
    document = read(history)
    assert text_of(document.log.merged()) == "typed one\ntwo and more\n"
    assert text_of(document.base.state) == "one\ntwo and more\n"
    assert document.base.file_hash == digest_of("one\ntwo and more\n")
    history.comes(document.base.state, "ONE\ntwo and more\n")
    again = read(history)
    assert text_of(again.base.state) == "ONE\ntwo and more\n"
    assert "typed" in text_of(again.log.merged())


async def test_what_the_file_says_comes_in_once(read):
    history = History("one")
    document = read(history)
    update = rebased(document.base.state, "one two")
    assert update is not None
    await document.take_in(update, "ann", digest_of("one two"))
    assert document.is_clean
    assert rebased(document.base.state, "one two") is None
    assert document.typists == {}


async def test_what_is_known_already_may_not_be_durable_yet(read):
    history = History("one")
    document = read(history)
    history.types("ann", "typed ")
    update = history.entries[0][0]
    mark = document.accept(update, "ann", None)
    assert document.accept(update, "bob", None) == mark > document.writer.durable
    assert document.accept(EMPTY, "bob", None) == mark
    assert list(document.typists) == ["ann"]
