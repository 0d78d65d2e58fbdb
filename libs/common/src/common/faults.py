"""Every fault of a request's body and parameters, not only the first that the decoder met."""

from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.utils.scope.state import ScopeState

type Fault = dict[str, Any]


def of(request: Request[object, object, State], exc: HTTPException) -> list[Fault]:
    """List ``{field, message}`` for each fault that ``exc`` stands for."""
    found = of_body(request)
    if found:
        return found
    extra = exc.extra
    if isinstance(extra, list):
        return [
            # a parameter that would hide a name of Python's ends in an underscore here alone
            {"field": str(e.get("key", "")).removesuffix("_"), "message": str(e.get("message", ""))}
            for e in extra
            if isinstance(e, dict)
        ]
    return [{"field": "", "message": exc.detail}]


def of_body(request: Request[object, object, State]) -> list[Fault]:
    """List the faults of the body, if it was read and is to be a struct."""
    raw = ScopeState.from_scope(request.scope).body
    wanted = _body_type(request)
    return in_body(raw, wanted) if isinstance(raw, bytes) and wanted is not None else []


def _body_type(request: Request[object, object, State]) -> type[msgspec.Struct] | None:
    field = getattr(request.scope.get("route_handler"), "parsed_data_field", None)
    wanted = getattr(field, "annotation", None)
    is_struct = isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)
    return wanted if is_struct else None


def in_body(raw: bytes, wanted: type[msgspec.Struct]) -> list[Fault]:
    """Compare a JSON body with the struct it should fill, member by member."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [{"field": "", "message": "The body is not valid JSON."}]
    if not isinstance(value, dict):
        return [{"field": "", "message": "The body must be a JSON object."}]
    found: list[Fault] = []
    fields = msgspec.structs.fields(wanted)
    for field in fields:
        if field.encode_name not in value:
            if field.required:
                found.append({"field": field.encode_name, "message": "This is required."})
            continue
        try:
            msgspec.convert(value[field.encode_name], field.type)
        except msgspec.ValidationError as fault:
            found.append({"field": field.encode_name, "message": str(fault)})
    known = {field.encode_name for field in fields}
    found += [
        {"field": name, "message": "There is no such member."}
        for name in value
        if name not in known and wanted.__struct_config__.forbid_unknown_fields
    ]
    return found
