"""JetStream's streams and durable consumers, as ``deploy/nats/streams.yaml`` declares them."""

from pathlib import Path
from typing import Literal

import msgspec
import nats
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from common.settings import load

DAY_S = 86_400
HOUR_S = 3_600


class NatsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where NATS is, and what is declared."""

    nats_url: str
    nats_admin_password: str
    streams_path: str


class Stream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stream as it is declared."""

    name: str
    subjects: list[str]
    retention: Literal["limits", "workqueue"]
    discard: Literal["new", "old"]
    max_age_days: int
    max_bytes: int
    duplicate_window_hours: int
    replicas: int = 1


class Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for every consumer that does not say otherwise."""

    max_deliver: int
    ack_wait_s: int
    max_ack_pending: int


class Consumer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One durable consumer as it is declared; it is named like the service that listens."""

    stream: str
    name: str
    filter_subjects: list[str]
    max_deliver: int | None = None
    ack_wait_s: int | None = None
    max_ack_pending: int | None = None


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of streams.yaml."""

    streams: list[Stream]
    consumers: list[Consumer]
    defaults: Defaults


def declared(path: Path) -> Declaration:
    """Read the declaration."""
    return msgspec.yaml.decode(path.read_bytes(), type=Declaration)


async def prepare() -> None:
    """Make the streams and consumers that are missing, and change those that differ."""
    settings = load(NatsSettings)
    declaration = declared(Path(settings.streams_path))
    client = await nats.connect(
        settings.nats_url,
        user="admin",
        password=settings.nats_admin_password,
        name="bootstrap",
        max_reconnect_attempts=3,
    )
    try:
        jetstream = client.jetstream()
        for stream in declaration.streams:
            await _stream(jetstream, stream)
        for consumer in declaration.consumers:
            # creating a durable consumer again changes it to what is declared
            await jetstream.add_consumer(
                consumer.stream, config=_consumer(consumer, declaration.defaults)
            )
    finally:
        await client.close()


async def _stream(jetstream: JetStreamContext, stream: Stream) -> None:
    config = StreamConfig(
        name=stream.name,
        subjects=stream.subjects,
        retention=RetentionPolicy(stream.retention),
        storage=StorageType.FILE,
        discard=DiscardPolicy(stream.discard),
        max_age=stream.max_age_days * DAY_S,
        max_bytes=stream.max_bytes,
        duplicate_window=stream.duplicate_window_hours * HOUR_S,
        num_replicas=stream.replicas,
    )
    try:
        await jetstream.stream_info(stream.name)
    except NotFoundError:
        await jetstream.add_stream(config)
    else:
        await jetstream.update_stream(config)


def _consumer(consumer: Consumer, defaults: Defaults) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=consumer.name,
        filter_subjects=consumer.filter_subjects,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        max_deliver=_or(consumer.max_deliver, defaults.max_deliver),
        ack_wait=_or(consumer.ack_wait_s, defaults.ack_wait_s),
        max_ack_pending=_or(consumer.max_ack_pending, defaults.max_ack_pending),
    )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
