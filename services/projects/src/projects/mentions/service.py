"""Which words and paths stand in a project's texts, a stretch of them at a time.

What is open live counts as it was typed. One answer looks through so many bytes, for so long: who
asks goes on after its cursor. Texts come in the order of their hashes, each once.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from uuid import UUID

from common.errors import NotFoundError
from projects.contents import service as contents
from projects.means import Means
from projects.mentions import repository, words
from projects.mentions.repository import Text
from projects.mentions.schema import Mention, Mentions, Sought

_TEXTS = 2_000
_PART_BYTES = 4_194_304
# of one text, and in one answer
_LINES = 100
_MENTIONS = 1_000


async def mentions(means: Means, project_id: UUID, sought: Sought) -> Mentions:
    """Look through the next of a project's texts.

    Raises ``NotFoundError`` where there is no such project, and ``UnavailableError`` where what was
    typed, or a large text, cannot be had.
    """
    await _settle(means, project_id)
    began = time.monotonic()
    found: list[Mention] = []
    texts = await repository.texts(
        means.db, project_id, sought.after or "", _TEXTS, ever_before=sought.ever_before
    )
    looked = 0
    for part in _parts(texts):
        loaded = await contents.load(means, project_id, [text.hash for text in part])
        found += await asyncio.to_thread(_within, part, loaded, sought.needles)
        looked += len(part)
        if time.monotonic() - began > means.settings.mentions_s_max or len(found) >= _MENTIONS:
            break
    is_over = looked == len(texts) < _TEXTS
    return Mentions(found, None if is_over else texts[looked - 1].hash)


async def _settle(means: Means, project_id: UUID) -> None:
    is_any_live = await repository.is_any_live(means.db, project_id)
    if is_any_live is None:
        raise NotFoundError("There is no such project.")
    if is_any_live:
        await means.peers.settle(project_id)


def _parts(texts: Iterable[Text]) -> Iterator[list[Text]]:
    """So many bytes at a time, or one text that is larger."""
    part: list[Text] = []
    size = 0
    for text in texts:
        if part and size + text.size > _PART_BYTES:
            yield part
            part, size = [], 0
        part.append(text)
        size += text.size
    if part:
        yield part


def _within(part: list[Text], loaded: dict[str, bytes], needles: list[str]) -> list[Mention]:
    return [
        Mention(needle, path, line)
        for text in part
        for needle in needles
        for line in _lines(loaded.get(text.hash, b""), needle)
        for path in sorted(text.paths)
    ]


def _lines(data: bytes, needle: str) -> list[int]:
    """The first lines of a text in which a needle stands."""
    found: dict[int, None] = {}
    for line in words.lines(data, needle.encode()):
        found[line] = None
        if len(found) >= _LINES:
            break
    return list(found)
