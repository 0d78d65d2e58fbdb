"""AsyncAPI 3, made from the event structs: who announces what, who listens, and its schema."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

import common.contracts
from common.contracts.base import CloudEvent, Event
from fleet.home import repository
from fleet.secrets import SERVICES

type Document = dict[str, Any]

_REF = "#/components/schemas/{name}"


def events() -> list[type[Event]]:
    """Return every kind of event, by subject."""
    for module in pkgutil.iter_modules(common.contracts.__path__):
        importlib.import_module(f"common.contracts.{module.name}")
    return sorted(_concrete(Event), key=lambda kind: kind.subject)


def _concrete(kind: type[Event]) -> Iterator[type[Event]]:
    for sub in kind.__subclasses__():
        if "subject" in vars(sub):
            yield sub
        yield from _concrete(sub)


def asyncapi() -> Document:
    """Return the document of every event on NATS."""
    kinds = events()
    envelopes = [CloudEvent[kind] for kind in kinds]  # type: ignore[valid-type]  # types known at run time
    payloads, schemas = msgspec.json.schema_components(envelopes, ref_template=_REF)
    listeners = _listeners()
    channels: Document = {}
    operations: Document = {}
    messages: Document = {}
    for kind, payload in zip(kinds, payloads, strict=True):
        name, owner = kind.__name__, kind.subject.partition(".")[0]
        summary = (kind.__doc__ or "").strip()
        messages[name] = {
            "name": kind.subject,
            "contentType": "application/cloudevents+json",
            "summary": summary,
            "payload": payload,
        }
        channels[name] = {
            "address": kind.subject,
            "description": summary,
            "servers": [{"$ref": "#/servers/nats"}],
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        }
        operations[f"{owner}.announces.{name}"] = _operation("send", name, owner)
        for listener, patterns in listeners.items():
            if any(_hears(pattern, kind.subject) for pattern in patterns):
                operations[f"{listener}.hears.{name}"] = _operation("receive", name, listener)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Worldloom",
            "version": "1",
            "description": "What the services announce. Fields are only ever added.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {
            "nats": {
                "host": "localhost:18422",
                "protocol": "nats",
                "description": "JetStream, stream EVENTS.",
            }
        },
        "channels": channels,
        "operations": dict(sorted(operations.items())),
        "components": {"messages": messages, "schemas": schemas},
    }


def _operation(action: str, name: str, service: str) -> Document:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
        "tags": [{"name": service}],
    }


def _listeners() -> dict[str, list[str]]:
    path = repository() / "deploy" / "nats" / "streams.yaml"
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {}
    for consumer in declared["consumers"]:
        if consumer["stream"] == "EVENTS" and consumer["name"] in SERVICES:
            found.setdefault(consumer["name"], []).extend(consumer["filter_subjects"])
    return found


def _hears(pattern: str, subject: str) -> bool:
    """Whether a NATS subject pattern covers a subject."""
    wanted, given = pattern.split("."), subject.split(".")
    for i, part in enumerate(wanted):
        if part == ">":
            return len(given) > i
        if i >= len(given) or part not in {"*", given[i]}:
            return False
    return len(wanted) == len(given)
