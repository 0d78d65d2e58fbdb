"""Which sandbox a worker takes: the one it is told, or none at all with a reason."""

import pytest

from builds.sandbox import choice
from builds.sandbox.bubblewrap import Bubblewrap
from builds.sandbox.container import Container
from builds.sandbox.kubernetes import Kubernetes
from builds.sandbox.none import Nothing
from builds.sandbox.types import UnavailableSandboxError
from builds.settings import Settings


def _settings(**more):
    return Settings(database_url="", fleet_secret="", play_secret="", nats_url="", **more)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Bubblewrap),
        ({"sandbox": "bubblewrap"}, Bubblewrap),
        ({"sandbox": "container"}, Container),
        ({"sandbox": "kubernetes"}, Kubernetes),
        ({"sandbox": "none"}, Nothing),
    ],
)
def test_the_sandbox_is_the_one_that_is_named(given, expected):
    found = choice.chosen(_settings(**given))
    assert isinstance(found, expected)
    assert bool(found.warning) == (expected is Nothing)


@pytest.mark.parametrize("name", ["", "None", "docker", "off"])
def test_no_other_word_means_a_sandbox_and_least_of_all_none(name):
    with pytest.raises(UnavailableSandboxError, match="bubblewrap, container, kubernetes, none"):
        choice.chosen(_settings(sandbox=name))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"sandbox_engine": "no-such-engine"}, "no-such-engine"),
        ({"sandbox_engine": "true", "sandbox_filter": "/nowhere"}, "/nowhere"),
        ({"sandbox_engine": "false", "sandbox_filter": "/etc/hostname"}, "cannot run"),
    ],
)
async def test_an_engine_that_cannot_be_had_is_told(settings, reason):
    sandbox = choice.chosen(_settings(sandbox="container", **settings))
    with pytest.raises(UnavailableSandboxError, match=reason):
        await sandbox.prepare()
