"""The protocol of OAuth 2.0 as Authlib speaks it, over calls that are bounded.

Authlib's own HTTP clients want another library than the rest of the fleet has, and read answers
of any size; what it knows of OAuth does not depend on them.
"""

from urllib.parse import quote_plus

import msgspec
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from auth.oauth.types import Endpoints, Flow, ProviderError, Tokens
from auth.oauth.web import Web
from auth.providers.types import Provider

_STEP = "code"
_FORM = "application/x-www-form-urlencoded"
_WORD_CHARS_MAX = 64


class _Refusal(msgspec.Struct, frozen=True):
    error: str


def authorize_url(
    provider: Provider, endpoints: Endpoints, redirect_uri: str, state: str, flow: Flow
) -> str:
    """The address of a provider's page, where somebody says that it may tell who they are."""
    client = OAuth2Client(
        None,
        client_id=provider.client_id,
        scope=" ".join(provider.scopes),
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
    )
    more = {"nonce": flow.nonce} if provider.kind == "oidc" else {}
    url: str
    url, _ = client.create_authorization_url(
        endpoints.authorize, state=state, code_verifier=flow.verifier, **more
    )
    return url


async def exchange(
    web: Web,
    provider: Provider,
    endpoints: Endpoints,
    redirect_uri: str,
    code: str,
    flow: Flow,
    secret: str,
) -> Tokens:
    """Exchange a code for tokens; raises ``ProviderError`` where it is refused."""
    form = prepare_token_request(
        "authorization_code",
        code=code,
        redirect_uri=redirect_uri,
        code_verifier=flow.verifier,
    )
    client_id = provider.client_id
    if endpoints.client_auth == "client_secret_basic":
        # each is form-encoded before they are joined (RFC 6749, 2.3.1), which Authlib leaves out
        client_id, secret = quote_plus(client_id), quote_plus(secret)
    proof = ClientAuth(client_id, secret, endpoints.client_auth)
    url, headers, form = proof.prepare("POST", endpoints.token, {"content-type": _FORM}, form)
    answer = await web.post(url, _STEP, headers, form.encode())
    if not answer.is_good:
        raise ProviderError(_STEP, f"status {answer.status}")
    if refusal := _refusal(answer.body):
        # GitHub says so with status 200
        raise ProviderError(_STEP, f"refused: {refusal}")
    tokens = answer.read(Tokens, _STEP)
    if tokens.token_type.lower() != "bearer":
        raise ProviderError(_STEP, "the token is of another kind")
    return tokens


def _refusal(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Refusal).error[:_WORD_CHARS_MAX]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
