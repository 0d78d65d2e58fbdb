"""The operator's commands about providers."""

import argparse
import sys
from getpass import getpass
from pathlib import Path

from auth.operation import Commands, Desk
from auth.providers import service
from auth.providers.types import (
    GITHUB,
    ISSUERS,
    KINDS,
    NAME,
    SCOPES,
    Kind,
    Provider,
    is_safe,
    sealed_as,
)
from common.errors import InvalidError

_SECRET_CHARS_MAX = 4096


def offer(commands: Commands) -> None:
    """Add the commands."""
    setting = commands.add_parser(
        "set-provider", help="let people log in through another provider, or change how"
    )
    setting.add_argument("name", help="google and github are known; others as you like")
    setting.add_argument("--kind", choices=list(SCOPES), help="unless the name says it: oidc")
    setting.add_argument("--issuer", help="of an OpenID provider: the address that it calls itself")
    setting.add_argument("--site", help=f"of a GitHub of your own, instead of {GITHUB['site']}")
    setting.add_argument("--api", help=f"of a GitHub of your own, instead of {GITHUB['api']}")
    setting.add_argument("--client-id", required=True, help="what the provider calls this fleet")
    setting.add_argument(
        "--secret-file", required=True, help="the client's secret is in this file; - reads it here"
    )
    setting.add_argument("--scope", action="append", help="instead of the usual ones; repeatable")
    setting.set_defaults(operation=put)
    listed = commands.add_parser("providers", help="list who else may say who somebody is")
    listed.set_defaults(operation=show)
    removing = commands.add_parser("remove-provider", help="let nobody log in through it any more")
    removing.add_argument("name")
    removing.add_argument(
        "--with-identities", action="store_true", help="forget also whom people are there"
    )
    removing.set_defaults(operation=remove)


async def put(desk: Desk, given: argparse.Namespace) -> int:
    """Keep a provider, with its secret sealed."""
    name: str = given.name
    if not NAME.fullmatch(name):
        raise InvalidError(f"{name!r} is no name: a-z, 0-9 and hyphens, at most 32.")
    kind: Kind = given.kind or KINDS.get(name, "oidc")
    secret = _secret(given.secret_file)
    provider = Provider(
        name,
        kind,
        _urls(name, kind, given),
        given.client_id,
        desk.vault.seal(secret.encode(), sealed_as(name)),
        given.scope or SCOPES[kind],
    )
    await service.put(desk.db, provider)
    base = desk.settings.gateway_url.rstrip("/")
    sys.stdout.write(
        f"{name} is set. Its callback URL, as the provider has to know it, is\n"
        f"{base}/api/v1/auth/oauth/{name}/callback\n"
    )
    return 0


def _urls(name: str, kind: Kind, given: argparse.Namespace) -> dict[str, str]:
    if kind == "github":
        if given.issuer:
            raise InvalidError("GitHub has no issuer; --site and --api say where it is.")
        urls = {"site": given.site or GITHUB["site"], "api": given.api or GITHUB["api"]}
        urls = {which: url.rstrip("/") for which, url in urls.items()}
    else:
        if given.site or given.api:
            raise InvalidError("An OpenID provider says itself where it is: give its --issuer.")
        urls = {"issuer": given.issuer or ISSUERS.get(name, "")}
    for which, url in urls.items():
        if not is_safe(url):
            raise InvalidError(f"--{which} must be an https:// address, and not {url!r}.")
    return urls


def _secret(file: str) -> str:
    secret = (_typed() if file == "-" else _read(Path(file))).strip()
    if not secret or len(secret) > _SECRET_CHARS_MAX or not secret.isprintable():
        raise InvalidError("There is no secret in there: one line, and nothing else.")
    return secret


def _typed() -> str:
    """What is typed is not shown."""
    return getpass("The client's secret: ") if sys.stdin.isatty() else sys.stdin.read()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidError(f"The secret cannot be read: {exc}") from exc


async def show(desk: Desk, given: argparse.Namespace) -> int:
    """List the providers; their secrets stay where they are."""
    del given
    for each in await service.index(desk.db):
        where = "  ".join(each.urls[which] for which in sorted(each.urls, reverse=True))
        sys.stdout.write(
            f"{each.name}  {each.kind}  {where}  {each.client_id}  {' '.join(each.scopes)}\n"
        )
    return 0


async def remove(desk: Desk, given: argparse.Namespace) -> int:
    """Forget a provider."""
    count = await service.remove(desk.db, given.name, with_identities=given.with_identities)
    sys.stdout.write(f"{given.name} is removed, and {count} identities with it.\n")
    return 0
