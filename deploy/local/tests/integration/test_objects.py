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


OWN = {"assets": {"assets"}, "builds": {"builds"}, "projects": {"blobs", "exports"}}
FOREIGN = [
    (name, bucket)
    for name, own in OWN.items()
    for bucket in ("assets", "builds", "blobs", "exports")
    if bucket not in own
]


@pytest.mark.parametrize(("name", "bucket"), FOREIGN)
async def test_an_identity_has_its_own_buckets_alone(stores: Running, name: str, bucket: str):
    url = stores.env(name)["S3_ENDPOINT_URL"]
    owner = next(other for other, own in OWN.items() if bucket in own)
    async with client(stores, owner, url) as s3:
        await s3.put_object(Bucket=bucket, Key="x", Body=b"x")
        begun = await s3.create_multipart_upload(Bucket=bucket, Key="parts")
    part = {"Bucket": bucket, "Key": "parts", "UploadId": begun["UploadId"]}
    mine = next(iter(OWN[name]))
    async with client(stores, name, url) as s3:
        for attempt in (
            s3.put_object(Bucket=bucket, Key="x", Body=b"y"),
            s3.get_object(Bucket=bucket, Key="x"),
            s3.copy_object(Bucket=mine, Key="x", CopySource={"Bucket": bucket, "Key": "x"}),
            s3.delete_object(Bucket=bucket, Key="x"),
            s3.list_objects_v2(Bucket=bucket),
            s3.create_multipart_upload(Bucket=bucket, Key="y"),
            s3.upload_part(**part, PartNumber=1, Body=b"y"),
            s3.list_parts(**part),
            s3.list_multipart_uploads(Bucket=bucket),
            s3.abort_multipart_upload(**part),
            s3.put_object_tagging(Bucket=bucket, Key="x", Tagging={"TagSet": []}),
            s3.delete_bucket(Bucket=bucket),
            s3.create_bucket(Bucket="mine"),
        ):
            with pytest.raises(ClientError, match="AccessDenied"):
                await attempt
        refused = s3.head_object(Bucket=bucket, Key="x")
        with pytest.raises(ClientError, match="403"):
            await refused
    async with client(stores, owner, url) as s3:
        answer = await s3.get_object(Bucket=bucket, Key="x")
        assert await answer["Body"].read() == b"x"


@pytest.mark.parametrize(("name", "bucket"), FOREIGN)
async def test_an_identity_rules_over_no_other_bucket(stores: Running, name: str, bucket: str):
    cors = {"CORSRules": [{"AllowedMethods": ["PUT"], "AllowedOrigins": ["*"]}]}
    expire = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    async with client(stores, name, stores.env(name)["S3_ENDPOINT_URL"]) as s3:
        for attempt in (
            s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=cors),
            s3.delete_bucket_cors(Bucket=bucket),
            s3.put_bucket_lifecycle_configuration(
                Bucket=bucket, LifecycleConfiguration={"Rules": [expire]}
            ),
            s3.delete_bucket_lifecycle(Bucket=bucket),
            s3.put_bucket_acl(Bucket=bucket, ACL="public-read"),
            s3.put_bucket_policy(Bucket=bucket, Policy="{}"),
        ):
            with pytest.raises(ClientError, match="AccessDenied"):
                await attempt


async def test_nobody_without_an_identity_gets_anything(stores: Running):
    url = stores.env("assets")["S3_ENDPOINT_URL"]
    for bucket in ("assets", "builds", "blobs", "exports"):
        for path in ("", "/x", "?uploads", "?cors"):
            status, _, _ = ask(stores, "GET", f"{url}/{bucket}{path}", urlsplit(url).netloc)
            assert status == 403


async def test_objects_outlive_a_kill(stores: Running):
    async with client(stores, "projects", stores.env("projects")["S3_ENDPOINT_URL"]) as s3:
        await s3.put_object(Bucket="blobs", Key="kept", Body=b"bytes")
        stores.kill("s3")
        answer = await s3.get_object(Bucket="blobs", Key="kept")
        assert await answer["Body"].read() == b"bytes"
