"""What was done to one document, when, and what may therefore be seen in it at which moment.

Everything happens on one event loop, so that its order is known: a moment is a number. What
somebody does takes effect somewhere between the moment at which it was begun and the one at which
it was acknowledged. What is seen, too, was so at some moment of a span.
"""

import hashlib
import itertools
import time
from collections import defaultdict

import msgspec

from tests.trials.words import Word, Words

NEVER = 1 << 62


class Span(msgspec.Struct):
    """From when until when; until ``NEVER`` where nothing tells when it was over."""

    begin: int
    end: int = NEVER


class Addition(msgspec.Struct, kw_only=True):
    """A word may have come into the text, and if ``is_sure`` it has."""

    span: Span
    is_sure: bool = False
    is_typed: bool = False
    # who leaves in place what is there brings nothing back
    is_kept: bool = False
    # whether it was the first to bring the word: then it cannot bring it back
    is_first: bool = False


class Removal(msgspec.Struct, kw_only=True):
    """Words may have gone out of the text: those of ``takes``, or all but those of ``keeps``."""

    span: Span
    is_sure: bool = False
    is_typed: bool = False
    takes: frozenset[str] | None = None
    keeps: frozenset[str] = frozenset()

    def takes_away(self, name: str) -> bool:
        """Whether it is about a word."""
        return name not in self.keeps if self.takes is None else name in self.takes


class Observation(msgspec.Struct, frozen=True):
    """At some moment of the span the text had that hash."""

    what: str
    span: Span
    hash: str


def digest(text: str) -> str:
    """Return the hash of a text as the contract spells it."""
    return hashlib.sha256(text.encode()).hexdigest()


class Ledger:
    """What happened in one trial."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.log: list[str] = []
        self.faults: list[str] = []
        self.texts: dict[str, str] = {}
        self.observations: list[Observation] = []
        self.removals: list[Removal] = []
        self.typists: set[str] = set()
        # while processes were ended and started
        self.shaken: list[Span] = []
        self.unresolved = 0
        self._additions: dict[str, list[Addition]] = defaultdict(list)
        self._ticks = itertools.count(1)
        self._began = time.monotonic()

    def now(self) -> int:
        """Return this moment."""
        return next(self._ticks)

    def note(self, who: str, what: str) -> None:
        """Write into the log."""
        seconds = time.monotonic() - self._began
        self.log.append(f"{seconds:8.3f} {who:8} {what}")

    def fault(self, text: str) -> None:
        """Note what must not be."""
        self.faults.append(text)
        self.note("FAULT", text)

    def know(self, text: str) -> str:
        """Remember a text by its hash."""
        key = digest(text)
        self.texts[key] = text
        return key

    def add(self, word: Word, addition: Addition) -> Addition:
        """Note that a word may come in."""
        addition.is_first = not self._additions[word.name]
        self._additions[word.name].append(addition)
        return addition

    def remove(self, removal: Removal) -> Removal:
        """Note that words may go."""
        self.removals.append(removal)
        return removal

    def withdraw(self, done: list[Addition], removal: Removal | None) -> None:
        """Note that something was refused, and never will be."""
        for additions in self._additions.values():
            additions[:] = [one for one in additions if not any(one is other for other in done)]
        self.removals = [one for one in self.removals if one is not removal]

    def see(self, what: str, span: Span, text_or_hash: str, *, is_hash: bool = False) -> None:
        """Note that the text was this one at some moment of the span."""
        key = text_or_hash if is_hash else self.know(text_or_hash)
        self.observations.append(Observation(what, span, key))

    def witness(self, what: str, *, is_over: bool) -> None:
        """Note that a process is ended, or that one is there again."""
        self.note("stage", what)
        if not is_over:
            self.shaken.append(Span(self.now()))
        elif self.shaken:
            self.shaken[-1].end = self.now()

    def may_be_told_by_another(self, name: str) -> bool:
        """Whether a word, or the process that took it, may have been lost before it was durable.

        Then it may be somebody else who brings it again.
        """
        return any(
            not one.is_sure
            or any(one.span.begin <= s.end and one.span.end >= s.begin for s in self.shaken)
            for one in self._additions[name]
        )

    def judge(self) -> None:
        """Compare everything that was seen with what was done."""
        for seen in self.observations:
            text = self.texts.get(seen.hash)
            if text is None:
                self.unresolved += 1
            else:
                self._look(seen, text)

    def _look(self, seen: Observation, text: str) -> None:
        read = self.words.read(text)
        wrong = [f"{seen.what}: {fault}" for fault in read.faults]
        there = {word.name for word in read.words}
        for name, additions in self._additions.items():
            if name in there:
                why = self._why_not_there(name, additions, seen.span)
            else:
                why = self._why_there(name, additions, seen.span)
            if why:
                wrong.append(f"{seen.what}: {name} {why}")
        known = self._additions.keys()
        wrong += [f"{seen.what}: {name} comes from nowhere" for name in there - known]
        for text_of_fault in wrong:
            self.fault(f"{text_of_fault} in {self.words.spelled(text)}")

    def _why_there(self, name: str, additions: list[Addition], span: Span) -> str:
        """Say why a word that is not seen should be; nothing where it need not be."""
        for addition in additions:
            if not addition.is_sure or addition.span.end >= span.begin:
                continue
            may_be_gone = any(
                removal.takes_away(name)
                and removal.span.begin <= span.end
                and removal.span.end >= addition.span.begin
                for removal in self.removals
            )
            if not may_be_gone:
                return "is lost: it was acknowledged, and nobody took it away"
        return ""

    def _why_not_there(self, name: str, additions: list[Addition], span: Span) -> str:
        """Say why a word that is seen should not be; nothing where it may be."""
        if all(addition.span.begin > span.end for addition in additions):
            return "is there before it was written"
        for removal in self.removals:
            if not removal.is_sure or removal.span.end >= span.begin:
                continue
            if not removal.takes_away(name):
                continue
            if removal.takes is None and not _was_there(additions, removal.span.begin):
                continue
            comes_back = any(
                not addition.is_typed
                and not addition.is_kept
                and addition.span.begin <= span.end
                and not (addition.is_first and addition.span.begin < removal.span.begin)
                and (removal.is_typed or addition.span.end >= removal.span.begin)
                for addition in additions
            )
            if not comes_back:
                return "is back: it was taken away, and nobody wrote it again"
        return ""


def _was_there(additions: list[Addition], moment: int) -> bool:
    return any(one.is_sure and one.span.end < moment for one in additions)
