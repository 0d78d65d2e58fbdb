"""The buckets and their rules, as ``deploy/s3/buckets.yaml`` declares them."""

import asyncio
import time
from pathlib import Path
from typing import Any

import aioboto3
import msgspec
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.settings import load
from fleet.bootstraps.rules import Bucket, cors_of, is_ours, lifecycle_of

log = structlog.get_logger()

# a store that does not know a rule, or not this kind of rules, and says so
_REFUSALS = {
    "InvalidArgument",
    "InvalidRequest",
    "MalformedXML",
    "MethodNotAllowed",
    "NotImplemented",
}
_NONE_YET = {"NoSuchCORSConfiguration", "NoSuchLifecycleConfiguration"}


class S3Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the store is, the identity that may make buckets, and which there are to be."""

    s3_endpoint_url: str
    s3_access_key: str
    s3_secret_key: str
    s3_region: str = "us-east-1"
    buckets_path: str
    allowed_origins: str = ""
    # a store that answers may still wait for its own parts
    patience_s: float = 20.0


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of buckets.yaml."""

    buckets: list[Bucket]


def declared(path: Path) -> Declaration:
    """Read the declaration."""
    return msgspec.yaml.decode(path.read_bytes(), type=Declaration)


async def prepare() -> None:
    """Make the buckets that are missing, and give each its rules."""
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


async def _make(settings: S3Settings, buckets: list[Bucket]) -> None:
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
    origins = [origin for origin in settings.allowed_origins.split(",") if origin]
    async with session.client("s3", endpoint_url=settings.s3_endpoint_url, config=config) as s3:
        there = {bucket["Name"] for bucket in (await s3.list_buckets())["Buckets"]}
        for bucket in buckets:
            if bucket.name not in there:
                await s3.create_bucket(Bucket=bucket.name)
        await asyncio.gather(*[_ruled(s3, bucket, origins) for bucket in buckets])


async def _ruled(
    s3: Any,  # noqa: ANN401 - boto's clients are made at run time
    bucket: Bucket,
    origins: list[str],
) -> None:
    # not both at once: a store may keep all that is said of a bucket in one place
    await _rule(s3, bucket.name, "cors", "CORSRules", cors_of(bucket, origins))
    await _rule(s3, bucket.name, "lifecycle_configuration", "Rules", lifecycle_of(bucket))


async def _rule(
    s3: Any,  # noqa: ANN401 - as above
    bucket: str,
    kind: str,
    field: str,
    wanted: list[dict[str, Any]],
) -> None:
    """Let a bucket have our rules besides those that are not; say what it did not take."""
    found = await _found(s3, bucket, kind, field)
    foreign = [rule for rule in found if not is_ours(rule)]
    if _same([rule for rule in found if is_ours(rule)], wanted):
        return
    if not await _put(s3, bucket, kind, field, [*foreign, *wanted]):
        # one after the other, so that a store that does not know one of them has the others
        taken = foreign
        for rule in wanted:
            if await _put(s3, bucket, kind, field, [*taken, rule]):
                taken = [*taken, rule]
    there = {rule.get("ID") for rule in await _found(s3, bucket, kind, field)}
    for rule in wanted:
        if rule["ID"] not in there:
            log.warning("bucket_rule_refused", bucket=bucket, kind=kind, rule=rule["ID"])


async def _put(
    s3: Any,  # noqa: ANN401 - as above
    bucket: str,
    kind: str,
    field: str,
    rules: list[dict[str, Any]],
) -> bool:
    """Give a bucket just these rules; false where the store does not know one of them."""
    try:
        if rules:
            name = "CORSConfiguration" if kind == "cors" else "LifecycleConfiguration"
            await getattr(s3, f"put_bucket_{kind}")(Bucket=bucket, **{name: {field: rules}})
        else:
            await getattr(s3, f"delete_bucket_{kind.removesuffix('_configuration')}")(Bucket=bucket)
    except ClientError as exc:
        if exc.response["Error"]["Code"] in _REFUSALS:
            return False
        raise
    return True


async def _found(
    s3: Any,  # noqa: ANN401 - as above
    bucket: str,
    kind: str,
    field: str,
) -> list[dict[str, Any]]:
    try:
        rules: list[dict[str, Any]] = (await getattr(s3, f"get_bucket_{kind}")(Bucket=bucket))[
            field
        ]
    except ClientError as exc:
        if exc.response["Error"]["Code"] in _NONE_YET | _REFUSALS:
            return []
        raise
    return rules


def _same(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    """Whether the rules are the same, whatever a store adds to them or leaves out."""
    by_id = {rule["ID"]: rule for rule in found}
    return len(found) == len(wanted) and all(
        rule.items() <= by_id.get(rule["ID"], {}).items() for rule in wanted
    )
