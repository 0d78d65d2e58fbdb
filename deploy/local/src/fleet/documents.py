"""The published contract, made from the code: OpenAPI of each service and of the fleet, AsyncAPI.

``python -m fleet.documents`` writes ``docs/openapi/<service>.json``, ``docs/openapi.json`` and
``docs/asyncapi.json``; with ``--check`` it writes nothing and fails where they would change.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from fleet.asyncapi import asyncapi
from fleet.context import PYTHON
from fleet.home import repository
from fleet.secrets import SERVICES
from fleet.settings import FleetSettings, inherited

type Document = dict[str, Any]

# a description needs no server: what the settings require is there, and nothing is connected
_PLACEHOLDERS = {
    "DATABASE_URL": "postgresql://localhost/none",
    "FLEET_SECRET": "none",
    "NATS_URL": "nats://localhost:1",
    "S3_ENDPOINT_URL": "http://localhost:1",
    "S3_ACCESS_KEY": "none",
    "S3_SECRET_KEY": "none",
    "KEY_ENCRYPTION_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "PLAY_SECRET": "none",
    "TOOLCHAIN_DIR": "/nonexistent",
    "BUILD_CACHE_DIR": "/nonexistent",
    "ALLOWED_ORIGINS": "",
    "SOCKET_PORT": "1",
    "EXAMPLES_DIR": "/nonexistent",
}
_SHARED = ("Failure", "Problem", "Meta", "PageMeta")


class DocumentsError(Exception):
    """The contract cannot be made as it is; the message says why."""


def of_service(name: str) -> Document:
    """Ask a service's own code for its OpenAPI document."""
    environment = inherited(FleetSettings()) | _PLACEHOLDERS
    command = [PYTHON, "-m", "fleet.describe", f"{name}.main:create_app"]
    made = subprocess.run(command, env=environment, capture_output=True, check=False)
    if made.returncode:
        raise DocumentsError(f"{name}: {made.stderr.decode(errors='replace')[-2000:]}")
    document: Document = msgspec.json.decode(made.stdout)
    return document


def merged(documents: dict[str, Document]) -> Document:
    """Make one document of all: paths side by side, schemas under their service's name."""
    paths: Document = {}
    schemas: Document = {}
    schemes: Document = {}
    for service, document in documents.items():
        names = {
            name: name if name in _SHARED else f"{service}.{_short(name)}"
            for name in document["components"].get("schemas", {})
        }
        renamed = _renamed(document, names)
        for path, operations in renamed["paths"].items():
            taken = set(paths.get(path, {})).intersection(operations)
            if taken:
                raise DocumentsError(f"{service} offers what another service does: {path} {taken}")
            paths.setdefault(path, {}).update(operations)
        schemas |= {names[n]: s for n, s in renamed["components"].get("schemas", {}).items()}
        schemes |= renamed["components"]["securitySchemes"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Worldloom",
            "version": "1",
            "description": "The open backend for browser game editors.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": schemes},
    }


def _short(name: str) -> str:
    """A schema's name without the modules in it: Answer_projects.schema.File_ is Answer_File."""
    words = [word.rpartition(".")[2] for word in name.replace("[", "_").split("_")]
    return "_".join(word for word in words if word)


def _renamed(value: Any, names: dict[str, str]) -> Any:  # noqa: ANN401 - any part of a document
    if isinstance(value, dict):
        return {
            key: f"#/components/schemas/{names[item.rpartition('/')[2]]}"
            if key == "$ref" and isinstance(item, str)
            else _renamed(item, names)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return value


def everything() -> dict[Path, bytes]:
    """Make every document; return what belongs where."""
    docs = repository() / "docs"
    services = {name: of_service(name) for name in SERVICES}
    files = {docs / "openapi" / f"{name}.json": made for name, made in services.items()}
    files |= {docs / "openapi.json": merged(services), docs / "asyncapi.json": asyncapi()}
    return {path: _encoded(made) for path, made in files.items()}


def _encoded(document: Document) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def main() -> None:
    """Write the documents, or check that they are as they would be written."""
    made = everything()
    if "--check" in sys.argv[1:]:
        stale = [p for p, body in made.items() if not p.is_file() or p.read_bytes() != body]
        if stale:
            names = ", ".join(str(path.relative_to(repository())) for path in stale)
            sys.exit(f"Not as the code is: {names}. Run `make contracts`.")
        return
    for path, body in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        sys.stdout.write(f"{path.relative_to(repository())}\n")


if __name__ == "__main__":
    main()
