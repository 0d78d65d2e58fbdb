"""What the tools print, taken apart: colours go, then tsc's and esbuild's forms are read."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from builds.types import Diagnostic

_TSC_AT = re.compile(
    r"^(?P<file>.+?)\((?P<line>\d{1,9}),(?P<column>\d{1,9})\): "
    r"(?P<severity>error|warning) (?P<code>TS\d+): (?P<message>.*)$"
)
_TSC = re.compile(r"^(?P<severity>error|warning) (?P<code>TS\d+): (?P<message>.*)$")
_ESBUILD = re.compile(
    r"^\S* ?\[(?P<severity>ERROR|WARNING)\] (?P<message>.*?)(?: \[(?P<code>[a-z0-9-]+)\])?$"
)
_ESBUILD_AT = re.compile(r"^ {4}(?P<file>\S.*?):(?P<line>\d{1,9}):(?P<column>\d{1,9}):$")
# of what follows a message: more than is ever shown
_MORE_CHARS_MAX = 16_384
_OURS = "../c/"
_OUR_CONFIG = "../c/tsconfig.json"
_THEIR_CONFIG = "tsconfig.json"
# where the project lies while it is looked at is nobody's business
_ROOT = re.compile(r"(?<=['\"])/p/")
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")


def plain(text: str) -> str:
    """Text without the codes that a terminal takes for colours and for moves."""
    return _ESCAPE.sub("", text)


def of_tsc(text: str) -> list[Diagnostic]:
    """Read tsc's lines; an indented one goes on with the message before."""
    found: list[tuple[Diagnostic, list[str]]] = []
    left = 0
    for line in _lines(text):
        match = _TSC_AT.match(line) or _TSC.match(line)
        if match is not None:
            found.append((_of_tsc_line(match), []))
            left = _MORE_CHARS_MAX
        elif found and left > 0 and line.startswith("  "):
            more = _ROOT.sub("", line.strip())[:left]
            found[-1][1].append(more)
            left -= len(more) + 1
    whole = [_longer(diagnostic, more) for diagnostic, more in found]
    # where the configuration is wrong, what else is said follows from that
    return sorted(whole, key=lambda d: d.file != _THEIR_CONFIG)


def _of_tsc_line(match: re.Match[str]) -> Diagnostic:
    parts = match.groupdict()
    severity: Literal["error", "warning"] = "error" if parts["severity"] == "error" else "warning"
    file, message = parts.get("file"), _ROOT.sub("", parts["message"])
    # our own configuration is no file of the project, but what is wrong in it is the project's
    if file is None or file.startswith(_OURS):
        place = _THEIR_CONFIG if file == _OUR_CONFIG else None
        return Diagnostic(place, None, None, parts["code"], message, severity)
    line, column = int(parts["line"]), int(parts["column"])
    return Diagnostic(file, line, column, parts["code"], message, severity)


def _longer(diagnostic: Diagnostic, more: list[str]) -> Diagnostic:
    if not more:
        return diagnostic
    return msgspec.structs.replace(diagnostic, message="\n".join([diagnostic.message, *more]))


def of_esbuild(text: str) -> list[Diagnostic]:
    """Read esbuild's messages, each with the first place that follows it."""
    return list(_of_esbuild(_lines(text)))


def _lines(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in plain(text).split("\n")]


def in_characters(found: list[Diagnostic], tree: Path, bytes_max: int) -> list[Diagnostic]:
    """The same with columns as editors count them, in UTF-16; esbuild counts bytes of UTF-8."""
    return [_in_characters(diagnostic, tree, bytes_max) for diagnostic in found]


def _in_characters(diagnostic: Diagnostic, tree: Path, bytes_max: int) -> Diagnostic:
    file, line, column = diagnostic.file, diagnostic.line, diagnostic.column
    if file is None or line is None or column is None or ".." in PurePosixPath(file).parts:
        return diagnostic
    try:
        with (tree / file).open("rb") as opened:
            lines = opened.read(bytes_max).splitlines()
    except (OSError, ValueError):
        return diagnostic
    before = lines[line - 1][: column - 1] if 0 < line <= len(lines) else b""
    if before.isascii():
        return diagnostic
    units = len(before.decode(errors="replace").encode("utf-16-le")) // 2
    return msgspec.structs.replace(diagnostic, column=units + 1)


def _of_esbuild(lines: list[str]) -> Iterator[Diagnostic]:
    heads = [i for i, line in enumerate(lines) if _ESBUILD.match(line)]
    for head, following in pairwise([*heads, len(lines)]):
        match = _ESBUILD.match(lines[head])
        if match is None:
            continue
        at = next(
            (m for line in lines[head + 1 : following] if (m := _ESBUILD_AT.match(line))), None
        )
        yield Diagnostic(
            at["file"] if at else None,
            int(at["line"]) if at else None,
            # esbuild counts columns from 0
            int(at["column"]) + 1 if at else None,
            match["code"] or "ESBUILD",
            match["message"],
            "error" if match["severity"] == "ERROR" else "warning",
        )
