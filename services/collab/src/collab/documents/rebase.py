"""A file's new content as a change of a document: the smallest one, made where the old text was.

The change is made on the state whose text was the file's, so whatever was typed since then is
concurrent to it, and merges with it as any two people's edits do.
"""

from collections.abc import Callable

from pycrdt import Doc, Text, TransactionEvent

from collab.documents.diff import Edit, edits
from collab.yjs.log import ROOT, document_of


def rebased(base: bytes, content: str) -> bytes | None:
    """Return the update that turns the text of ``base`` into ``content``; ``None`` if it is that.

    Pure, and slow for large texts: for the workshop. Raises ``ValueError`` where the document does
    not become that.
    """
    doc = document_of(base)
    text = doc.get(ROOT, type=Text)
    before = str(text)
    changes = edits(before, content)
    if not changes:
        return None
    update = _changed(doc, text, before, changes)
    if str(text) != content:
        raise ValueError("The document's text cannot be changed into this one.")
    return update


def _changed(doc: "Doc[Text]", text: Text, before: str, changes: list[Edit]) -> bytes:
    """Make the changes in one transaction, from the back so that positions hold; return it."""
    made: list[bytes] = []
    offset = _byte_offsets(before)

    def keep(event: TransactionEvent) -> None:
        made.append(event.update)

    watching = doc.observe(keep)
    with doc.transaction(origin="rest"):
        for change in reversed(changes):
            start, end = offset(change.at), offset(change.at + change.removed)
            if end > start:
                del text[start:end]
            if change.inserted:
                text.insert(start, change.inserted)
    doc.unobserve(watching)
    return made[0]


def _byte_offsets(text: str) -> Callable[[int], int]:
    """The library counts a text in bytes of UTF-8."""
    if text.isascii():
        return int
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode()))
    return offsets.__getitem__
