"""The object store as services and browsers use it."""

import urllib.error
import urllib.request
from urllib.parse import urlsplit

import aioboto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from fleet.testing import Running

EDITOR = "http://localhost:5173"


def client(stores: Running, name: str, url: str):
    env = stores.env(name)
    session = aioboto3.Session(
        aws_access_key_id=env["S3_ACCESS_KEY"],
        aws_secret_access_key=env["S3_SECRET_KEY"],
        region_name=env["S3_REGION"],
    )
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return session.client("s3", endpoint_url=url, config=config)


def ask(stores: Running, method: str, url: str, host: str, body: bytes | None = None):
    """Send what was signed for the gateway to the store itself, as the gateway does."""
    parts = urlsplit(url)
    there = urlsplit(stores.env("assets")["S3_ENDPOINT_URL"])._replace(
        path=parts.path, query=parts.query
    )
    request = urllib.request.Request(  # noqa: S310 - an address of this machine
        there.geturl(), data=body, method=method, headers={"Host": host, "Origin": EDITOR}
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, dict(refused.headers), refused.read()


async def test_a_signature_for_the_gateways_host_holds(stores: Running):
    gateway = stores.env("assets")["S3_PUBLIC_URL"]
    host = urlsplit(gateway).netloc
    async with client(stores, "assets", gateway) as s3:
        place = {"Bucket": "assets", "Key": "objects/héro 1.png"}
        put = await s3.generate_presigned_url("put_object", Params=place)
        get = await s3.generate_presigned_url("get_object", Params=place)
    status, headers, _ = ask(stores, "PUT", put, host, b"pixels")
    assert status == 200
    assert headers["Access-Control-Allow-Origin"] in ("*", EDITOR)
    assert ask(stores, "GET", get, host)[2] == b"pixels"
    assert ask(stores, "GET", get, "elsewhere:80")[0] == 403
    assert ask(stores, "GET", get.replace("h%C3%A9ro", "hero"), host)[0] == 403
    assert ask(stores, "GET", get.partition("?")[0], host)[0] == 403


@pytest.mark.parametrize(("name", "bucket"), [("builds", "assets"), ("assets", "blobs")])
async def test_an_identity_has_its_own_buckets_alone(stores: Running, name: str, bucket: str):
    async with client(stores, name, stores.env(name)["S3_ENDPOINT_URL"]) as s3:
        for attempt in (
            s3.put_object(Bucket=bucket, Key="x", Body=b"x"),
            s3.list_objects_v2(Bucket=bucket),
            s3.create_bucket(Bucket="mine"),
        ):
            with pytest.raises(ClientError, match="AccessDenied"):
                await attempt


async def test_objects_outlive_a_kill(stores: Running):
    async with client(stores, "projects", stores.env("projects")["S3_ENDPOINT_URL"]) as s3:
        await s3.put_object(Bucket="blobs", Key="kept", Body=b"bytes")
        stores.kill("s3")
        answer = await s3.get_object(Bucket="blobs", Key="kept")
        assert await answer["Body"].read() == b"bytes"
