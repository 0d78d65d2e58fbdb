"""The buckets, as ``deploy/s3/buckets.yaml`` declares them."""

import asyncio
import time
from pathlib import Path

import aioboto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.settings import load


class S3Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the store is, the identity that may make buckets, and which there are to be."""

    s3_endpoint_url: str
    s3_access_key: str
    s3_secret_key: str
    s3_region: str = "us-east-1"
    buckets_path: str
    # a store that answers may still wait for its own parts
    patience_s: float = 20.0


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of buckets.yaml."""

    buckets: list[str]


def declared(path: Path) -> Declaration:
    """Read the declaration."""
    return msgspec.yaml.decode(path.read_bytes(), type=Declaration)


async def prepare() -> None:
    """Make the buckets that are missing."""
    settings = load(S3Settings)
    declaration = declared(Path(settings.buckets_path))
    give_up_at = time.monotonic() + settings.patience_s
    while True:
        try:
            await _make(settings, declaration.buckets)
        except (BotoCoreError, ClientError):
            if time.monotonic() > give_up_at:
                raise
            await asyncio.sleep(0.2)
        else:
            return


async def _make(settings: S3Settings, names: list[str]) -> None:
    session = aioboto3.Session(
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=settings.s3_secret_key,
        region_name=settings.s3_region,
    )
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"max_attempts": 1},
    )
    async with session.client("s3", endpoint_url=settings.s3_endpoint_url, config=config) as s3:
        there = {bucket["Name"] for bucket in (await s3.list_buckets())["Buckets"]}
        for name in names:
            if name not in there:
                await s3.create_bucket(Bucket=name)
