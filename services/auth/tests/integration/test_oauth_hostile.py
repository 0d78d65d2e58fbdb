"""Providers that lie, fail, dawdle or flood: nobody is logged in, and nothing breaks."""

import asyncio
import gzip
import hmac
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from services.auth.tests.browser import Browser, browsing, whose
from services.auth.tests.desk import Desk, code
from services.auth.tests.elsewhere import offer
from services.auth.tests.impostor import CLIENT, SECRET, SUBJECT, Impostor, encoded
from services.auth.tests.operation import operate
from services.auth.tests.standin import Asked, Said, Standin, standing_in

from common.testing.apps import Client, Serving

DISCOVERY = "/.well-known/openid-configuration"
HASTY = {
    "OAUTH_METADATA_CACHED_S": "0",
    "OAUTH_KEYS_READ_AGAIN_S": "0",
    "OAUTH_REST_S": "0",
    "OAUTH_TIMEOUT_S": "0.5",
}
# what a provider says is not ours to repeat
GOSSIP = "<b>provider's own words</b>"


@pytest.fixture(scope="module")
async def impostors() -> AsyncGenerator[Standin]:
    """The server of this module's impostor."""
    async with standing_in() as made:
        yield made


@pytest.fixture(scope="module")
async def offered(
    told: dict[str, str], impostors: Standin, tmp_path_factory: pytest.TempPathFactory
) -> Standin:
    """The same server, set as a provider."""
    folder = tmp_path_factory.mktemp("secrets")
    options = ("--issuer", impostors.url, "--client-id", CLIENT)
    assert (await offer(told, folder, "impostor", SECRET, *options)).code == 0
    return impostors


@pytest.fixture(scope="module")
async def hasty(serve: Serving) -> AsyncGenerator[Client]:
    """A service that remembers nothing of providers."""
    async with serve(**HASTY) as client:
        yield client


@pytest.fixture
def impostor(offered: Standin) -> Impostor:
    """An impostor that is honest yet."""
    return Impostor(offered, "impostor")


@pytest.fixture
async def user(hasty: Client) -> AsyncGenerator[Browser]:
    """Somebody's browser, at the service that remembers nothing."""
    async with browsing(Desk(hasty)) as opened:
        yield opened


def _refused(answer: httpx.Response, *steps: str) -> None:
    assert code(answer) == (400, "OAUTH_FAILED"), answer.text
    [detail] = answer.json()["error"]["details"]
    assert detail["step"] in steps
    assert set(detail) == {"step"}
    _silent(answer)


def _unavailable(answer: httpx.Response) -> None:
    assert code(answer) == (503, "UNAVAILABLE"), answer.text
    assert int(answer.headers["retry-after"]) >= 0
    _silent(answer)


def _silent(answer: httpx.Response) -> None:
    assert GOSSIP not in answer.text
    assert SECRET not in answer.text
    assert "wl_refresh" not in answer.headers.get("set-cookie", "")


async def test_an_honest_one_is_believed(impostor: Impostor, user: Browser) -> None:
    ann = whose(await impostor.log_in(user))
    assert ann.email == f"{SUBJECT}@impostor.example.org"
    form = impostor.standin.last("/token").form
    assert form["grant_type"] == "authorization_code"
    assert form["redirect_uri"].endswith("/api/v1/auth/oauth/impostor/callback")
    # its answer said enough
    assert impostor.standin.count("/userinfo") == 0


def _now(seconds: int) -> Callable[[], int]:
    return lambda: int(time.time()) + seconds


LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "x" * 43},
    "no nonce": {"nonce": None},
    "another issuer": {"iss": "https://evil.example.org"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "somebody-else"},
    "no audience": {"aud": None},
    "an empty audience": {"aud": []},
    "other audiences": {"aud": ["a", "b"]},
    "several audiences, and nobody who asked": {"aud": [CLIENT, "b"]},
    "asked for by another": {"azp": "somebody-else"},
    "several audiences, asked for by another": {"aud": [CLIENT, "b"], "azp": "b"},
    "an audience in another case": {"aud": CLIENT.upper()},
    "over": {"exp": _now(-600)},
    "no end": {"exp": None},
    "an end that is a text": {"exp": "2999999999"},
    "an end that is no time": {"exp": True},
    "made tomorrow": {"iat": _now(86_400), "exp": _now(90_000)},
    "made yesterday": {"iat": _now(-86_400)},
    "made at no time": {"iat": None},
    "not yet": {"nbf": _now(3_600)},
    "nobody": {"sub": None},
    "nobody at all": {"sub": ""},
    "a number": {"sub": 7},
    "somebody with a long name": {"sub": "s" * 256},
    "somebody with a line break": {"sub": "some\nbody"},
    "somebody with a NUL": {"sub": "some\u0000body"},
    "another access token": {"at_hash": encoded(b"0" * 16)},
    "an address that is a list": {"email": ["a@example.org"]},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_a_token_that_is_not_for_this_login_is_refused(
    impostor: Impostor, user: Browser, lie: dict[str, Any]
) -> None:
    impostor.claims = {k: v() if callable(v) else v for k, v in lie.items()}
    _refused(await impostor.log_in(user), "id_token")


async def test_an_issuer_is_spelt_as_it_spells_itself(impostor: Impostor, user: Browser) -> None:
    for spelling in (f"{impostor.issuer}/", impostor.issuer.replace("http", "HTTP")):
        impostor.claims = {"iss": spelling}
        _refused(await impostor.log_in(user), "id_token")


def _hashed(one: Impostor, secret: bytes) -> str:
    head = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{encoded(one.said())}"
    return f"{head}.{encoded(hmac.digest(secret, head.encode(), 'sha256'))}"


def _pem(one: Impostor) -> bytes:
    assert isinstance(one.key, ECKey)
    return one.key.as_pem(private=False)


def _signed_by_another(one: Impostor) -> str:
    own, one.key = one.key, ECKey.generate_key("P-256", {"kid": "one"})
    token, one.key = one.signed(), own
    return token


def _brings_a_key(one: Impostor) -> str:
    own, other = one.key, ECKey.generate_key("P-256", {"kid": "one"})
    one.key = other
    one.header |= {"jwk": other.as_dict(private=False), "jku": f"{one.issuer}/other"}
    token, one.key = one.signed(), own
    return token


