"""The events of the fleet, their frozen examples and the lock of their schemas.

``python -m tests.architecture.events`` writes an example for each event that has none, and adds to
the lock what may be added. It changes nothing that is frozen.
"""

import importlib
import pkgutil
import sys
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin
from uuid import UUID

import msgspec

import common.contracts
from common.contracts.base import CloudEvent, Event
from tests.architecture.layout import ROOT

FROZEN = ROOT / "libs/common/tests/contract"
EXAMPLES = FROZEN / "examples"
LOCK = FROZEN / "schemas.json"
AN_ID = UUID("01980f3a-7c00-7000-8000-000000000001")
AN_EVENT = UUID("01980f3a-7c00-7000-8000-0000000000ff")
A_TIME = datetime.fromisoformat("2026-01-02T03:04:05+00:00")
SAMPLES: dict[Any, Any] = {UUID: str(AN_ID), int: 1, bool: True, float: 1.5, datetime: A_TIME}

type Schema = dict[str, Any]


def modules() -> dict[str, list[type[Event]]]:
    """Each publisher's events, by its module's name."""
    found: dict[str, list[type[Event]]] = {}
    for info in pkgutil.iter_modules(common.contracts.__path__):
        module = importlib.import_module(f"common.contracts.{info.name}")
        own = [value for value in vars(module).values() if _is_event(value)]
        events = [event for event in own if event.__module__ == module.__name__]
        if events:
            found[info.name] = events
    return found


def _is_event(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Event) and "subject" in vars(value)


def every() -> dict[str, type[Event]]:
    """Every event by its subject."""
    return {event.subject: event for events in modules().values() for event in events}


def schema(event: type[Event]) -> Schema:
    """What an event's data looks like, without the words that describe it."""
    whole = msgspec.json.schema(event)
    made: Schema = whole["$defs"][event.__name__]
    return {"properties": made.get("properties", {}), "required": made.get("required", [])}


def locked() -> dict[str, Schema]:
    """The schemas as they were frozen."""
    if not LOCK.is_file():
        return {}
    return msgspec.json.decode(LOCK.read_bytes(), type=dict[str, Schema])


def broken(before: Schema, now: Schema) -> list[str]:
    """What changed besides optional additions."""
    faults = [
        f"{name} is gone or is something else"
        for name, part in before["properties"].items()
        if now["properties"].get(name) != part
    ]
    if set(before["required"]) != set(now["required"]):
        faults.append(f"required were {before['required']}, are {now['required']}")
    return faults


def sample(event: type[Event], *, is_full: bool) -> bytes:
    """An event on its way, with all of its members or with those that it must have."""
    service, noun, _, _ = event.subject.split(".")
    fields = [f for f in msgspec.structs.fields(event) if is_full or f.required]
    data = {field.encode_name: _value(field.type, field.name) for field in fields}
    made = CloudEvent(
        id=AN_EVENT,
        source=f"/{service}",
        type=event.subject,
        subject=f"{noun}-{AN_ID}",
        time=A_TIME,
        data=data,
        requestid="req-00000001",
    )
    return msgspec.json.format(msgspec.json.encode(made)) + b"\n"


def _value(kind: Any, name: str) -> object:
    if get_origin(kind) in {Union, UnionType}:
        kind = next(part for part in get_args(kind) if part is not NoneType)
    if get_origin(kind) is dict:
        return {str(AN_ID): "editor"}
    if get_origin(kind) in {list, tuple, set, frozenset}:
        return [_value(get_args(kind)[0], name)]
    return SAMPLES.get(kind, name)


def main() -> None:
    """Freeze what is new."""
    schemas = locked()
    for subject, event in every().items():
        folder = EXAMPLES / subject
        folder.mkdir(parents=True, exist_ok=True)
        if not list(folder.glob("*.json")):
            (folder / "full.json").write_bytes(sample(event, is_full=True))
            (folder / "least.json").write_bytes(sample(event, is_full=False))
            sys.stdout.write(f"{subject}: examples\n")
        now = schema(event)
        if subject not in schemas or not broken(schemas[subject], now):
            schemas[subject] = now
    LOCK.write_bytes(
        msgspec.json.format(msgspec.json.encode(dict(sorted(schemas.items())))) + b"\n"
    )


if __name__ == "__main__":
    main()
