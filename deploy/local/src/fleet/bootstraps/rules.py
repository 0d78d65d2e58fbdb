"""What browsers may ask of a bucket, and when what is in it goes away: S3's words for it."""

from typing import Any

import msgspec

# rules of this name are the declaration's; all others are somebody else's
_OURS = "worldloom"


class Cors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What pages of the allowed origins may ask of a bucket, with a presigned URL."""

    methods: list[str]
    headers: list[str]
    expose: list[str]
    max_age_s: int


class Lifecycle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When what was left behind goes away."""

    abort_uploads_after_days: int | None = None
    expire_after_days: int | None = None


class Bucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bucket, and its rules."""

    name: str
    cors: Cors | None = None
    lifecycle: Lifecycle = Lifecycle()


def is_ours(rule: dict[str, Any]) -> bool:
    """Whether a rule that a bucket has is one of the declaration's."""
    return str(rule.get("ID", "")).startswith(_OURS)


def cors_of(bucket: Bucket, origins: list[str]) -> list[dict[str, Any]]:
    """The bucket's rules for browsers; none where no page is allowed anything."""
    if bucket.cors is None or not origins:
        return []
    return [
        {
            "ID": f"{_OURS}-editors",
            "AllowedMethods": bucket.cors.methods,
            "AllowedOrigins": origins,
            "AllowedHeaders": bucket.cors.headers,
            "ExposeHeaders": bucket.cors.expose,
            "MaxAgeSeconds": bucket.cors.max_age_s,
        }
    ]


def lifecycle_of(bucket: Bucket) -> list[dict[str, Any]]:
    """The bucket's rules for what is left behind."""
    rules: list[dict[str, Any]] = []
    everything = {"Status": "Enabled", "Filter": {"Prefix": ""}}
    if days := bucket.lifecycle.abort_uploads_after_days:
        abort = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days}}
        rules.append({"ID": f"{_OURS}-abort-uploads", **everything, **abort})
    if days := bucket.lifecycle.expire_after_days:
        rules.append({"ID": f"{_OURS}-expire", **everything, "Expiration": {"Days": days}})
    return rules
