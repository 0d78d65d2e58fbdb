"""Logging in through another provider: the way there, and the way back."""

import asyncio
import hmac
import re
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import msgspec
import structlog

from auth.errors import OAuthDeniedError, OAuthFailedError, OAuthStateError
from auth.identities import service as identities
from auth.identities.types import Source
from auth.oauth import repository
from auth.oauth.party import RelyingParty
from auth.oauth.repository import Kept
from auth.oauth.schema import Listed
from auth.oauth.types import Begun, Flow, ProviderError, Returned, sealed_as
from auth.secrets import SealError, digest, fresh
from auth.sessions.service import Device, Grant
from common.database import Database
from common.errors import InvalidError, ServiceError, UnavailableError

log = structlog.get_logger()

_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")
_UNKNOWN = "This login was not begun here, is over, or comes from another browser: begin again."
_REASON_CHARS_MAX = 300


class Led(msgspec.Struct, frozen=True):
    """A login that ended where a page waits for it: what the browser is given, and the page."""

    page: str
    grant: Grant | None = None


async def index(db: Database, party: RelyingParty) -> list[Listed]:
    """Return the providers that one may log in through."""
    return [Listed(each.name, each.kind) for each in await party.providers(db)]


async def begin(
    db: Database, party: RelyingParty, name: str, redirect_to: str | None, browser: str
) -> Begun:
    """Begin a login: keep what its end must prove, and say where the browser goes."""
    provider = await party.provider(db, name)
    if redirect_to is not None and redirect_to not in party.redirects:
        raise InvalidError.of("redirectTo", "This is not one of the pages that may be led to.")
    # one for all its tabs, so that each of them may come back
    if not _BROWSER.fullmatch(browser):
        browser = fresh()
    state, flow = fresh(), Flow(fresh(), fresh())
    try:
        url = await party.authorize_url(provider, state, flow)
    except ProviderError as exc:
        raise _unusable(name, exc) from exc
    kept_as = digest(state)
    await repository.begin(
        db,
        kept_as,
        name,
        digest(browser),
        party.means.vault.seal(msgspec.json.encode(flow), sealed_as(kept_as)),
        redirect_to,
        party.means.settings.oauth_flow_lifetime_s,
    )
    return Begun(url, browser)


async def finish(
    db: Database,
    party: RelyingParty,
    name: str,
    returned: Returned,
    browser: str,
    device: Device,
) -> Grant | Led:
    """End a login that this browser began: log in whom the provider vouches for.

    Where a page waits for it, the page is told of a failure too. What was not begun by this
    browser is led nowhere.
    """
    kept = await repository.take(db, digest(returned.state))
    flow = _flow(party, kept, name, digest(returned.state), browser)
    page = kept.redirect_to if kept else None
    try:
        grant = await _granted(db, party, name, returned, flow, device)
    except ServiceError as exc:
        if page is None:
            raise
        return Led(_with(page, error=exc.code))
    # a page on another host of the site cannot read the cookie that says it
    return Led(f"{page}#csrfToken={quote(grant.csrf_token)}", grant) if page else grant


def _flow(party: RelyingParty, kept: Kept | None, name: str, kept_as: bytes, browser: str) -> Flow:
    is_good = (
        kept is not None
        and kept.is_live
        and kept.provider == name
        and hmac.compare_digest(kept.browser, digest(browser))
    )
    if kept is None or not is_good:
        raise OAuthStateError(_UNKNOWN)
    try:
        plain = party.means.vault.unseal(kept.sealed, sealed_as(kept_as))
    except SealError as exc:
        raise OAuthStateError(_UNKNOWN) from exc
    return msgspec.json.decode(plain, type=Flow)


async def _granted(
    db: Database,
    party: RelyingParty,
    name: str,
    returned: Returned,
    flow: Flow,
    device: Device,
) -> Grant:
    provider = await party.provider(db, name)
    try:
        async with asyncio.timeout(party.means.settings.oauth_deadline_s):
            await party.check(provider, returned)
            code = _code(name, returned)
            given = await party.profile(provider, code, flow)
    except ProviderError as exc:
        log.warning("oauth_failed", provider=name, step=exc.step, reason=_reason(exc))
        message = "The provider's answer cannot be used; begin again."
        raise OAuthFailedError(message, {"step": exc.step}) from exc
    except TimeoutError as exc:
        raise UnavailableError("The provider does not answer; try again.") from exc
    return await identities.enter(db, party.means, Source(name, provider.urls), given, device)


def _code(name: str, returned: Returned) -> str:
    if returned.error is not None:
        log.info("oauth_denied", provider=name, reason=returned.error[:_REASON_CHARS_MAX])
        raise OAuthDeniedError("The provider did not let you in.")
    if returned.code is None:
        raise ProviderError("callback", "there is no code")
    return returned.code


def _unusable(name: str, exc: ProviderError) -> UnavailableError:
    """Before anybody has logged in, it is the provider or its configuration that is wrong."""
    log.error("provider_unusable", provider=name, step=exc.step, reason=_reason(exc))
    return UnavailableError("The provider cannot be used now.")


def _reason(exc: ProviderError) -> str:
    return str(exc)[:_REASON_CHARS_MAX]


def _with(page: str, **query: str) -> str:
    parts = urlsplit(page)
    joined = "&".join(filter(None, (parts.query, urlencode(query))))
    return urlunsplit(parts._replace(query=joined))
