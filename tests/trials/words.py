"""Words of which each character is there once: what is lost, doubled or torn can be seen."""

import itertools
import random
from collections.abc import Iterator

import msgspec

_SIZE_MAX = 4
# ideographs of one and of two code units: places in a text are counted in several ways
_NARROW = range(0x4E00, 0x9FA5)
_WIDE = range(0x20000, 0x2A6D0)
_SEPARATORS = frozenset(" \n")


class Word(msgspec.Struct, frozen=True):
    """What somebody typed or wrote; ``name`` is what the log calls it."""

    text: str
    name: str
    author: str


class Seen(msgspec.Struct, frozen=True):
    """What is in a text: its words in their order, and what should not be there."""

    words: list[Word]
    faults: list[str]


class Words:
    """All words of one trial."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._narrow, self._wide = iter(_NARROW), iter(_WIDE)
        self._numbers: dict[str, Iterator[int]] = {}
        self._by_character: dict[str, Word] = {}

    def new(self, author: str) -> Word:
        """Return a word that there was never before."""
        source = self._wide if self._dice.random() < 1 / 3 else self._narrow
        size = self._dice.randint(1, _SIZE_MAX)
        text = "".join(chr(next(source)) for _ in range(size))
        number = next(self._numbers.setdefault(author, itertools.count(1)))
        word = Word(text, f"{author}.{number}", author)
        self._by_character |= dict.fromkeys(text, word)
        return word

    def read(self, text: str) -> Seen:
        """Return what is in a text."""
        found: dict[str, Word] = {}
        faults: list[str] = []
        at = 0
        while at < len(text):
            word = self._by_character.get(text[at])
            if word is None:
                if text[at] not in _SEPARATORS:
                    faults.append(f"{text[at]!r} was never written")
                at += 1
            elif text.startswith(word.text, at):
                if word.name in found:
                    faults.append(f"{word.name} is there twice")
                found[word.name] = word
                at += len(word.text)
            else:
                faults.append(f"{word.name} is torn")
                at += 1
        return Seen(list(found.values()), faults)

    def places(self, text: str) -> Iterator[tuple[Word, int]]:
        """Return the whole words of a text, and where each begins."""
        at = 0
        while at < len(text):
            word = self._by_character.get(text[at])
            if word is not None and text.startswith(word.text, at):
                yield word, at
                at += len(word.text)
            else:
                at += 1

    def boundary(self, text: str, dice: random.Random) -> int:
        """Return a place in a text that is not inside of a word."""
        at = dice.randint(0, len(text))
        word = self._by_character.get(text[at]) if at < len(text) else None
        inside = 0 if word is None else word.text.index(text[at])
        return at - inside if at >= inside else at

    def spelled(self, text: str) -> str:
        """Return a text with its words' names, for the log."""
        out: list[str] = []
        at = 0
        while at < len(text):
            word = self._by_character.get(text[at])
            if word is None:
                out.append("/" if text[at] == "\n" else text[at])
                at += 1
            elif text.startswith(word.text, at):
                out.append(word.name)
                at += len(word.text)
            else:
                out.append(f"{word.name}[{word.text.index(text[at])}]")
                at += 1
        return "".join(out)
