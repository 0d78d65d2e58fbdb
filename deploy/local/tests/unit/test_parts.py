"""The parts of the runner that touch nothing but a directory."""

import base64

import pytest

from fleet import ports, processes, secrets
from fleet.bootstraps import nats as streams
from fleet.bootstraps import s3 as buckets
from fleet.home import repository
from fleet.processes import Process


def process(name: str, *needs: str) -> Process:
    return Process(name=name, command=(name,), environment={}, needs=needs)


def test_chosen_processes_bring_what_they_need():
    every = [process("a"), process("b", "a"), process("c", "b"), process("d")]
    assert [p.name for p in processes.chosen(every, ("c",))] == ["a", "b", "c"]
    assert processes.chosen(every, ()) == every
    with pytest.raises(ValueError, match=r"No such process: x\. There are: a, b, c, d\."):
        processes.chosen(every, ("x",))


def test_a_child_dies_with_the_runner_and_drops_root():
    plain = processes.guarded(process("a"))
    assert plain == ("setpriv", "--pdeathsig", "KILL", "--", "a")
    dropped = processes.guarded(
        Process(name="a", command=("a",), environment={}, user="postgres", death_signal="INT")
    )
    assert dropped[:3] == ("setpriv", "--pdeathsig", "INT")
    assert "--reuid=postgres" in dropped


def test_missing_secrets_are_added_and_known_ones_kept(tmp_path):
    path = tmp_path / "secrets.json"
    path.write_text(
        '{"fleet_secret": "known", "nats": {"auth": "old"}, "key_encryption_keys_other": "before"}'
    )
    made = secrets.ensure(path)
    assert made.key_encryption_keys_other == "before"
    known = "known"
    assert made.fleet_secret == known
    assert made.nats["auth"] == "old"
    assert len(base64.b64decode(made.key_encryption_key)) == 32
    assert made.nats["projects"].isalnum()
    assert not made.nats["projects"].isdigit()
    assert secrets.ensure(path) == made


def test_no_two_ports_are_the_same():
    for chosen in (ports.Ports(), ports.free()):
        numbers = list(ports.by_name(chosen).values())
        assert len(set(numbers)) == len(numbers)


def test_chosen_ports_are_kept(tmp_path):
    path = tmp_path / "ports.json"
    assert ports.kept(path) == ports.Ports()
    chosen = ports.free()
    ports.keep(path, chosen)
    assert ports.kept(path) == chosen


def test_every_consumer_is_a_service_on_a_declared_stream():
    declared = streams.declared(repository() / "deploy" / "nats" / "streams.yaml")
    names = {stream.name for stream in declared.streams}
    for consumer in declared.consumers:
        assert consumer.stream in names
        assert consumer.name in secrets.SERVICES
        assert consumer.filter_subjects


def test_every_service_that_stores_has_an_identity():
    folder = repository() / "deploy" / "s3"
    identities = (folder / "identities.json").read_text()
    for name in (*secrets.STORING, "admin"):
        assert f"${{{name.upper()}_SECRET_KEY}}" in identities
    for bucket in buckets.declared(folder / "buckets.yaml").buckets:
        assert f'"Write:{bucket.name}"' in identities
