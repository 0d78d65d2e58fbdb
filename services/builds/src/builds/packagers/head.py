"""Additions to a game's page: what is told to browsers of the files beside it."""

import base64
import hashlib
import html
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import override

from msgspec import Struct

_SEALS = {"script": "src", "link": "href"}
_LOADING = frozenset({"script", "link", "style", "base", "img"})


class _Tag(Struct, frozen=True):
    name: str
    given: dict[str, str | None]
    start: int
    end: int
    is_closed: bool


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self._lines = [0]
        for line in text.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self.found: list[_Tag] = []
        self.head = 0
        self._has_head_ended = False
        # not closed: what does not end is passed over, as by a browser
        self.feed(text)

    @property
    def _here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def _add(self, tag: str, attrs: list[tuple[str, str | None]], *, is_closed: bool) -> None:
        end = self._here + len(self.get_starttag_text() or "")
        self.found.append(_Tag(tag, dict(attrs), self._here, end, is_closed))
        if tag in {"html", "head"} and not self._has_head_ended:
            self.head = end

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(tag, attrs, is_closed=False)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(tag, attrs, is_closed=True)

    @override
    def handle_decl(self, decl: str) -> None:
        if not self.found:
            self.head = self._here + len(f"<!{decl}>")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "head" and not self._has_head_ended:
            self.head, self._has_head_ended = self._here, True


def relations(text: str) -> set[str]:
    """The kinds of links that a page has."""
    given = [str(tag.given.get("rel") or "") for tag in _Tags(text).found if tag.name == "link"]
    return {word for rel in given for word in rel.lower().split()}


def with_more(text: str, lines: list[str]) -> str:
    """The page with more in its head, at the head's end."""
    at = _Tags(text).head
    return text[:at] + "".join(lines) + text[at:]


def with_policy(text: str, policy: str) -> str:
    """The page with a content policy in its head, before anything is loaded, or with its own."""
    read = _Tags(text)
    own = [str(t.given.get("http-equiv") or "").lower() for t in read.found if t.name == "meta"]
    if "content-security-policy" in own:
        return text
    at = min([read.head, *(tag.start for tag in read.found if tag.name in _LOADING)])
    meta = f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}" />'
    return text[:at] + meta + text[at:]


def sealed(text: str, files: Mapping[str, Path], paths: frozenset[str]) -> str:
    """The page with the hash of each of ``paths`` where it is loaded: no other file runs."""
    for tag in reversed(_Tags(text).found):
        path = str(tag.given.get(_SEALS.get(tag.name, "")) or "")
        if path in paths and path in files and "integrity" not in tag.given:
            at = tag.end - (2 if tag.is_closed else 1)
            text = (
                f'{text[:at].rstrip()} integrity="{integrity(files[path].read_bytes())}"{text[at:]}'
            )
    return text


def integrity(content: bytes) -> str:
    """What a browser is told of a file so that it takes no other."""
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


def link(**attributes: str) -> str:
    """A link for the head of a page."""
    given = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<link {given} />"
