"""A service's OpenAPI document, completed with what the framework does not know.

``python -m fleet.describe projects.main:create_app`` prints it: scopes, rate classes, the failures
that every operation shares, and request bodies that take no unknown members.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from common.errors import Failure
from common.idempotency import Keyed

type Document = dict[str, Any]

_FAILURES = {
    "400": "The request is not valid; ``details`` name each fault.",
    "401": "Nobody is known to be calling, or the token is not good any more.",
    "403": "The caller is known, and may not do this.",
    "404": "There is no such thing, or the caller may not know of it.",
    "429": "Too many requests; ``Retry-After`` says when to come back.",
    "500": "A fault of ours; its ``requestId`` finds it in our logs.",
    "503": "Something does not answer now; ``Retry-After`` says when to try again.",
    "504": "It took too long; whether it was done is not known.",
    "default": "Any other failure, in the same envelope.",
}
_WRITE_FAILURES = {
    "409": "The state of things does not allow this, or the Idempotency-Key was used before.",
}
_BODY_FAILURES = {
    "413": "The body is larger than it may be; ``details`` have the limit.",
    "415": "The body is of another type than this takes.",
}
_SCHEMES: Document = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def document(app: Litestar) -> Document:
    """Return the OpenAPI 3.1 document of an application."""
    made: Document = app.openapi_schema.to_schema()
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    (_, failure) = msgspec.json.schema_components([Failure], ref_template=_REF)
    schemas.update(failure)
    components["securitySchemes"] = _SCHEMES
    for path, method, handler in _operations(app):
        operation = made["paths"].get(path, {}).get(method)
        if operation is not None:
            _complete(operation, handler.opt)
            _add_body(operation, handler.opt, schemas)
            _add_failures(operation, method)
            _add_key(operation, handler)
            _close(operation, schemas)
    return made


_KEY: Document = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A secret of yours, 1 to 255 visible ASCII characters. A request that is"
    " repeated with it within a day has its effect once, and is answered the same, with"
    " ``Idempotency-Replayed: true``. Only callers that are known have keys.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_REF = "#/components/schemas/{name}"


def _operations(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in handler.http_methods:
                    yield route.path_format, method.lower(), handler


def _complete(operation: Document, opt: dict[str, Any]) -> None:
    scope = opt.get("scope")
    security: list[Document] = [{"bearer": []}]
    if scope:
        security.append({"apiKey": [scope]})
    if opt.get("anonymous"):
        security.append({})
    operation["security"] = security
    # the framework gathers them in a set, whose order differs from run to run
    operation.get("parameters", []).sort(key=lambda each: (each["in"], each["name"]))
    operation["x-scope"] = scope
    operation["x-rate-class"] = opt.get("rate", "read")


def _add_failures(operation: Document, method: str) -> None:
    """Say how an operation fails: as every one does, as writes do, as those with a body do."""
    content = {"application/json": {"schema": {"$ref": _REF.format(name="Failure")}}}
    responses = operation.setdefault("responses", {})
    known = dict(_FAILURES)
    if method != "get":
        known |= _WRITE_FAILURES
    if "requestBody" in operation:
        known |= _BODY_FAILURES
    for status, description in known.items():
        if status == "400" or status not in responses:
            responses[status] = {"description": description, "content": content}


def _add_body(operation: Document, opt: dict[str, Any], schemas: Document) -> None:
    """Describe the body of a route that reads it itself."""
    content: Document = {}
    if opt.get("body") is not None:
        (schema,), found = msgspec.json.schema_components([opt["body"]], ref_template=_REF)
        for name, part in found.items():
            schemas.setdefault(name, part)
        content["application/json"] = {"schema": schema}
    if opt.get("takes_bytes"):
        content["application/octet-stream"] = {"schema": {"type": "string", "format": "binary"}}
    if content:
        wanted = opt.get("body")
        # where no member must be there, neither must the body
        needed = wanted is None or any(field.required for field in msgspec.structs.fields(wanted))
        operation["requestBody"] = {"required": needed, "content": content}


def _add_key(operation: Document, handler: HTTPRouteHandler) -> None:
    """Say of a route that creates that it may be repeated."""
    if Keyed not in tuple(handler.middleware or ()):
        return
    operation.setdefault("parameters", []).append(_KEY)


def _close(operation: Document, schemas: Document) -> None:
    """Say of a request's object what the decoder does: unknown members are refused."""
    content = operation.get("requestBody", {}).get("content", {})
    for media in content.values():
        name = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if name in schemas:
            schemas[name].setdefault("additionalProperties", False)


def main() -> None:
    """Print the document of the application that the first argument names."""
    module, _, attribute = sys.argv[1].partition(":")
    create: Callable[[], Litestar] = getattr(importlib.import_module(module), attribute)
    body = msgspec.json.format(msgspec.json.encode(document(create()), order="sorted"), indent=2)
    sys.stdout.buffer.write(body + b"\n")


if __name__ == "__main__":
    main()