FORGERIES: dict[str, Callable[[Impostor], str | None]] = {
    "no signature": lambda one: one.forged({"alg": "none"}),
    "no signature, in other words": lambda one: one.forged({"alg": "nOnE", "kid": "one"}),
    "no signature on one that has a kind": lambda one: one.forged({"alg": "ES256", "kid": "one"}),
    "a signature of zeros": lambda one: one.forged({"alg": "ES256", "kid": "one"}, b"\0" * 64),
    "the client's secret": lambda one: _hashed(one, SECRET.encode()),
    "the public key as a secret": lambda one: _hashed(one, _pem(one)),
    "a key of its own": _signed_by_another,
    "a key that it brings along": _brings_a_key,
    "another kind than is offered": lambda one: one.forged({"alg": "ES384", "kid": "one"}, b"x"),
    "a kind that is none": lambda one: one.forged({"alg": 7}),
    "no kind": lambda one: one.forged({"kid": "one"}),
    "more than is understood": lambda one: one.forged({"alg": "ES256", "crit": ["x"], "x": 1}),
    "two parts": lambda one: one.signed().rpartition(".")[0],
    "four parts": lambda one: f"{one.signed()}.x",
    "five parts": lambda one: f"{one.signed()}.x.y",
    "nothing": lambda _: "",
    "no token": lambda _: "not a token",
    "no letters": lambda _: "\u00e4.\u00f6.\u00fc",
    "a header that is a list": lambda _: f"{encoded([])}.{encoded({})}.x",
    "a header that is deep": lambda _: f"{encoded(b'[' * 90_000)}.x.x",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_a_token_that_the_provider_did_not_sign_is_refused(
    impostor: Impostor, user: Browser, forgery: Callable[[Impostor], str]
) -> None:
    url = await impostor.leads(user)
    impostor.token = forgery(impostor)
    _refused(await user.come_back(url), "id_token")


async def test_what_the_provider_offers_is_not_all_that_is_taken(
    impostor: Impostor, user: Browser
) -> None:
    secret = OctKey.generate_key(256, {"kid": "shared"})
    impostor.honest(id_token_signing_alg_values_supported=["none", "HS256", "ES256"])
    impostor.publishes(impostor.key, {**secret.as_dict(private=True), "kid": "shared"})
    own = impostor.key
    impostor.key, impostor.header = secret, {"alg": "HS256", "kid": "shared"}
    _refused(await impostor.log_in(user), "id_token")
    url = await impostor.leads(user)
    impostor.token = impostor.forged({"alg": "none"})
    _refused(await user.come_back(url), "id_token")
    impostor.key, impostor.header, impostor.token = own, {"alg": "ES256", "kid": "one"}, None
    assert whose(await impostor.log_in(user)).email


KEYS: dict[str, tuple[Callable[[], Any], str]] = {
    "RS256": (lambda: RSAKey.generate_key(2048, {"kid": "two"}), "RS256"),
    "Ed25519": (lambda: OKPKey.generate_key("Ed25519", {"kid": "two"}), "Ed25519"),
    "ES256": (lambda: ECKey.generate_key("P-256", {"kid": "two"}), "ES256"),
}


@pytest.mark.parametrize(("make", "algorithm"), KEYS.values(), ids=KEYS)
async def test_keys_are_of_several_kinds(
    impostor: Impostor, user: Browser, make: Callable[[], Any], algorithm: str
) -> None:
    own = impostor.key
    impostor.key, impostor.header = make(), {"alg": algorithm, "kid": "two"}
    impostor.publishes(own, {"kty": "unheard-of", "kid": "two"}, impostor.key)
    assert whose(await impostor.log_in(user)).email
    # where it is not said which it is, there must be no choice
    impostor.header = {"alg": algorithm}
    impostor.publishes(impostor.key)
    assert whose(await impostor.log_in(user)).email
    impostor.publishes(impostor.key, make())
    _refused(await impostor.log_in(user), "id_token")


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "EC", "kid": "one"},
        {"kty": "EC", "kid": "one", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": "one", "crv": "P-257", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": ["one"], "crv": 1, "x": None, "y": {}},
        {"kty": "EC", "kid": "one", "use": "enc"},
        {"kty": ["EC"]},
        {},
    ],
)
async def test_a_key_that_is_none_proves_nothing(
    impostor: Impostor, user: Browser, key: dict[str, Any]
) -> None:
    impostor.publishes(key)
    _refused(await impostor.log_in(user), "id_token")


async def test_audiences_may_be_several_for_whom_asked(impostor: Impostor, user: Browser) -> None:
    for claims in ({"aud": [CLIENT]}, {"aud": ["b", CLIENT], "azp": CLIENT}, {"azp": CLIENT}):
        impostor.claims = claims
        assert whose(await impostor.log_in(user)).email


async def test_what_is_told_when_asked_is_about_the_same_person(
    impostor: Impostor, user: Browser
) -> None:
    impostor.claims = {"email": None}
    victim = "victim@impostor.example.org"
    told = {"sub": "victim", "email": victim, "email_verified": True}
    impostor.standin.says("/userinfo", told)
    _refused(await impostor.log_in(user), "userinfo")
    assert impostor.standin.last("/userinfo").headers["authorization"] == "Bearer for-userinfo"
    for body, status in ((told, 401), (GOSSIP, 200), ({"email": victim}, 200), ([], 200)):
        impostor.standin.says("/userinfo", body, status)
        _refused(await impostor.log_in(user), "userinfo")


