"""Which addresses a provider may send us to."""

import pytest

from auth.providers.types import may_name

ELSEWHERE, HERE = "https://login.example.org/realm", "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9901/quitquitquit",
        "http://localhost:9901/",
        "http://LOCALHOST/",
        "http://[::1]:9901/",
        "https://127.0.0.1/",
        "https://localhost:8443/token",
    ],
)
def test_only_a_provider_of_this_machine_names_places_on_it(url: str) -> None:
    assert may_name(HERE, url)
    assert not may_name(ELSEWHERE, url)


@pytest.mark.parametrize("place", [ELSEWHERE, HERE])
def test_every_provider_names_places_that_are_safe(place: str) -> None:
    assert may_name(place, "https://tokens.example.org/token")
    for url in ("http://login.example.org/token", "https://ann@login.example.org/", "file:///x"):
        assert not may_name(place, url)
