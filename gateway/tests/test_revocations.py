"""A session that is over opens nothing, though its tokens have not expired."""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import msgspec
import pytest

from common.ids import uuid7
from fleet.gateway_testing import Answer, Edge
from fleet.gateway_values import Upstreams

pytestmark = pytest.mark.integration

SOON_S = 10.0
REQUIRED = "/api/v1/projects"
OPTIONAL = "/api/v1/projects/1"
OPEN = "/api/v1/auth/login"


class Sessions:
    """The list that the stand-in for auth gives to every gateway."""

    def __init__(self, port: int, token: Callable[..., str]) -> None:
        self._port = port
        self._token = token

    def bearer(self) -> tuple[str, dict[str, str]]:
        """Log somebody in: the session, and the header that speaks for it."""
        session = str(uuid7())
        return session, {"authorization": f"Bearer {self._token(sid=session)}"}

    def end(self, session: str) -> None:
        """Put a session on the list."""
        self._say(f"over={session}")

    def take_away(self) -> None:
        """Let there be no list to be had."""
        self._say("away=1")

    def askers(self) -> list[str]:
        """The gateways that asked since the last time; the list is there again."""
        return self._say("")

    def _say(self, wish: str) -> list[str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SOON_S)
        with closing(connection):
            connection.request("GET", f"/standin/sessions?{wish}")
            askers: list[str] = msgspec.json.decode(connection.getresponse().read())
            return askers


@pytest.fixture
def sessions(upstreams: Upstreams, token: Callable[..., str]) -> Iterator[Sessions]:
    """The list; it is there for whoever comes next."""
    known = Sessions(upstreams.auth[0].port, token)
    yield known
    known.askers()


def _refused(edge: Edge, path: str, headers: dict[str, str]) -> Answer:
    """Ask until the gateway has heard that the session is over, and give its refusal."""
    until = time.monotonic() + SOON_S
    while (answer := edge.ask("GET", path, headers)).status == 200:
        assert time.monotonic() < until, "It is still let in."
        time.sleep(0.02)
    return answer


@pytest.mark.parametrize("path", [REQUIRED, OPTIONAL])
def test_who_logged_out_is_let_in_no_more(edge: Edge, sessions: Sessions, path: str) -> None:
    session, headers = sessions.bearer()
    assert edge.ask("GET", path, headers).status == 200
    sessions.end(session)
    answer = _refused(edge, path, headers)
    assert (answer.status, answer.code()) == (401, "UNAUTHENTICATED")
    assert answer.json()["error"]["message"] == "The session is over; log in again."
    assert answer.header("www-authenticate") == "Bearer"
    problem = edge.ask("GET", path, headers | {"accept": "application/problem+json"})
    assert (problem.status, problem.json()["code"]) == (401, "UNAUTHENTICATED")


def test_others_go_on(edge: Edge, sessions: Sessions) -> None:
    (session, headers), (_, others) = sessions.bearer(), sessions.bearer()
    sessions.end(session)
    _refused(edge, REQUIRED, headers)
    assert edge.ask("GET", REQUIRED, others).status == 200
    assert edge.ask("GET", REQUIRED, {"x-api-key": "wl_good_key"}).status == 200
    assert edge.ask("GET", OPTIONAL).status == 200
    # where a token is not looked at, one that is good no more does not stand in the way
    assert edge.ask("GET", OPEN, headers).status == 200


def test_nobody_says_for_themselves_which_session_they_are(edge: Edge, sessions: Sessions) -> None:
    (session, headers), (other, _) = sessions.bearer(), sessions.bearer()
    sessions.end(session)
    _refused(edge, REQUIRED, headers)
    assert edge.ask("GET", REQUIRED, headers | {"x-auth-session": other}).status == 401


def test_the_list_stays_while_auth_cannot_tell_it(edge: Edge, sessions: Sessions) -> None:
    (session, headers), (_, others) = sessions.bearer(), sessions.bearer()
    sessions.end(session)
    _refused(edge, REQUIRED, headers)
    sessions.take_away()
    time.sleep(10 * edge.values.revoked_refresh_s)
    assert edge.ask("GET", REQUIRED, headers).status == 401
    assert edge.ask("GET", REQUIRED, others).status == 200
    assert len(sessions.askers()) > 1


def test_the_list_is_not_for_callers(edge: Edge) -> None:
    for path in ("/v3/discovery:extension_configs", "/internal/sessions/1"):
        assert edge.ask("POST", path, {"content-type": "application/json"}, b"{}").status == 404


def test_a_gateway_that_starts_has_the_list_before_it_lets_anybody_in(
    start: Callable[..., Edge], sessions: Sessions
) -> None:
    session, headers = sessions.bearer()
    sessions.end(session)
    assert start(name="late").ask("GET", REQUIRED, headers).status == 401


def test_a_gateway_starts_without_the_list(start: Callable[..., Edge], sessions: Sessions) -> None:
    (session, headers), (_, others) = sessions.bearer(), sessions.bearer()
    sessions.end(session)
    sessions.take_away()
    edge = start(name="alone", revoked_first_s=0.5)
    assert edge.ask("GET", REQUIRED, others).status == 200
    assert "alone" in sessions.askers()
    _refused(edge, REQUIRED, headers)
