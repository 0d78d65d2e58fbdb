"""TUS 1.0: begun, gone on with, verified; and what is said of anything else."""

import asyncio
import hashlib
from base64 import b64encode
from email.utils import parsedate_to_datetime
from itertools import pairwise

import pytest
from services.assets.tests import media

from assets.types import BUCKET, object_key

BASE = "/api/v1/assets/tus"
PART = 8 * 1024 * 1024
BYTES = "application/offset+octet-stream"
NOTHING: tuple[list[str], bool] = ([], False)


def metadata(**said):
    """What is said of a file, as the protocol has it."""
    return ",".join(f"{k} {b64encode(v.encode()).decode()}" for k, v in said.items())


async def call(desk, method, path, user=None, *, content=None, **headers):
    """Speak the protocol; ``None`` leaves a header out."""
    given = {"tus-resumable": "1.0.0"} | {k.replace("_", "-"): v for k, v in headers.items()}
    sent = {name: value for name, value in given.items() if value is not None}
    who = desk.headers(user or desk.editor)
    return await desk.client.request(method, path, content=content, headers=who | sent)


async def begun(desk, project, size, *, user=None, name="rain.wav", content=None, **said):
    """Begin an upload; returns the answer."""
    told = {"projectId": str(project), "filename": name, "filetype": "audio/wav"} | said
    type_ = {} if content is None else {"content_type": BYTES}
    return await call(
        desk,
        "POST",
        BASE,
        user,
        content=content,
        upload_length=str(size),
        upload_metadata=metadata(**told),
        **type_,
    )


async def path_of(desk, project, size, **more):
    """Begin an upload; returns where it is."""
    answer = await begun(desk, project, size, **more)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


async def send(desk, path, offset, content, *, user=None, **headers):
    """Go on with an upload."""
    given = {"content_type": BYTES, "upload_offset": str(offset)} | headers
    return await call(desk, "PATCH", path, user, content=content, **given)


async def offset_of(desk, path):
    """How far an upload is."""
    answer = await call(desk, "HEAD", path)
    assert answer.status_code == 200, answer.headers
    assert answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


async def left(desk, path):
    """What there is of an upload that nobody should find."""
    upload_id = path.rpartition("/")[2]
    return await desk.quarantined(upload_id), await desk.unfinished(upload_id)


def code(answer):
    """The code of a failure."""
    return answer.json()["error"]["code"]


async def test_a_client_learns_what_is_spoken_here(desk):
    answer = await desk.client.options(BASE, headers=desk.headers(None))
    assert answer.status_code == 204
    assert answer.headers["tus-resumable"] == answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == (
        "creation,creation-with-upload,checksum,expiration,termination"
    )
    assert answer.headers["tus-max-size"] == "5368709120"
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256"


async def test_an_upload_goes_on_by_and_by_and_becomes_an_asset(desk):
    project = await desk.project()
    content = media.noise(2 * PART + 5)
    answer = await begun(desk, project, len(content), sha256=desk.sha256(content))
    assert answer.status_code == 201, answer.text
    assert answer.headers["upload-offset"] == "0"
    assert parsedate_to_datetime(answer.headers["upload-expires"]).tzinfo is not None
    path = answer.headers["location"]
    assert await offset_of(desk, path) == 0
    # a tail, a longer tail, parts and a tail, a part, and the last byte
    stops = [0, 100, 3_000_000, PART + 1000, PART + 6_000_000, len(content) - 1, len(content)]
    for first, last in pairwise(stops[:-1]):
        answer = await send(desk, path, first, content[first:last])
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(last))
        assert "asset-id" not in answer.headers
        assert await offset_of(desk, path) == last
    assert await desk.listed(project) == []
    last = await send(desk, path, stops[-2], content[-1:])
    assert last.status_code == 204, last.text
    (asset,) = await desk.listed(project)
    assert last.headers["asset-id"] == asset["id"]
    assert (asset["sha256"], asset["mimeType"]) == (desk.sha256(content), "audio/wav")
    stored = await desk.means().storage.get(BUCKET, object_key(project, asset["sha256"]))
    assert stored == content
    done = await call(desk, "HEAD", path)
    assert done.headers["upload-offset"] == done.headers["upload-length"] == str(len(content))
    assert done.headers["asset-id"] == asset["id"]
    assert await left(desk, path) == NOTHING
    assert len(await desk.events(project)) == 1
    assert (await call(desk, "DELETE", path)).status_code == 409


