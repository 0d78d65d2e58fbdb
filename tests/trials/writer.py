"""Somebody who reads and writes the file over HTTP."""

import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import quote
from uuid import UUID

from tests.trials.desk import UNREACHED, Desk, Reply
from tests.trials.ledger import Addition, Ledger, Removal, Span, digest
from tests.trials.place import Place
from tests.trials.words import Word

_LINE = 1 / 3


class Writer:
    """One of those who write. What they saw last is what they change."""

    def __init__(
        self,
        name: str,
        user: UUID,
        desk: Desk,
        project: UUID,
        place: Place,
        ledger: Ledger,
        dice: random.Random,
    ) -> None:
        self.name = name
        self.user = user
        self.project = project
        self.place = place
        self.ledger = ledger
        self.dice = dice
        self._desk = desk
        self.seen = ""
        self.tag = ""
        self.last = ""
        self.counts: Counter[str] = Counter()

    def file(self, path: str) -> str:
        """Return a file's address."""
        return f"/projects/{self.project}/files/{quote(path)}"

    def names(self, text: str) -> frozenset[str]:
        """Return what is in a text."""
        return frozenset(word.name for word in self.ledger.words.read(text).words)

    def edited(self, text: str) -> str:
        """Return a text after a few changes."""
        if self.dice.random() < 1 / 20:
            return "".join(self._new(self.dice.randint(1, 4)))
        for word, at in list(self.ledger.words.places(text))[::-1]:
            if self.dice.random() < 1 / 12:
                text = text[:at] + text[at + len(word.text) :]
        for piece in self._new(self.dice.randint(1, 2)):
            at = self.ledger.words.boundary(text, self.dice)
            text = text[:at] + piece + text[at:]
        return text

    def _new(self, count: int) -> Iterable[str]:
        for _ in range(count):
            word: Word = self.ledger.words.new(self.name)
            yield word.text + ("\n" if self.dice.random() < _LINE else " ")

    async def ask(
        self, method: str, path: str, *, sends: object = None, **headers: str
    ) -> tuple[Reply, Span]:
        """Ask once; what fails without a reason is a fault."""
        span = Span(self.ledger.now())
        began = time.monotonic()
        reply = await self._desk.ask(self.user, method, path, sends=sends, **headers)
        while reply.code == UNREACHED and not self._desk.stage.was_well(began):
            # nobody was there who could have done it
            await self._desk.stage.breathe()
            reply = await self._desk.ask(self.user, method, path, sends=sends, **headers)
        span.end = self.ledger.now()
        took = f"({span.begin}..{span.end}, {time.monotonic() - began:.3f} s)"
        kind = "done" if reply.is_done else "refused" if reply.is_refused else "failed"
        self.counts[f"requests {kind}"] += 1
        tag = self._spelled(reply.tag)
        what = f"{method} {path.rpartition('/')[2]} {reply.status} {reply.code} {tag} {took}"
        self.ledger.note(self.name, what)
        is_broken = not reply.is_done and not reply.is_refused
        if reply.status == 500 or (is_broken and self._desk.stage.was_well(began)):
            self.ledger.fault(f"{what}: {reply.text[:300]}")
        return reply, span

    def _spelled(self, key: str) -> str:
        text = self.ledger.texts.get(key)
        return key[:8] if text is None else f"{key[:8]} {self.ledger.words.spelled(text)}"

    async def write(
        self, content: str, base: str | None, call: Callable[[], Awaitable[tuple[Reply, Span]]]
    ) -> Reply:
        """Note what a write may do, do it, and note what became of it.

        ``base`` is the text that it asks to be there, if it does.
        """
        ledger, key = self.ledger, self.ledger.know(content)
        ledger.note(self.name, f"writes {key[:8]} {ledger.words.spelled(content)}")
        names = self.names(content)
        before = frozenset() if base is None else self.names(base)
        span = Span(ledger.now())
        removal = ledger.remove(
            Removal(span=span, keeps=names)
            if base is None
            else Removal(span=span, takes=before - names)
        )
        words = ledger.words.read(content).words
        added = [ledger.add(w, Addition(span=span, is_kept=w.name in before)) for w in words]
        reply, asked = await call()
        if reply.is_refused:
            ledger.withdraw(added, removal)
            if reply.status == 412 and reply.tag:
                ledger.see(f"{self.name}'s 412", asked, reply.tag, is_hash=True)
        elif reply.is_done and isinstance(reply.data, dict) and reply.data.get("unchanged"):
            ledger.withdraw(added, removal)
            ledger.see(f"{self.name}'s unchanged", asked, content)
        elif reply.is_done:
            span.end = asked.end
            removal.is_sure = True
            for addition in added:
                addition.is_sure = True
            self.last = content
            self.counts["writes" if base is None else "writes upon what was read"] += 1
            if base is not None:
                ledger.see(f"what {self.name} wrote upon", asked, base)
            self._check(reply, content)
        return reply

    def _check(self, reply: Reply, content: str) -> None:
        if not isinstance(reply.data, dict) or "version" not in reply.data:
            return
        if {reply.data["hash"], reply.tag or reply.data["hash"]} != {digest(content)}:
            self.ledger.fault(f"{self.name} wrote {digest(content)[:8]}, and hears {reply.data}")
        if reply.data["path"] == self.place.path:
            self.place.versions[reply.data["version"]] = content

    def expect(self, reply: Reply, since: int, *refusals: int) -> None:
        """See that a refusal is one of those that may be."""
        allowed = {*refusals, 404, 412} if self.place.may_miss(since) else set(refusals)
        if reply.code == "CONFLICT":
            # too many were quicker
            self.counts["refused among too many"] += 1
        elif reply.is_refused and reply.status not in allowed:
            self.ledger.fault(f"{self.name} is refused: {reply.status} {reply.text[:300]}")
