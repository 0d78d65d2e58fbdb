"""The page of a game: which modules it starts, and the same page with their bundles."""

import html
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import override

import msgspec
from msgspec import Struct

_EMPTY = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>{title}</title>
  </head>
  <body></body>
</html>
"""
_CODE = (".ts", ".tsx", ".mts", ".cts", ".jsx", ".js", ".mjs")


class Script(Struct, frozen=True):
    """A script tag that loads a file of the project."""

    path: str
    is_module: bool
    start: int
    end: int


class _Scripts(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self._lines = [0]
        # lines as the parser counts them: nothing else ends one
        for line in text.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self.found: list[Script] = []
        self.first: int | None = None
        self.has_map = False
        self.head_ends: int | None = None
        self.body_ends: int | None = None
        # not closed: what does not end is passed over, as by a browser, and not gone through again
        # from each of its characters
        self.feed(text)

    @property
    def _here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.has_map |= tag == "script" and given.get("type") == "importmap"
        if tag in {"script", "link", "style"} and self.first is None:
            self.first = self._here
        path = local(given.get("src") or "")
        if tag == "script" and path:
            length = len(self.get_starttag_text() or "")
            is_module = given.get("type") == "module"
            self.found.append(Script(path, is_module, self._here, self._here + length))

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "head" and self.head_ends is None:
            self.head_ends = self._here
        if tag == "body":
            self.body_ends = self._here


def empty(title: str) -> str:
    """A page for a project that has none."""
    return _EMPTY.format(title=html.escape(title))


def local(address: str) -> str:
    """The path in the project that ``address`` means; nothing for one elsewhere."""
    path = address.partition("?")[0].partition("#")[0]
    if ":" in path or path.startswith("//") or not path:
        return ""
    parts = PurePosixPath(path.lstrip("/")).parts
    return "" if ".." in parts else "/".join(parts)


def modules(text: str) -> list[str]:
    """The project's own modules that the page starts, as they follow one another."""
    found = [s.path for s in _Scripts(text).found if _is_code(s)]
    return list(dict.fromkeys(found))


def _is_code(script: Script) -> bool:
    return script.path.endswith(_CODE) and (script.is_module or not script.path.endswith(".js"))


def has_map(text: str) -> bool:
    """Whether the page says itself what its imports mean."""
    return _Scripts(text).has_map


def mapped(text: str, imports: Mapping[str, str]) -> str:
    """The page with a map of imports, which has to come before whatever imports."""
    if not imports:
        return text
    read = _Scripts(text)
    places = {name: f"./{path}" for name, path in sorted(imports.items())}
    # in a script nothing is escaped, and "</script" ends it wherever it stands
    listed = msgspec.json.encode({"imports": places}).decode().replace("<", "\\u003c")
    loads = "".join(
        f'<link rel="modulepreload" href="{html.escape(path)}" />'
        for path in sorted(set(imports.values()))
    )
    known = (read.first, read.head_ends, read.body_ends)
    at = next((place for place in known if place is not None), len(text))
    return f'{text[:at]}<script type="importmap">{listed}</script>{loads}{text[at:]}'


def bundled(text: str, scripts: Mapping[str, str], styles: list[str]) -> str:
    """The page with each module (by its path) replaced by its bundle, and the styles linked."""
    read = _Scripts(text)
    changes = [(s.start, s.end, _tag(scripts[s.path])) for s in read.found if s.path in scripts]
    present = {s.path for s in read.found}
    added = "".join(_tag(b) + "</script>" for path, b in scripts.items() if path not in present)
    links = "".join(f'<link rel="stylesheet" href="{html.escape(s)}" />' for s in styles)
    head = read.head_ends if read.head_ends is not None else 0
    body = read.body_ends if read.body_ends is not None else len(text)
    changes += [(head, head, links), (body, body, added)]
    for start, end, instead in sorted(changes, reverse=True):
        text = text[:start] + instead + text[end:]
    return text


def _tag(bundle: str) -> str:
    return f'<script type="module" src="{html.escape(bundle)}">'
