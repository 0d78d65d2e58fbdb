"""Who calls is decided here alone: nothing that a client says about itself is believed."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey

from fleet.gateway_testing import Answer, Edge

pytestmark = pytest.mark.integration

USER = "0190a000-0000-7000-8000-000000000001"
KEY_OWNER = "0190a000-0000-7000-8000-00000000000a"
REQUIRED = "/api/v1/projects"
OPTIONAL = "/api/v1/projects/1"
OPEN = "/api/v1/auth/login"
FORGED = {
    "x-user-id": "mallory",
    "X-User-Name": "mallory",
    "x-auth-role": "admin",
    "x-auth-method": "jwt",
    "x-auth-scopes": "all",
    "x-auth-session": "s",
    "x-auth-project": "p",
    "x-internal-call": "1",
    "x-fleet-secret": "guess",
    "x-envoy-external-address": "10.0.0.1",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-max-retries": "100",
    "x-forwarded-host": "evil.example",
    "x-original-url": "/internal/authz",
}


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()


def _claims(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    decoded: dict[str, object] = msgspec.json.decode(base64.urlsafe_b64decode(part + "=="))
    return decoded


@pytest.mark.parametrize("path", [OPEN, OPTIONAL, "/api/projects/1", "/cdn/a/b"])
def test_forged_identity_headers_never_arrive(edge: Edge, path: str) -> None:
    answer = edge.ask("GET", path, FORGED)
    assert answer.status == 200
    assert answer.seen("x-fleet-secret") == "the-fleets-own-secret"
    assert answer.seen("x-envoy-external-address") == "127.0.0.1"
    kept = {"x-fleet-secret", "x-envoy-external-address"}
    for name in {name.lower() for name in FORGED} - kept:
        assert answer.seen(name) is None, name


def test_forged_identity_headers_open_nothing(edge: Edge) -> None:
    assert edge.ask("GET", REQUIRED, FORGED).code() == "UNAUTHENTICATED"


def test_a_header_with_underscores_is_refused(edge: Edge) -> None:
    assert edge.ask("GET", OPTIONAL, {"x_user_id": "mallory"}).status == 400


def test_a_token_becomes_an_identity(edge: Edge, bearer: dict[str, str]) -> None:
    answer = edge.ask("GET", REQUIRED, FORGED | bearer)
    said = {
        "x-user-id": USER,
        "x-auth-session": "session-1",
        "x-auth-role": "user",
        "x-auth-method": "jwt",
        "x-auth-scopes": None,
        "x-auth-project": None,
        "authorization": None,
        "x-fleet-secret": "the-fleets-own-secret",
    }
    assert {name: answer.seen(name) for name in said} == said


def test_a_connection_header_takes_no_identity_away(edge: Edge, bearer: dict[str, str]) -> None:
    answer = edge.ask("GET", REQUIRED, bearer | {"connection": "x-user-id, x-fleet-secret"})
    assert (answer.seen("x-user-id"), answer.seen("connection")) == (USER, None)


@pytest.mark.parametrize("path", [OPTIONAL, "/api/v1/templates", "/api/v1/users/somebody"])
def test_an_optional_route_honours_a_token_and_needs_none(
    edge: Edge, bearer: dict[str, str], path: str
) -> None:
    assert edge.ask("GET", path, bearer).seen("x-user-id") == USER
    anonymous = edge.ask("GET", path)
    assert anonymous.status == 200
    assert (anonymous.seen("x-user-id"), anonymous.seen("x-auth-method")) == (None, None)


def test_a_password_is_not_refused_because_of_a_stale_token(
    edge: Edge, token: Callable[..., str]
) -> None:
    stale = {"authorization": f"Bearer {token(exp=int(time.time()) - 60)}"}
    answer = edge.ask("POST", OPEN, stale)
    assert (answer.status, answer.seen("authorization")) == (200, None)


def _refused(edge: Edge, value: str) -> Answer:
    """Send a bad Authorization header to a route that wants one and to one that would not."""
    answers = [edge.ask("GET", path, {"authorization": value}) for path in (REQUIRED, OPTIONAL)]
    assert [answer.status for answer in answers] == [401, 401]
    assert {answer.header("www-authenticate") for answer in answers} == {"Bearer"}
    assert answers[0].code() == answers[1].code()
    return answers[0]


def test_an_expired_token_says_so(edge: Edge, token: Callable[..., str]) -> None:
    answer = _refused(edge, f"Bearer {token(exp=int(time.time()) - 30)}")
    assert answer.code() == "TOKEN_EXPIRED"


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": 4_102_444_800},
        {"exp": "soon"},
        {"nbf": 4_102_444_800},
        {"aud": "another"},
        {"aud": None},
        {"iss": "another"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
    ],
)
def test_a_token_for_something_else_is_refused(
    edge: Edge, token: Callable[..., str], claims: dict[str, object]
) -> None:
    bad = {"authorization": f"Bearer {token(**claims)}"}
    answer = edge.ask("GET", REQUIRED, bad)
    assert (answer.status, answer.code()) == (401, "UNAUTHENTICATED")


def test_a_token_of_another_key_is_refused(edge: Edge, token: Callable[..., str]) -> None:
    other = ECKey.generate_key("P-256")
    _refused(edge, f"Bearer {token(signed_by=other)}")
    _refused(edge, f"Bearer {token(signed_by=other, header={'kid': 'unknown'})}")
    _refused(edge, f"Bearer {token(signed_by=other, header={'kid': '../../etc/passwd'})}")
    brought = {"jwk": other.as_dict(private=False)}
    _refused(edge, f"Bearer {token(signed_by=other, header=brought)}")


def _signed(key: ECKey, header: dict[str, object], claims: dict[str, object]) -> str:
    """Sign with ES256, whatever the header says."""
    text = f"{_part(header)}.{_part(claims)}"
    private = key.private_key
    assert private is not None
    r, s = decode_dss_signature(private.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_a_token_that_is_signed_by_hand_counts_if_the_key_is_ours(
    edge: Edge, token: Callable[..., str], key: ECKey
) -> None:
    good = _signed(key, {"alg": "ES256", "kid": key.kid, "typ": "at+jwt"}, _claims(token()))
    assert edge.ask("GET", REQUIRED, {"authorization": f"Bearer {good}"}).status == 200


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"kid": None},
        {"kid": ""},
        {"kid": "' OR 1=1 --"},
        {"kid": "/dev/null"},
        {"kid": ["a"]},
        {"jku": "http://evil.example/jwks.json"},
        {"x5u": "http://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"alg": "ES384"},
        {"alg": "RS256"},
        {"alg": "HS256"},
        {"alg": ["ES256"]},
        {"alg": None},
        {"crit": ["exp"]},
        {"typ": "JWT"},
    ],
)
def test_no_header_makes_a_foreign_key_ours(
    edge: Edge, token: Callable[..., str], key: ECKey, header: dict[str, object]
) -> None:
    other = ECKey.generate_key("P-256")
    brought = {"alg": "ES256", "kid": key.kid, "typ": "at+jwt"} | header
    _refused(edge, f"Bearer {_signed(other, brought, _claims(token()))}")


@pytest.mark.parametrize("algorithm", ["ES384", "ES512", "RS256", "HS256", "none", "es256", None])
def test_our_key_signs_in_one_way_alone(
    edge: Edge, token: Callable[..., str], key: ECKey, algorithm: str | None
) -> None:
    header: dict[str, object] = {"alg": algorithm, "kid": key.kid, "typ": "at+jwt"}
    _refused(edge, f"Bearer {_signed(key, header, _claims(token()))}")


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", ""])
def test_an_unsigned_token_is_refused(
    edge: Edge, token: Callable[..., str], algorithm: str
) -> None:
    claims = _part(_claims(token()))
    _refused(edge, f"Bearer {_part({'alg': algorithm, 'typ': 'at+jwt'})}.{claims}.")


def test_a_token_signed_with_the_public_key_is_refused(
    edge: Edge, token: Callable[..., str], key: ECKey
) -> None:
    text = f"{_part({'alg': 'HS256', 'kid': key.kid})}.{_part(_claims(token()))}"
    for secret in (key.as_pem(private=False), msgspec.json.encode(key.as_dict(private=False))):
        digest = hmac.digest(secret, text.encode(), hashlib.sha256)
        signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        _refused(edge, f"Bearer {text}.{signature}")


def test_times_are_taken_as_they_are_but_for_a_little(
    edge: Edge, token: Callable[..., str]
) -> None:
    now = int(time.time())
    early = {"authorization": f"Bearer {token(nbf=now + 30)}"}
    assert edge.ask("GET", REQUIRED, early).code() == "UNAUTHENTICATED"
    long = {"authorization": f"Bearer {token(iat=now, exp=now + 1000)}"}
    assert edge.ask("GET", REQUIRED, long).code() == "UNAUTHENTICATED"
    # clocks differ
    for near in (token(nbf=now + 3), token(exp=now - 3)):
        assert edge.ask("GET", REQUIRED, {"authorization": f"Bearer {near}"}).status == 200


def test_a_changed_token_is_refused(edge: Edge, token: Callable[..., str]) -> None:
    header, _, signature = token().split(".")
    promoted = _part(_claims(token()) | {"role": "admin"})
    _refused(edge, f"Bearer {header}.{promoted}.{signature}")
    _refused(edge, f"Bearer {header}.{promoted}.")
    _refused(edge, f"Bearer {header}.{promoted}")
    _, claims, _ = token().split(".")
    altered = signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")
    _refused(edge, f"Bearer {header}.{claims}.{altered}")
    _refused(edge, f"Bearer {header}.{claims}.{'A' * len(signature)}")
    _refused(edge, f"Bearer {header}.{claims}.{signature}.{signature}")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer wl_good_key",
        "Basic dTpw",
        "Token x",
        "Bearer ...",
    ],
)
def test_what_is_no_token_is_refused(edge: Edge, value: str) -> None:
    assert edge.ask("GET", REQUIRED, {"authorization": value}).status == 401


@pytest.mark.parametrize("value", ["Bearer", "Bearer x", "Basic dTpw", "Token x"])
def test_what_is_no_token_is_not_anonymous_either(edge: Edge, value: str) -> None:
    assert edge.ask("GET", OPTIONAL, {"authorization": value}).status == 401


def test_a_token_counts_in_its_header_alone(edge: Edge, token: Callable[..., str]) -> None:
    good = token()
    assert edge.ask("GET", f"{REQUIRED}?access_token={good}").status == 401
    assert edge.ask("GET", REQUIRED, {"cookie": f"access_token={good}"}).status == 401
    assert edge.ask("GET", f"{OPTIONAL}?access_token={good}").seen("x-user-id") is None


def test_a_key_becomes_an_identity(edge: Edge) -> None:
    answer = edge.ask("POST", f"{REQUIRED}?x=1", FORGED | {"x-api-key": "wl_good_key"}, b"{}")
    said = {
        "x-user-id": KEY_OWNER,
        "x-auth-role": "user",
        "x-auth-method": "api_key",
        "x-auth-scopes": "projects:read builds:write",
        "x-auth-project": "0190a000-0000-7000-8000-00000000000b",
        "x-auth-session": None,
        "x-api-key": None,
        "x-not-for-services": None,
    }
    assert {name: answer.seen(name) for name in said} == said
    assert answer.json()["bodyBytes"] == 2


@pytest.mark.parametrize("path", [REQUIRED, OPTIONAL, "/api/projects"])
def test_a_bad_key_is_refused_in_auths_own_words(edge: Edge, path: str) -> None:
    refused = edge.ask("GET", path, {"x-api-key": "wl_unknown"})
    assert refused.status == 401
    assert refused.json()["error"]["message"] == "auth says so"
    assert refused.header("www-authenticate") == "Bearer"
    denied = edge.ask("GET", path, {"x-api-key": "wl_denied"})
    assert (denied.status, denied.code()) == (403, "FORBIDDEN")


def test_an_empty_key_is_nobody(edge: Edge) -> None:
    assert edge.ask("GET", REQUIRED, {"x-api-key": ""}).status == 401
    assert edge.ask("GET", OPTIONAL, {"x-api-key": ""}).seen("x-user-id") is None


def test_a_check_that_names_nobody_lets_nobody_in(edge: Edge) -> None:
    assert edge.ask("GET", REQUIRED, {"x-api-key": "wl_nobody"}).code() == "UNAUTHENTICATED"


def test_a_key_beside_a_token_does_not_count(
    edge: Edge, bearer: dict[str, str], token: Callable[..., str]
) -> None:
    both = edge.ask("GET", REQUIRED, bearer | {"x-api-key": "wl_good_key"})
    assert (both.seen("x-user-id"), both.seen("x-api-key")) == (USER, None)
    bad = {"authorization": f"Bearer {token(aud='another')}", "x-api-key": "wl_good_key"}
    for path in (REQUIRED, OPTIONAL):
        assert edge.ask("GET", path, bad).status == 401
        assert (
            edge.ask("GET", path, {"authorization": "", "x-api-key": "wl_good_key"}).status == 401
        )


def test_two_headers_are_not_one_identity(edge: Edge, token: Callable[..., str]) -> None:
    twice = [("authorization", f"Bearer {token()}"), ("authorization", "Bearer x")]
    assert edge.ask("GET", REQUIRED, twice).status in {400, 401}