ANSWERS: dict[str, Said] = {
    "a refusal": Said({"error": "invalid_grant", "error_description": GOSSIP}, 400),
    "a refusal that looks good": Said({"error": "bad_verification_code", "access_token": "x"}),
    "an unknown client": Said({"error": "invalid_client"}, 401),
    "words": Said(GOSSIP.encode()),
    "nothing": Said(b""),
    "a list": Said([]),
    "a number": Said(7),
    "no token": Said({"token_type": "bearer"}),
    "a token that is none": Said({"access_token": {}}),
    "another kind of token": Said({"access_token": "x", "token_type": "mac"}),
    "no UTF-8": Said(b'{"access_token": "\xff"}'),
    "a deep one": Said(b'{"access_token":' + b"[" * 100_000),
    "a way elsewhere": Said(None, 302, {"location": "/elsewhere"}),
    "a flood": Said(b" " * 65_536, times=10_000),
    "a flood that says so": Said(b"", headers={"content-length": "1000000000"}),
    "a bomb": Said(gzip.compress(b" " * 50_000_000), headers={"content-encoding": "gzip"}),
}


@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_that_is_no_token_logs_nobody_in(
    impostor: Impostor, user: Browser, said: Said
) -> None:
    url = await impostor.leads(user)
    impostor.standin.says("/token", said.body, said.status, headers=said.headers, times=said.times)
    answer = await user.come_back(url)
    if "content-length" in said.headers:
        # what was promised did not come
        _unavailable(answer)
    else:
        _refused(answer, "code")
    assert impostor.standin.count("/elsewhere") == 0


async def _silence(_: Asked) -> Said:
    await asyncio.sleep(30)
    return Said({})


@pytest.mark.parametrize("path", ["/token", "/jwks", "/userinfo"])
@pytest.mark.parametrize("trouble", ["silence", "a fault", "a limit"])
async def test_a_provider_that_cannot_answer_is_tried_again_later(
    impostor: Impostor, user: Browser, path: str, trouble: str
) -> None:
    impostor.claims = {"email": None}
    if path == "/jwks":
        # a key that nobody has seen yet
        impostor.key = ECKey.generate_key("P-256", {"kid": trouble})
        impostor.header = {"alg": "ES256", "kid": trouble}
    url = await impostor.leads(user)
    if trouble == "silence":
        impostor.standin.answers[path] = _silence
    else:
        impostor.standin.says(path, GOSSIP, 500 if trouble == "a fault" else 429)
    _unavailable(await user.come_back(url))


async def test_an_answer_that_comes_by_drops_is_not_waited_for(
    impostor: Impostor, user: Browser
) -> None:
    url = await impostor.leads(user)
    server = await asyncio.start_server(_drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    where = f"http://127.0.0.1:{port}/token"
    impostor.honest(token_endpoint=where)
    try:
        _unavailable(await user.come_back(url))
    finally:
        server.close()
        server.close_clients()


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
    try:
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)
    except ConnectionError:
        writer.close()


DESCRIPTIONS: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://accounts.google.com"},
    "no issuer": {"issuer": None},
    "a page in the open": {"authorization_endpoint": "http://login.example.org/authorize"},
    "tokens in the open": {"token_endpoint": "http://login.example.org/token"},
    "keys in the open": {"jwks_uri": "http://login.example.org/jwks"},
    "a page that is a script": {"authorization_endpoint": "javascript:alert(1)"},
    "a page that is a list": {"authorization_endpoint": []},
    "a page with a name and a password": {"authorization_endpoint": "https://a:b@c.example.org/"},
    "an address that is none": {"token_endpoint": "https://[::1"},
    "a port that is none": {"token_endpoint": "https://a.example.org:99999999/"},
}


@pytest.mark.parametrize("metadata", DESCRIPTIONS.values(), ids=DESCRIPTIONS)
async def test_a_provider_that_describes_something_else_is_not_gone_to(
    impostor: Impostor, user: Browser, metadata: dict[str, Any]
) -> None:
    impostor.honest(**metadata)
    answer = await user.authorize("impostor")
    _unavailable(answer)
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers


@pytest.mark.parametrize("said", [Said(GOSSIP.encode()), Said({}), Said([], 404), Said({}, 302)])
async def test_a_provider_that_describes_nothing_is_not_gone_to(
    impostor: Impostor, user: Browser, said: Said
) -> None:
    impostor.standin.says(DISCOVERY, said.body, said.status)
    _unavailable(await user.authorize("impostor"))


