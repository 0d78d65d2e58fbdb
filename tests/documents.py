"""A service's OpenAPI document, beside what the service says of itself and what it answers."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema

type Document = dict[str, Any]

_RATES = {"read", "write", "strict", "upload", "build", "socket"}
_METHODS = {"get", "put", "post", "patch", "delete", "head", "options"}


def operations(made: Document) -> Iterator[tuple[str, str, Document]]:
    """Every operation of a document: its path, its method, and what is said of it."""
    for path, item in made["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, method, operation


def faults(made: Document) -> list[str]:
    """What every operation has to say, and some do not."""
    return [
        f"{method} {path}: {fault}"
        for path, method, operation in operations(made)
        for fault in _faults(operation)
    ]


def _faults(operation: Document) -> Iterator[str]:
    if operation.get("x-rate-class") not in _RATES:
        yield "no rate class"
    if "x-scope" not in operation or not operation.get("security"):
        yield "no scope"
    if not operation.get("summary") or not operation.get("description"):
        yield "no summary"
    if not operation.get("tags"):
        yield "no tag"
    responses = operation.get("responses", {})
    if not any(status.startswith(("2", "3")) for status in responses):
        yield "no success"
    if not {"400", "401", "403", "404", "429", "503", "default"} <= set(responses):
        yield "no failures"


def strays(made: Document, answers: list[httpx.Response]) -> list[str]:
    """The answers that the document does not describe."""
    return [
        f"{answer.request.method} {answer.request.url.path} {answer.status_code}: {fault}"
        for answer in answers
        if (fault := _stray(made, answer))
    ]


def _stray(made: Document, answer: httpx.Response) -> str | None:
    operation = _operation(made, answer)
    if operation is None:
        return "no such operation"
    described = operation["responses"].get(str(answer.status_code))
    if described is None:
        return "no such status"
    kind = answer.headers.get("content-type", "").partition(";")[0]
    content = described.get("content", {})
    if not answer.content:
        return None
    if kind not in content:
        return f"no {kind}"
    schema = {**content[kind]["schema"], "components": made.get("components", {})}
    error = next(jsonschema.Draft202012Validator(schema).iter_errors(answer.json()), None)
    return error.message if error else None


def _operation(made: Document, answer: httpx.Response) -> Document | None:
    """What is said of the operation that answered; a fixed path goes before one that varies."""
    target, method = answer.request.url.path, answer.request.method.lower()
    paths = sorted(made["paths"], key=lambda path: path.count("{"))
    for path in paths:
        pattern = re.sub(r"\\{path\\}", ".+", re.escape(path))
        pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", pattern)
        if re.fullmatch(pattern, target) and method in made["paths"][path]:
            operation: Document = made["paths"][path][method]
            return operation
    return None
