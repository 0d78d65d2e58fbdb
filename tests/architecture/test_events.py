"""Events are contracts: named by a rule, owned by one service, and only ever added to."""

import re
from typing import Any

import msgspec
import pytest
import yaml

from common.contracts.base import CloudEvent
from tests.architecture import events
from tests.architecture.applications import facts
from tests.architecture.layout import ROOT, SERVICES

pytestmark = pytest.mark.architecture
SUBJECT = re.compile(r"[a-z]+\.[a-z_]+\.[a-z_]+\.v[1-9]\d*")
IRREGULAR = {"sent", "left", "lost", "built", "written", "taken", "put", "run"}
EVERY = events.every()


def test_a_subject_is_service_noun_past_version() -> None:
    for subject in EVERY:
        assert SUBJECT.fullmatch(subject), subject
        verb = subject.split(".")[2].rpartition("_")[2]
        assert verb.endswith("ed") or verb in IRREGULAR, f"{subject} is not in the past"


def test_an_event_belongs_to_the_module_of_its_publisher() -> None:
    strangers = {
        event.subject: module
        for module, found in events.modules().items()
        for event in found
        if event.subject.partition(".")[0] != module
    }
    assert strangers == {}
    assert set(events.modules()) <= set(SERVICES)


def test_every_event_says_what_it_means() -> None:
    assert [subject for subject, event in EVERY.items() if not event.__doc__] == []


@pytest.mark.parametrize("subject", EVERY)
def test_frozen_examples_decode_with_today_s_struct(subject: str) -> None:
    envelope: Any = CloudEvent
    kind = envelope[EVERY[subject]]
    examples = sorted((events.EXAMPLES / subject).glob("*.json"))
    assert examples, "run python -m tests.architecture.events"
    for path in examples:
        decoded = msgspec.json.decode(path.read_bytes(), type=kind)
        assert decoded.type == subject


def test_no_frozen_event_has_disappeared() -> None:
    assert {path.name for path in events.EXAMPLES.iterdir()} <= set(EVERY)
    assert set(events.locked()) <= set(EVERY)


@pytest.mark.parametrize("subject", EVERY)
def test_a_schema_differs_from_its_lock_by_optional_additions_only(subject: str) -> None:
    before = events.locked().get(subject)
    assert before is not None, "run python -m tests.architecture.events"
    assert events.broken(before, events.schema(EVERY[subject])) == []


def test_what_breaks_a_contract_is_seen() -> None:
    before = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
    assert events.broken(before, {"properties": {}, "required": ["a"]})
    assert events.broken(before, {"properties": {"a": {"type": "integer"}}, "required": ["a"]})
    assert events.broken(before, {"properties": {"a": {"type": "string"}}, "required": []})
    added = {"a": {"type": "string"}, "b": {"type": "string", "default": ""}}
    assert events.broken(before, {"properties": added, "required": ["a"]}) == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_consumer_hears_what_its_service_subscribes_to(service: str) -> None:
    wanted = set(facts(service).subscriptions)
    heard = {subject for f in _filters(service) for subject in EVERY if _matches(f, subject)}
    assert heard == wanted, "deploy/nats/streams.yaml and the subscriptions differ"


def _filters(service: str) -> list[str]:
    declared = yaml.safe_load((ROOT / "deploy/nats/streams.yaml").read_text(encoding="utf-8"))
    return [
        subject
        for consumer in declared["consumers"]
        if consumer["stream"] == "EVENTS" and consumer["name"] == service
        for subject in consumer["filter_subjects"]
    ]


def _matches(pattern: str, subject: str) -> bool:
    wanted = re.escape(pattern).replace(r"\*", "[^.]+").replace(r"\.>", r"\..+").replace(">", ".+")
    return re.fullmatch(wanted, subject) is not None


def test_every_filter_hears_something() -> None:
    patterns = {f for service in SERVICES for f in _filters(service)}
    assert {p for p in patterns if not any(_matches(p, subject) for subject in EVERY)} == set()


def test_the_events_stream_takes_every_subject() -> None:
    declared = yaml.safe_load((ROOT / "deploy/nats/streams.yaml").read_text(encoding="utf-8"))
    (stream,) = (s for s in declared["streams"] if s["name"] == "EVENTS")
    lost = {s for s in EVERY if not any(_matches(p, s) for p in stream["subjects"])}
    assert lost == set()
