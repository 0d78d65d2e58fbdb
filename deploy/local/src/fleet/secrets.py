"""The local secrets: generated once, readable by their owner alone, never overwritten."""

import base64
import os
import secrets
from pathlib import Path

import msgspec

SERVICES = ("auth", "projects", "assets", "builds", "collab", "registry")
STORING = ("assets", "builds", "projects")
DEMO_EMAIL = "demo@worldloom.example"
DEMO_USERNAME = "demo"


class S3Key(msgspec.Struct, frozen=True):
    """One identity of the object store."""

    access: str
    secret: str


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a local fleet must keep to itself."""

    postgres: dict[str, str] = {}
    nats: dict[str, str] = {}
    redis: dict[str, str] = {}
    s3: dict[str, S3Key] = {}
    fleet_secret: str = ""
    key_encryption_key: str = ""
    # keys before it and one to come, separated by commas: docs/runbooks/rotate-keys.md
    key_encryption_keys_other: str = ""
    play_secret: str = ""
    cdn_secret: str = ""
    demo_password: str = ""


def ensure(path: Path) -> Secrets:
    """Read the secrets; make those that are missing and keep all the others."""
    before = read(path) if path.exists() else Secrets()
    after = _completed(before)
    if after != before:
        _write(path, msgspec.json.format(msgspec.json.encode(after)))
    return after


def read(path: Path) -> Secrets:
    """Read the secrets of a fleet that has been started before."""
    return msgspec.json.decode(path.read_bytes(), type=Secrets)


def _completed(known: Secrets) -> Secrets:
    return Secrets(
        postgres=_passwords((*SERVICES, "postgres")) | known.postgres,
        nats=_passwords((*SERVICES, "admin", "sys")) | known.nats,
        redis=_passwords((*SERVICES, "admin")) | known.redis,
        s3={name: _s3_key() for name in (*STORING, "admin")} | known.s3,
        fleet_secret=known.fleet_secret or _word(),
        key_encryption_key=known.key_encryption_key
        or base64.b64encode(secrets.token_bytes(32)).decode(),
        key_encryption_keys_other=known.key_encryption_keys_other,
        play_secret=known.play_secret or _word(),
        cdn_secret=known.cdn_secret or _word(),
        demo_password=known.demo_password or secrets.token_urlsafe(12),
    )


def _passwords(names: tuple[str, ...]) -> dict[str, str]:
    return {name: _word() for name in names}


def _word() -> str:
    # a letter first: NATS parses a variable's value again, and digits alone would be a number
    return f"w{secrets.token_hex(24)}"


def _s3_key() -> S3Key:
    return S3Key(access=f"WL{secrets.token_hex(8).upper()}", secret=secrets.token_hex(24))


def _write(path: Path, content: bytes) -> None:
    scratch = path.with_suffix(".new")
    scratch.unlink(missing_ok=True)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
