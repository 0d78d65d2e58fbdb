"""Put the documents that the gateway serves from files next to its configuration."""

import gzip
from pathlib import Path

import msgspec

_HAVE_NOT = "This document has not been made yet: run `make contracts`, then restart the gateway."
_HAVE_NO_SCRIPT = "The reference's script is not installed: run `make setup`."
_PACKAGE = Path("node_modules") / "swagger-ui-dist"
_OK, _MISSING = 200, 503

type Value = str | int


class Documents(msgspec.Struct, frozen=True):
    """Where the generated documents are; one that is not there is answered with what to do."""

    openapi: Path | None = None
    asyncapi: Path | None = None


def place(documents: Documents, source: Path, target: Path) -> dict[str, Value]:
    """Copy what there is, write a placeholder for what there is not; return the placeholders."""
    target.mkdir(parents=True, exist_ok=True)
    values: dict[str, Value] = {}
    for name, given in (("OPENAPI", documents.openapi), ("ASYNCAPI", documents.asyncapi)):
        path = target / f"{name.lower()}.json"
        is_there = given is not None and given.is_file()
        path.write_bytes(given.read_bytes() if given and is_there else _HAVE_NOT.encode())
        values |= {f"{name}_FILE": str(path), f"{name}_STATUS": _OK if is_there else _MISSING}
    return values | _pages(source, target) | _reference(source / _PACKAGE, target)


def _pages(source: Path, target: Path) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, file in (("DOCS_PAGE_FILE", "index.html"), ("DOCS_START_FILE", "start.js")):
        path = target / file
        path.write_bytes((source / file).read_bytes())
        values[name] = str(path)
    return values


def _reference(package: Path, target: Path) -> dict[str, Value]:
    # zipped once, here: compressing a megabyte for each visitor would hold up everyone else
    parts = {
        "DOCS_SCRIPT_FILE": "swagger-ui-bundle.js",
        "DOCS_STYLE_FILE": "swagger-ui.css",
    }
    is_there = all((package / file).is_file() for file in parts.values())
    values: dict[str, Value] = {
        "DOCS_SCRIPT_STATUS": _OK if is_there else _MISSING,
        "DOCS_ENCODING": "gzip" if is_there else "identity",
    }
    for name, file in parts.items():
        path = target / (f"{file}.gz" if is_there else f"{file}.txt")
        if is_there:
            _zip(package / file, path)
        else:
            path.write_text(_HAVE_NO_SCRIPT)
        values[name] = str(path)
    return values


def _zip(source: Path, target: Path) -> None:
    if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
        return
    target.write_bytes(gzip.compress(source.read_bytes(), mtime=0))
