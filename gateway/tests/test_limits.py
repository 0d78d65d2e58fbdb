"""Limits: by address before anything is done, by caller afterwards."""

from collections.abc import Callable

import pytest

from fleet.gateway_testing import Answer, Edge
from fleet.gateway_values import Limit, Limits

pytestmark = pytest.mark.integration


def _is_refused(answer: Answer, limit: int) -> None:
    assert (answer.status, answer.code()) == (429, "RATE_LIMITED")
    assert answer.header("x-ratelimit-limit") == str(limit)
    assert answer.header("x-ratelimit-remaining") == "0"
    assert 0 < int(answer.header("x-ratelimit-reset")) <= 60
    assert 0 < int(answer.header("retry-after")) <= 60


def _person(token: Callable[..., str], name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token(sub=name)}"}


def test_a_caller_has_so_many_requests_of_a_class(tight: Edge, token: Callable[..., str]) -> None:
    ada, bob = _person(token, "ada"), _person(token, "bob")
    answers = [tight.ask("GET", f"/api/v1/projects/{n}", ada) for n in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [a.header("x-ratelimit-remaining") for a in answers[:3]] == ["2", "1", "0"]
    assert {a.header("x-ratelimit-limit") for a in answers} == {"3"}
    _is_refused(answers[3], 3)
    assert tight.ask("GET", "/api/v1/builds", ada).status == 429
    # another class and another caller have buckets of their own
    assert tight.ask("POST", "/api/v1/projects", ada).status == 200
    assert tight.ask("GET", "/api/v1/projects", bob).status == 200


def test_a_login_is_limited_by_address_whatever_a_client_says(tight: Edge) -> None:
    paths = ["/api/v1/auth/login", "/api/auth/login", "/api/v1/auth/register"]
    paths += ["/api/v1/auth/login/", "/api/auth/login//", "/api/v1/auth/%6cogin"]
    answers = [
        tight.ask("POST", path, {"x-forwarded-for": f"10.0.0.{number}"})
        for number, path in enumerate(paths)
    ]
    assert [answer.status for answer in answers] == [200, 200, 429, 429, 429, 429]
    _is_refused(answers[2], 2)


def test_a_flood_from_one_address_ends_before_authentication(start: Callable[..., Edge]) -> None:
    edge = start(limits=Limits(address=Limit(20, 60)))
    answers = [edge.ask("GET", "/api/v1/projects") for _ in range(40)]
    assert {answer.status for answer in answers} == {401, 429}
    assert answers[-1].status == 429
    _is_refused(answers[-1], 20)
