"""Settings come from the environment, once; a bad environment stops the process and says why."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What every service needs. A service subclasses it and adds its own fields."""

    database_url: str
    fleet_secret: str
    nats_url: str
    nats_user: str = ""
    nats_password: str = ""
    redis_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    pool_size: int = 8
    pool_wait_s: float = 1.0
    statement_s_max: float = 5.0
    log_level: str = "info"
    access_log: bool = True
    drain_seconds: float = 1.5
    body_bytes_max: int = 1_048_576
    # of a body that is refused unread, so that the refusal arrives
    unread_bytes_max: int = 67_108_864
    # how long an answer is given again to the same Idempotency-Key, and to how large a request
    answers_kept_s: int = 86_400
    keyed_bytes_max: int = 33_554_432
    outgoing_timeout_s: float = 2.0
    relay_poll_s: float = 0.25
    event_retry_s: float = 0.5
    outbox_kept_days: int = 7
    projects_url: str = ""
    auth_url: str = ""
    assets_url: str = ""
    builds_url: str = ""
    registry_url: str = ""
    gateway_url: str = "http://localhost:8080"


class StorageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the object store is, and with which identity."""

    s3_endpoint_url: str
    s3_access_key: str
    s3_secret_key: str
    s3_public_url: str = "http://localhost:8080"
    s3_region: str = "us-east-1"
    s3_connect_s: float = 1.0
    s3_timeout_s: float = 10.0
    s3_attempts_max: int = 2
    s3_connections_max: int = 32


class SettingsError(Exception):
    """The environment does not fit; the message lists everything that is wrong."""


def load[S: msgspec.Struct](cls: type[S], environ: Mapping[str, str] = os.environ) -> S:
    """Read each field from the variable of its name in capitals, or from the file ``<NAME>_FILE``.

    Raises ``SettingsError`` with every fault, not only the first.
    """
    faults: list[str] = []
    given: dict[str, object] = {}
    for field in msgspec.structs.fields(cls):
        name = field.name.upper()
        text = _text(name, environ, faults)
        if text is None:
            if field.required:
                faults.append(f"{name} is missing (or set {name}_FILE)")
            continue
        try:
            given[field.name] = msgspec.convert(text, field.type, strict=False)
        except msgspec.ValidationError as exc:
            faults.append(f"{name}: {exc}")
    if faults:
        raise SettingsError(
            "The environment is not usable:\n" + "\n".join(f"  {f}" for f in faults)
        )
    return cls(**given)


def _text(name: str, environ: Mapping[str, str], faults: list[str]) -> str | None:
    if name in environ:
        return environ[name]
    path = environ.get(f"{name}_FILE")
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as exc:
        faults.append(f"{name}_FILE: {exc}")
        return None
