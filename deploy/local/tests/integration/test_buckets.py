"""The buckets' rules: applied as they are declared, once and again, and nothing else's touched."""

import urllib.error
import urllib.request
from typing import Any

import aioboto3
import pytest
from botocore.config import Config

from fleet.bootstraps import s3 as bootstrap
from fleet.home import repository
from fleet.testing import Running

EDITOR = "http://localhost:5173"


def admin(stores: Running):
    key = stores.secrets.s3["admin"]
    session = aioboto3.Session(
        aws_access_key_id=key.access, aws_secret_access_key=key.secret, region_name="us-east-1"
    )
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return session.client("s3", endpoint_url=url(stores), config=config)


def url(stores: Running) -> str:
    return stores.env("assets")["S3_ENDPOINT_URL"]


@pytest.fixture
def prepare(stores: Running, monkeypatch):
    """Run the bootstrap as the fleet does, for these origins."""
    key = stores.secrets.s3["admin"]

    async def run(origins: str = EDITOR) -> None:
        for name, value in {
            "S3_ENDPOINT_URL": url(stores),
            "S3_ACCESS_KEY": key.access,
            "S3_SECRET_KEY": key.secret,
            "BUCKETS_PATH": str(repository() / "deploy" / "s3" / "buckets.yaml"),
            "ALLOWED_ORIGINS": origins,
        }.items():
            monkeypatch.setenv(name, value)
        await bootstrap.prepare()

    return run


def preflight(stores: Running, bucket: str, origin: str, method: str) -> dict[str, str] | None:
    """What the store says to a page that wants to ask; nothing where it refuses."""
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    request = urllib.request.Request(  # noqa: S310 - an address of this machine
        f"{url(stores)}/{bucket}/key", method="OPTIONS", headers=headers
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above
            told = {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as refused:
        refused.close()
        return None
    # a browser sends nothing without this word for its method, whatever the status
    return told if method in told.get("access-control-allow-methods", "") else None


async def rules(stores: Running, bucket: str) -> dict[str, dict[str, Any]]:
    async with admin(stores) as s3:
        found = await s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    return {rule["ID"]: rule for rule in found["Rules"]}


async def test_an_editors_page_may_send_a_file_and_no_other_may(stores: Running):
    told = preflight(stores, "assets", EDITOR, "PUT")
    assert told is not None
    assert told["access-control-allow-origin"] == EDITOR
    assert "PUT" in told["access-control-allow-methods"]
    assert preflight(stores, "assets", "https://evil.example", "PUT") is None
    assert preflight(stores, "assets", EDITOR, "DELETE") is None
    assert preflight(stores, "builds", EDITOR, "PUT") is None


async def test_what_is_left_behind_goes_away(stores: Running):
    for bucket in ("assets", "builds", "blobs", "exports"):
        abort = (await rules(stores, bucket))["worldloom-abort-uploads"]
        assert abort["Status"] == "Enabled"
        assert abort["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] >= 1
    assert (await rules(stores, "exports"))["worldloom-expire"]["Expiration"] == {"Days": 1}
    for bucket in ("assets", "builds", "blobs"):
        assert set(await rules(stores, bucket)) == {"worldloom-abort-uploads"}


async def test_again_changes_nothing_and_other_rules_stay(stores: Running, prepare):
    own = {
        "ID": "an-operators",
        "Status": "Enabled",
        "Filter": {"Prefix": "old/"},
        "Expiration": {"Days": 9},
    }
    before = await rules(stores, "exports")
    async with admin(stores) as s3:
        await s3.put_bucket_lifecycle_configuration(
            Bucket="exports", LifecycleConfiguration={"Rules": [own]}
        )
        await prepare()
        after = await rules(stores, "exports")
        assert set(after) == {"an-operators", *before}
        await prepare()
        assert await rules(stores, "exports") == after
        await s3.delete_bucket_lifecycle(Bucket="exports")
    await prepare()
    assert await rules(stores, "exports") == before


async def test_who_may_ask_is_as_it_is_set_last(stores: Running, prepare):
    other = "https://editor.example.org"
    await prepare(f"{EDITOR},{other}")
    assert preflight(stores, "assets", other, "PUT") is not None
    await prepare()
    assert preflight(stores, "assets", other, "PUT") is None
    assert preflight(stores, "assets", EDITOR, "PUT") is not None