async def test_userinfo_in_the_open_is_not_asked(impostor: Impostor, user: Browser) -> None:
    impostor.honest(userinfo_endpoint="http://login.example.org/userinfo")
    impostor.claims = {"email": None}
    _refused(await impostor.log_in(user), "userinfo")


async def test_what_a_provider_says_of_itself_is_remembered(
    serve: Serving, impostor: Impostor
) -> None:
    async with serve(OAUTH_KEYS_READ_AGAIN_S="3600") as client, browsing(Desk(client)) as browser:
        for _ in range(3):
            assert whose(await impostor.log_in(browser)).email
        assert impostor.standin.count(DISCOVERY) == 1
        assert impostor.standin.count("/jwks") == 1
        # a key that is not known is looked for, and not all the time
        impostor.key, impostor.header = (
            ECKey.generate_key("P-256", {"kid": "two"}),
            {
                "alg": "ES256",
                "kid": "two",
            },
        )
        impostor.publishes(impostor.key)
        for _ in range(3):
            _refused(await impostor.log_in(browser), "id_token")
        assert impostor.standin.count("/jwks") == 1


async def test_keys_that_changed_are_read_again(serve: Serving, impostor: Impostor) -> None:
    async with serve(OAUTH_KEYS_READ_AGAIN_S="0") as client, browsing(Desk(client)) as browser:
        assert whose(await impostor.log_in(browser)).email
        impostor.key = ECKey.generate_key("P-256", {"kid": "two"})
        impostor.header = {"alg": "ES256", "kid": "two"}
        impostor.publishes(impostor.key)
        assert whose(await impostor.log_in(browser)).email
        assert impostor.standin.count("/jwks") == 2


async def test_a_provider_that_is_away_is_left_alone_and_missed_by_none_that_know_it(
    serve: Serving, impostor: Impostor
) -> None:
    told = {"OAUTH_REST_S": "3600", "OAUTH_TIMEOUT_S": "0.5"}
    async with serve(**told) as client, browsing(Desk(client)) as browser:
        impostor.standin.says(DISCOVERY, GOSSIP, 503)
        answers = await asyncio.gather(*[browser.authorize("impostor") for _ in range(10)])
        for answer in answers:
            _unavailable(answer)
        assert impostor.standin.count(DISCOVERY) == 1
    told = {"OAUTH_METADATA_CACHED_S": "0", "OAUTH_REST_S": "0"}
    async with serve(**told) as client, browsing(Desk(client)) as browser:
        impostor.honest()
        url = await impostor.leads(browser)
        impostor.standin.says(DISCOVERY, GOSSIP, 503)
        # it is known from before
        assert whose(await browser.come_back(url)).email


async def test_a_login_takes_no_longer_than_it_may(serve: Serving, impostor: Impostor) -> None:
    async with serve(OAUTH_DEADLINE_S="0.3") as client, browsing(Desk(client)) as browser:
        url = await impostor.leads(browser)
        impostor.standin.answers["/token"] = _silence
        _unavailable(await browser.come_back(url))


async def test_a_provider_that_is_not_there_any_more(
    told: dict[str, str], serve: Serving, tmp_path
) -> None:
    async with standing_in() as gone:
        impostor = Impostor(gone, "gone")
        options = ("--issuer", gone.url, "--client-id", CLIENT)
        assert (await offer(told, tmp_path, "gone", SECRET, *options)).code == 0
        async with serve() as client, browsing(Desk(client)) as browser:
            url = await impostor.leads(browser)
            # the operator has removed it meanwhile
            assert (await operate(told, "remove-provider", "gone")).code == 0
            answer = await browser.come_back(url)
            assert code(answer) == (404, "NOT_FOUND")
            assert code(await browser.authorize("gone")) == (404, "NOT_FOUND")
    assert (await offer(told, tmp_path, "gone", SECRET, *options)).code == 0
    async with serve() as client, browsing(Desk(client)) as browser:
        # and nobody listens there
        _unavailable(await browser.authorize("gone"))
