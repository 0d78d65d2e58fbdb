"""Turn the table of the gateway's own answers into Envoy's mappers, two for each row."""

from typing import Any

import msgspec

_REQUEST_ID = "%REQ(X-REQUEST-ID)%"
_MADE_ID = "%RESP(X-REQUEST-ID)%"
_CEL = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"

type Mapper = dict[str, Any]


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"answer": "as"}):
    """One row: which of Envoy's answers it stands for, and what the caller gets instead."""

    status: int | None = None
    # every status from this one on
    at_least: int | None = msgspec.field(default=None, name="from")
    flag: str = ""
    details: str = ""
    answer: int | None = None
    code: str = ""
    title: str = ""
    message: str = ""
    headers: dict[str, str] = {}
    details_of: list[dict[str, str]] = []
    # perhaps nothing of the request was read, not even its id
    early: bool = False
    # the answer is somebody's own words already
    keep: bool = False


def mappers(rows: list[dict[str, Any]]) -> list[Mapper]:
    """Return the mappers, in the order of the rows: Envoy takes the first whose filter fits."""
    return [mapper for row in msgspec.convert(rows, list[Reply]) for mapper in _of(row)]


def _of(row: Reply) -> list[Mapper]:
    wanted = _filters(row)
    if row.keep:
        return [{"filter": _all(wanted)}]
    if not row.early:
        return _pair(row, wanted, _REQUEST_ID)
    named = msgspec.structs.replace(row, headers=row.headers | {"x-request-id": "%UNIQUE_ID%"})
    known = _header("x-request-id", "[A-Za-z0-9._-]{8,128}")
    return _pair(row, [*wanted, known], _REQUEST_ID) + _pair(named, wanted, _MADE_ID)


def _pair(row: Reply, wanted: list[Mapper], request_id: str) -> list[Mapper]:
    problem = {
        "type": "about:blank",
        "title": row.title,
        "status": row.answer or row.status or row.at_least,
        "detail": row.message,
        # without the query, which may hold a ticket
        "instance": "%PATH(NQ:ORIG_OR_PATH)%",
        "code": row.code,
        "details": row.details_of,
        "requestId": request_id,
    }
    error = {
        "code": row.code,
        "message": row.message,
        "details": row.details_of,
        "requestId": request_id,
    }
    accepts = _header("accept", ".*application/problem\\+json.*")
    return [
        _mapper(row, [*wanted, accepts], problem, "application/problem+json"),
        _mapper(row, wanted, {"success": False, "error": error}, "application/json"),
    ]


def _mapper(row: Reply, wanted: list[Mapper], body: Mapper, media_type: str) -> Mapper:
    mapper: Mapper = {
        "filter": _all(wanted),
        "body_format_override": {"json_format": body, "content_type": media_type},
        "headers_to_add": [
            {
                "header": {"key": name, "value": value},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
            for name, value in row.headers.items()
        ],
    }
    if row.answer is not None:
        mapper["status_code"] = row.answer
    return mapper


def _filters(row: Reply) -> list[Mapper]:
    found: list[Mapper] = []
    if row.status is not None:
        found.append(_status("EQ", row.status))
    if row.at_least is not None:
        found.append(_status("GE", row.at_least))
    if row.flag:
        found.append({"response_flag_filter": {"flags": [row.flag]}})
    if row.details:
        expression = f'response.code_details.startsWith("{row.details}")'
        found.append(
            {
                "extension_filter": {
                    "name": "details",
                    "typed_config": {"@type": _CEL, "expression": expression},
                }
            }
        )
    return found


def _status(operator: str, status: int) -> Mapper:
    value = {"default_value": status, "runtime_key": "gateway.never_set"}
    return {"status_code_filter": {"comparison": {"op": operator, "value": value}}}


def _header(name: str, pattern: str) -> Mapper:
    matcher = {"safe_regex": {"regex": pattern}}
    return {"header_filter": {"header": {"name": name, "string_match": matcher}}}


def _all(filters: list[Mapper]) -> Mapper:
    return filters[0] if len(filters) == 1 else {"and_filter": {"filters": filters}}
