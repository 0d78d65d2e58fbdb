"""What the tools print, taken apart: colours go, then tsc's and esbuild's forms are read."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

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
_OURS = "../c/"
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")


def plain(text: str) -> str:
    """Text without the codes that a terminal takes for colours and for moves."""
    return _ESCAPE.sub("", text)


def of_tsc(text: str) -> list[Diagnostic]:
    """Read tsc's lines; an indented one goes on with the message before."""
    found: list[Diagnostic] = []
    for line in _lines(text):
        match = _TSC_AT.match(line) or _TSC.match(line)
        if match is not None:
            found.append(_of_tsc_line(match))
        elif found and line.startswith("  "):
            last = found.pop()
            found.append(_longer(last, line.strip()))
    return found


def _of_tsc_line(match: re.Match[str]) -> Diagnostic:
    parts = match.groupdict()
    severity: Literal["error", "warning"] = "error" if parts["severity"] == "error" else "warning"
    file = parts.get("file")
    # our own configuration is no file of the project
    if file is None or file.startswith(_OURS):
        return Diagnostic(None, None, None, parts["code"], parts["message"], severity)
    line, column = int(parts["line"]), int(parts["column"])
    return Diagnostic(file, line, column, parts["code"], parts["message"], severity)


def _longer(diagnostic: Diagnostic, more: str) -> Diagnostic:
    d = diagnostic
    return Diagnostic(d.file, d.line, d.column, d.code, f"{d.message}\n{more}", d.severity)


def of_esbuild(text: str) -> list[Diagnostic]:
    """Read esbuild's messages, each with the first place that follows it."""
    return list(_of_esbuild(_lines(text)))


def _lines(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in plain(text).split("\n")]


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
