"""Where a fleet's games are played."""

import msgspec
import pytest

from fleet import play
from fleet.settings import FleetSettings

GATEWAY = 8080


def chosen(origin: str) -> FleetSettings:
    return msgspec.structs.replace(FleetSettings(), play_origin=origin)


@pytest.mark.parametrize(
    ("given", "origin", "port"),
    [
        ("", "http://play.localhost:8080", None),
        ("http://games.example", "http://games.example", None),
        ("http://localhost:8081", "http://localhost:8081", 8081),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081", 8081),
    ],
)
def test_games_have_a_name_or_a_port_of_their_own(given, origin, port):
    assert play.beside(GATEWAY, chosen(given)) == origin
    assert play.port(chosen(given)) == port


@pytest.mark.parametrize("origin", ["http://play.localhost:1", "http://localhost:8081"])
def test_names_of_this_machine_are_found(origin):
    assert play.fault(origin) == ""


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("games", "is none"),
        ("http://games.example/", "is none"),
        ("http://no-such-name.invalid", "leads nowhere"),
    ],
)
def test_what_is_wrong_with_an_origin_is_said(origin, words):
    assert words in play.fault(origin)