async def test_the_first_bytes_may_come_with_the_beginning(desk):
    project = await desk.project()
    content = media.noise(1000)
    half = await begun(desk, project, 1000, content=content[:500])
    assert (half.status_code, half.headers["upload-offset"]) == (201, "500")
    whole = await begun(desk, project, 1000, content=content, name="wind.wav")
    assert (whole.status_code, whole.headers["upload-offset"]) == (201, "1000")
    assert whole.headers["asset-id"] in [asset["id"] for asset in await desk.listed(project)]
    rest = await send(desk, half.headers["location"], 500, content[500:])
    assert rest.headers["asset-id"]


@pytest.mark.parametrize("offset", [0, 99, 101, 1000])
async def test_another_offset_is_a_conflict_that_says_the_right_one(desk, offset):
    project = await desk.project()
    path = await path_of(desk, project, 1000)
    assert (await send(desk, path, 0, media.noise(100))).status_code == 204
    answer = await send(desk, path, offset, b"x")
    assert (answer.status_code, code(answer)) == (409, "UPLOAD_OFFSET_MISMATCH")
    assert answer.headers["upload-offset"] == "100"
    assert await offset_of(desk, path) == 100


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_nothing_is_kept_of_bytes_that_are_not_those_of_their_checksum(desk, algorithm):
    project = await desk.project()
    content = media.noise(2 * PART + 5)
    path = await path_of(desk, project, len(content))
    assert (await send(desk, path, 0, content[:10])).status_code == 204
    digest = hashlib.new(algorithm, content[10:]).digest()
    said = f"{algorithm} {b64encode(digest).decode()}"
    wrong = await send(desk, path, 10, media.noise(2 * PART - 5, b"x"), upload_checksum=said)
    assert (wrong.status_code, code(wrong)) == (460, "CHECKSUM_MISMATCH")
    assert wrong.headers["tus-resumable"] == "1.0.0"
    assert await offset_of(desk, path) == 10
    right = await send(desk, path, 10, content[10:], upload_checksum=said)
    assert right.status_code == 204, right.text
    (asset,) = await desk.listed(project)
    assert asset["sha256"] == desk.sha256(content)
    assert await left(desk, path) == NOTHING


@pytest.mark.parametrize("said", ["md5 eA==", "sha1", "sha1 ?", ""])
async def test_a_checksum_that_cannot_be_checked_is_refused(desk, said):
    path = await path_of(desk, await desk.project(), 1000)
    answer = await send(desk, path, 0, b"x", upload_checksum=said)
    assert answer.status_code == 400 or (said == "sha1" and answer.status_code == 460)
    assert await offset_of(desk, path) == 0


async def test_another_version_of_the_protocol_is_not_spoken(desk):
    project = await desk.project()
    path = await path_of(desk, project, 1000)
    for version in (None, "0.2.2", "1.0"):
        for answer in (
            await call(desk, "POST", BASE, tus_resumable=version),
            await call(desk, "HEAD", path, tus_resumable=version),
            await send(desk, path, 0, b"x", tus_resumable=version),
            await call(desk, "DELETE", path, tus_resumable=version),
        ):
            assert answer.status_code == 412
            assert answer.headers["tus-version"] == "1.0.0"
            assert answer.headers["tus-resumable"] == "1.0.0"
    assert await offset_of(desk, path) == 0


