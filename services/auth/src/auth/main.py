"""The auth service: who somebody is, and what proves it."""

from litestar import Litestar

from auth.accounts import routes as accounts
from auth.addresses import routes as addresses
from auth.admin import routes as admin
from auth.api_keys import routes as api_keys
from auth.audit import events
from auth.audit import routes as audit
from auth.audit.sealer import Sealer
from auth.identities import routes as identities
from auth.invitations import routes as invitations
from auth.keys import routes as keys
from auth.keys.keyring import Keys
from auth.mail.mailer import Mailer
from auth.mail.types import Postbox
from auth.oauth import routes as oauth
from auth.oauth.party import RelyingParty
from auth.passwords import Passwords
from auth.recovery import routes as recovery
from auth.revocations import routes as gateways
from auth.revocations.spreading import Revocations
from auth.secrets import Vault
from auth.sessions import routes as sessions
from auth.sessions.service import Means
from auth.settings import Settings
from auth.tickets import routes as tickets
from auth.upkeep import Upkeep
from common import app
from common.settings import load


def create_app() -> Litestar:
    """Build the service from its environment."""
    settings = load(Settings)
    vault = Vault(settings.key_encryption_key, settings.key_encryption_keys_other)
    signing, passwords = Keys(settings, vault), Passwords(settings)
    post = Postbox(settings, vault)
    means = Means(settings, signing, vault, passwords, post)
    revocations = Revocations(settings)
    party = RelyingParty(means)
    return app.build(
        "auth",
        settings,
        [
            accounts.router,
            accounts.name,
            addresses.router,
            admin.router,
            audit.router,
            sessions.router,
            recovery.router,
            oauth.router,
            identities.router,
            invitations.router,
            tickets.issue,
            tickets.redeem,
            api_keys.router,
            api_keys.authorize,
            keys.jwks,
            gateways.discover,
            gateways.show,
        ],
        subscriptions=events.SUBSCRIPTIONS,
        dependencies={
            "settings": app.given(settings),
            "means": app.given(means),
            "keys": app.given(signing),
            "revocations": app.given(revocations),
            "party": app.given(party),
        },
        parts=[
            signing,
            passwords,
            revocations,
            Mailer(post),
            party,
            Upkeep(settings, vault),
            Sealer(settings),
        ],
        settle=revocations.spread,
    )
