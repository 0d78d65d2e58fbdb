"""What the commands of an operator have in common."""

import argparse
from collections.abc import Awaitable, Callable

import msgspec

from auth.secrets import Vault
from auth.settings import Settings
from common.database import Database


class Desk(msgspec.Struct, frozen=True):
    """What a command works with."""

    settings: Settings
    db: Database
    vault: Vault


type Operation = Callable[[Desk, argparse.Namespace], Awaitable[int]]
type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it