async def test_another_content_type_is_refused(desk):
    path = await path_of(desk, await desk.project(), 1000)
    for kind in ("application/octet-stream", "application/json", None):
        answer = await send(desk, path, 0, b"{}", content_type=kind)
        assert (answer.status_code, code(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_more_than_was_announced_is_refused(desk):
    project = await desk.project()
    path = await path_of(desk, project, 1000)
    answer = await send(desk, path, 0, media.noise(1001))
    assert (answer.status_code, code(answer)) == (413, "PAYLOAD_TOO_LARGE")

    async def pieces():
        for _ in range(3):
            yield b"x" * 400

    answer = await send(desk, path, 0, pieces())
    assert (answer.status_code, code(answer)) == (413, "PAYLOAD_TOO_LARGE")
    assert await offset_of(desk, path) == 0
    large = await begun(desk, project, 5_368_709_121)
    assert (large.status_code, code(large)) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"upload_length": None}, 400, "Upload-Length"),
        ({"upload_length": "-1"}, 400, "Upload-Length"),
        ({"upload_length": "1e3"}, 400, "Upload-Length"),
        ({"upload_length": "0"}, 400, "Upload-Length"),
        ({"upload_defer_length": "1"}, 400, "Upload-Defer-Length"),
        ({"upload_metadata": None}, 400, "projectId"),
        ({"upload_metadata": "projectId ?"}, 400, "projectId"),
        ({"upload_metadata": "a,a"}, 400, "Upload-Metadata"),
        ({"said": {"projectId": "x"}}, 400, "projectId"),
        ({"said": {"filename": "../x"}}, 400, "filename"),
        ({"said": {"filename": "x\0.wav"}}, 400, "filename"),
        ({"said": {"filetype": "sound"}}, 400, "filetype"),
        ({"said": {"filetype": "image/png\r\nx: y"}}, 400, "filetype"),
        ({"said": {"sha256": "x"}}, 400, "sha256"),
        ({"said": {"filetype": "text/html"}}, 415, "contentType"),
    ],
)
async def test_a_beginning_is_checked(desk, change, status, field):
    project = await desk.project()
    told = {"projectId": str(project), "filename": "rain.wav", "filetype": "audio/wav"}
    said = metadata(**(told | change.pop("said", {})))
    given = {"upload_length": "1000", "upload_metadata": said} | change
    answer = await call(desk, "POST", BASE, **given)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["details"][0]["field"] == field
    assert answer.headers["tus-resumable"] == "1.0.0"


async def test_what_else_a_client_says_of_a_file_is_passed_over(desk):
    path = await path_of(desk, await desk.project(), 10, type="audio/wav", relativePath="a/b")
    assert await offset_of(desk, path) == 0


async def test_an_upload_is_its_beginners_alone(desk):
    project = await desk.project()
    path = await path_of(desk, project, 1000)
    for user in (desk.owner, desk.stranger):
        for answer in (
            await call(desk, "HEAD", path, user),
            await send(desk, path, 0, b"x", user=user),
            await call(desk, "DELETE", path, user),
        ):
            assert answer.status_code == 404
    for user, status in ((desk.viewer, 403), (desk.commenter, 403), (desk.stranger, 404)):
        assert (await begun(desk, project, 10, user=user)).status_code == status
    other = await send(desk, path, 0, b"x", x_auth_project=str(desk.owner))
    assert other.status_code == 404
    scopes = {"x_auth_scopes": "assets:read"}
    weak = await send(desk, path, 0, b"x", **scopes)
    assert (weak.status_code, code(weak)) == (403, "INSUFFICIENT_SCOPE")
    nobody = await desk.client.head(path, headers={"x-fleet-secret": "s" * 32})
    assert nobody.status_code == 401


async def test_who_was_removed_sends_nothing_more(desk):
    project = await desk.project()
    content = media.noise(1000)
    path = await path_of(desk, project, 1000)
    assert (await send(desk, path, 0, content[:500])).status_code == 204
    await desk.access(project, version=2, without=desk.editor)
    assert (await send(desk, path, 500, content[500:])).status_code == 404
    assert (await call(desk, "HEAD", path)).status_code == 404
    await desk.access(project, version=3)
    assert await offset_of(desk, path) == 500
    assert await desk.listed(project) == []


async def test_who_is_removed_while_the_last_bytes_come_has_added_nothing(desk):
    project = await desk.project()
    content = media.noise(1000)
    path = await path_of(desk, project, 1000)

    async def pieces():
        yield content[:999]
        await desk.access(project, version=2, without=desk.editor)
        yield content[999:]

    assert (await send(desk, path, 0, pieces())).status_code == 404
    assert await desk.listed(project) == []


