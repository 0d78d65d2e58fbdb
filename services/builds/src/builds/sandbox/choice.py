"""Which sandbox a worker builds in: the one it is told, and no other in its place."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from builds.sandbox.bubblewrap import Bubblewrap
from builds.sandbox.cluster import Account
from builds.sandbox.container import Container
from builds.sandbox.kubernetes import Kubernetes
from builds.sandbox.manifest import Place
from builds.sandbox.none import Nothing
from builds.sandbox.types import Sandbox, UnavailableSandboxError
from builds.settings import Settings


def _kubernetes(settings: Settings) -> Sandbox:
    account = Account(
        settings.sandbox_api, settings.sandbox_namespace, Path(settings.sandbox_account)
    )
    place = Place(settings.sandbox_image, settings.sandbox_runtime_class)
    return Kubernetes(account, place, start_s=settings.sandbox_start_s)


KINDS: Mapping[str, Callable[[Settings], Sandbox]] = {
    "bubblewrap": lambda settings: Bubblewrap(settings.sandbox_user),
    "container": lambda settings: Container(
        shlex.split(settings.sandbox_engine), settings.sandbox_image, Path(settings.sandbox_filter)
    ),
    "kubernetes": _kubernetes,
    "none": lambda _: Nothing(),
}
"""The kinds by the names that ``SANDBOX`` may have."""


def chosen(settings: Settings) -> Sandbox:
    """The sandbox that the settings name; raises ``UnavailableSandboxError`` where there is none.

    Whether it works here shows ``prepare``. Nothing takes the place of one that does not.
    """
    make = KINDS.get(settings.sandbox)
    if make is None:
        known = ", ".join(KINDS)
        raise UnavailableSandboxError(f"SANDBOX is {settings.sandbox!r} and not one of {known}.")
    return make(settings)