async def test_of_two_at_once_one_wins(desk):
    project = await desk.project()
    content = media.noise(1000)
    path = await path_of(desk, project, 1000)
    waits, goes_on = asyncio.Event(), asyncio.Event()

    async def pieces():
        yield content[:400]
        waits.set()
        await goes_on.wait()
        yield content[400:900]

    first = asyncio.create_task(send(desk, path, 0, pieces()))
    await waits.wait()
    second = await send(desk, path, 0, b"x" * 900)
    assert (second.status_code, code(second)) == (423, "UPLOAD_LOCKED")
    assert second.headers["retry-after"] == "1"
    assert await offset_of(desk, path) == 0
    goes_on.set()
    assert (await first).headers["upload-offset"] == "900"
    answers = await asyncio.gather(*[send(desk, path, 900, content[900:]) for _ in range(5)])
    assert sorted({answer.status_code for answer in answers} - {204}) in ([409], [423], [409, 423])
    assert [answer.status_code for answer in answers].count(204) == 1
    (asset,) = await desk.listed(project)
    assert asset["sha256"] == desk.sha256(content)


async def test_a_lease_outlives_neither_its_time_nor_another(serving, desk):
    project = await desk.project()
    content = media.noise(PART + 1000)
    usual = desk.client
    async with serving(LEASE_S="0.6") as client:
        desk.client = client
        path = await path_of(desk, project, len(content))
        waits, goes_on = asyncio.Event(), asyncio.Event()

        async def pieces():
            yield content[:400]
            waits.set()
            await goes_on.wait()
            yield b"x" * (len(content) - 400)

        first = asyncio.create_task(send(desk, path, 0, pieces()))
        await waits.wait()
        # it is renewed for as long as the request lives
        await asyncio.sleep(1.5)
        assert (await send(desk, path, 0, b"x")).status_code == 423
        # as if the service had stood still for longer than that
        pool = client.app.state.db._pool  # noqa: SLF001 - nobody else takes a lease away
        await pool.execute("UPDATE resumable SET lease = NULL WHERE name = 'rain.wav'")
        whole = await send(desk, path, 0, content)
        assert whole.status_code == 204, whole.text
        goes_on.set()
        late = await first
        assert (late.status_code, code(late)) == (423, "UPLOAD_LOCKED")
        (asset,) = await desk.listed(project)
        assert asset["sha256"] == desk.sha256(content)
    desk.client = usual


async def test_a_terminated_upload_is_gone_and_leaves_nothing(desk):
    project = await desk.project()
    content = media.noise(PART + 1000)
    path = await path_of(desk, project, len(content) + 1)
    assert (await send(desk, path, 0, content)).status_code == 204
    assert await left(desk, path) != NOTHING
    ended = await call(desk, "DELETE", path)
    assert (ended.status_code, ended.headers["tus-resumable"]) == (204, "1.0.0")
    assert await left(desk, path) == NOTHING
    assert (await call(desk, "HEAD", path)).status_code == 410
    answer = await send(desk, path, len(content), b"x")
    assert (answer.status_code, code(answer)) == (410, "GONE")
    assert (await call(desk, "DELETE", path)).status_code == 410


async def test_an_upload_that_is_ended_while_bytes_come_leaves_nothing_once_it_is_swept(desk):
    project = await desk.project()
    path = await path_of(desk, project, 3 * PART)

    async def pieces():
        yield media.noise(PART + 100)
        assert (await call(desk, "DELETE", path)).status_code == 204
        yield b"x" * PART

    assert (await send(desk, path, 0, pieces())).status_code in {410, 423, 503}
    await desk.expire(path.rpartition("/")[2], ago_s=3_600)
    await desk.sweep()
    assert await left(desk, path) == NOTHING
    assert (await call(desk, "HEAD", path)).status_code == 404
    assert await desk.listed(project) == []


async def test_an_expired_upload_is_over_and_swept(desk):
    project = await desk.project()
    content = media.noise(PART + 1000)
    path = await path_of(desk, project, len(content) + 1)
    assert (await send(desk, path, 0, content)).status_code == 204
    await desk.expire(path.rpartition("/")[2], ago_s=60)
    for answer in (await call(desk, "HEAD", path), await send(desk, path, len(content), b"x")):
        assert answer.status_code == 410
    await desk.sweep()
    assert await left(desk, path) != NOTHING
    await desk.expire(path.rpartition("/")[2], ago_s=3_600)
    await desk.sweep()
    assert await left(desk, path) == NOTHING
    assert (await call(desk, "HEAD", path)).status_code == 404


@pytest.mark.parametrize(
    ("content", "said", "status", "error"),
    [
        (b"<!doctype html><script>alert(1)</script>", {}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (media.noise(100), {"sha256": "0" * 64}, 400, "VALIDATION_ERROR"),
    ],
)
async def test_a_file_that_is_refused_is_gone(desk, content, said, status, error):
    project = await desk.project()
    path = await path_of(desk, project, len(content), **said)
    refused = await send(desk, path, 0, content)
    assert (refused.status_code, code(refused)) == (status, error)
    assert (await call(desk, "HEAD", path)).status_code == 410
    assert await left(desk, path) == NOTHING
    assert await desk.listed(project) == []


async def test_a_name_that_is_taken_is_refused_before_anything_is_sent(desk):
    project = await desk.project()
    there = media.noise(100)
    assert (await desk.upload(desk.owner, project, there, "rain.wav")).status_code == 201
    taken = await begun(desk, project, 50)
    assert (taken.status_code, code(taken)) == (409, "CONFLICT")
    assert taken.json()["error"]["details"][0]["assetId"]
    # who says the hash may send the same again, which changes nothing
    same = await begun(desk, project, 100, sha256=desk.sha256(there), content=there)
    assert same.headers["asset-id"] == (await desk.listed(project))[0]["id"]


async def test_a_name_that_is_taken_meanwhile_loses_nothing_of_the_upload(desk):
    project = await desk.project()
    content = media.noise(100)
    path = await path_of(desk, project, 100)
    other = (await desk.upload(desk.owner, project, media.noise(50), "rain.wav")).json()["data"]
    late = await send(desk, path, 0, content)
    assert (late.status_code, code(late)) == (409, "CONFLICT")
    assert (await call(desk, "HEAD", path)).status_code == 409
    await desk.call("DELETE", f"/api/v1/assets/{other['id']}", desk.owner)
    done = await call(desk, "HEAD", path)
    assert (done.status_code, done.headers["upload-offset"]) == (200, "100")
    (asset,) = await desk.listed(project)
    assert done.headers["asset-id"] == asset["id"]


async def test_a_large_file_is_copied_by_the_store(serving, desk):
    project = await desk.project()
    content = media.noise(PART + 1000)
    usual = desk.client
    async with serving(ASSET_BYTES_MAX="1000000") as client:
        desk.client = client
        path = await path_of(desk, project, len(content), sha256=desk.sha256(content))
        done = await send(desk, path, 0, content)
        assert done.status_code == 204, done.text
        assert done.headers["asset-id"]
        stored = await desk.means().storage.get(BUCKET, object_key(project, desk.sha256(content)))
        assert stored == content
        assert await left(desk, path) == NOTHING
    desk.client = usual


async def test_without_the_object_store_an_upload_waits(serving, desk):
    project = await desk.project()
    content = media.noise(1000)
    path = await path_of(desk, project, 1000)
    assert (await send(desk, path, 0, content[:400])).status_code == 204
    usual = desk.client
    async with serving(S3_ENDPOINT_URL="http://127.0.0.1:9") as client:
        desk.client = client
        for answer in (await send(desk, path, 400, content[400:]), await begun(desk, project, 9)):
            assert (answer.status_code, code(answer)) == (503, "UNAVAILABLE")
            assert answer.headers["retry-after"] == "1"
        assert await offset_of(desk, path) == 400
    desk.client = usual
    assert (await send(desk, path, 400, content[400:])).headers["asset-id"]
