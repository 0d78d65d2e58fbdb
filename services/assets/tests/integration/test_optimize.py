"""Fewer bytes for an asset: a job that makes variants and says what they save."""

import asyncio
import io

import av
import pytest
from fontTools.ttLib import TTFont
from PIL import Image
from services.assets.tests import media

from common.ids import uuid7
from common.testing.waiting import until


def code(answer):
    return answer.json()["error"]["code"]


async def uploaded(desk, content, name):
    project = await desk.project()
    answer = await desk.upload(desk.editor, project, content, name)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["id"]


async def asked(desk, asset, user=None, **wanted):
    path = f"/api/v1/assets/{asset}/optimize"
    return await desk.call("PUT", path, user or desk.editor, json=wanted)


async def finished(desk, answer):
    """The job, once it is over."""
    assert answer.status_code == 202, answer.text
    path = answer.headers["location"]
    assert path == f"/api/v1/assets/jobs/{answer.json()['data']['id']}"

    async def job():
        found = (await desk.call("GET", path, desk.editor)).json()["data"]
        return found if found["completedAt"] else None

    return await until(job, within_s=60)


async def variants(desk, store, asset):
    """The bytes of each of the asset's variants, by type."""
    listed = await desk.call("GET", f"/api/v1/assets/{asset}/variants", desk.viewer)
    return {
        one["mimeType"]: (await store("GET", one["url"])).content for one in listed.json()["data"]
    }


def noisy(size=(300, 200)):
    """A picture that is not small by nature."""
    file = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(file, "PNG", compress_level=1)
    return file.getvalue()


@pytest.mark.parametrize(
    ("preset", "formats"),
    [
        ("web", {"image/webp", "image/avif"}),
        ("mobile", {"image/webp", "image/avif"}),
        ("lossless", {"image/webp", "image/png"}),
    ],
)
async def test_a_picture_in_fewer_bytes(desk, store, preset, formats):
    content = noisy()
    asset = await uploaded(desk, content, "a.png")
    job = await finished(desk, await asked(desk, asset, preset=preset))
    assert (job["status"], job["progress"], job["error"]) == ("complete", 1.0, None), job
    result = job["result"]
    assert result["sizeBefore"] == len(content)
    assert result["sizeAfter"] == min(v["size"] for v in result["variants"]) < len(content)
    assert 0 < result["saving"] < 1
    made = await variants(desk, store, asset)
    assert set(made) == formats
    before = Image.open(io.BytesIO(content)).tobytes()
    for content_of_variant in made.values():
        image = Image.open(io.BytesIO(content_of_variant)).convert("RGB")
        assert image.size == (300, 200)
        assert preset != "lossless" or image.tobytes() == before
    # the asset stays as it is
    shown = await desk.call("GET", f"/api/v1/assets/{asset}", desk.viewer)
    assert shown.json()["data"]["sha256"] == desk.sha256(content)


async def test_the_fleet_is_told_what_is_the_same_in_fewer_bytes(desk, store):
    content = noisy()
    asset = await uploaded(desk, content, "a.png")
    for wanted in ({"preset": "lossless"}, {"preset": "web"}):
        await finished(desk, await asked(desk, asset, **wanted))
    shown = (await desk.call("GET", f"/api/v1/assets/{asset}", desk.viewer)).json()["data"]
    path = f"/internal/projects/{shown['projectId']}/assets"
    [supply] = (await desk.call("GET", path, None)).json()["assets"]
    [variant] = supply["variants"]
    assert (variant["mimeType"], supply["sha256"]) == ("image/png", desk.sha256(content))
    assert variant["size"] < supply["size"]
    taken = (await store("GET", variant["url"])).content
    assert desk.sha256(taken) == variant["sha256"]


async def test_a_picture_smaller_as_it_is_asked_for(desk, store):
    asset = await uploaded(desk, noisy(), "a.png")
    wanted = {"formats": ["webp"], "quality": 30, "width": 100}
    job = await finished(desk, await asked(desk, asset, **wanted))
    [one] = job["result"]["variants"]
    assert one["options"] == 'optimize:{"format":"webp","quality":30,"width":100}'
    made = await variants(desk, store, asset)
    assert Image.open(io.BytesIO(made["image/webp"])).size == (100, 67)


async def test_a_sound_becomes_opus(desk, store):
    content = media.wav(2, 48_000, 2)
    asset = await uploaded(desk, content, "a.wav")
    job = await finished(desk, await asked(desk, asset, bitrate=32_000))
    assert job["result"]["saving"] > 0.8
    made = await variants(desk, store, asset)
    with av.open(io.BytesIO(made["audio/ogg"]), "r") as sound:
        [stream] = sound.streams.audio
        assert (stream.codec_context.name, stream.codec_context.channels) == ("opus", 2)
        frames = list(sound.decode(audio=0))
    assert sum(frame.samples for frame in frames) >= 2 * 47_000


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ({}, set("ABCabc123")),
        ({"text": "AB?"}, set("AB")),
        ({"unicodes": ["U+0061-0063", "U+31"]}, set("abc1")),
    ],
)
async def test_a_font_keeps_the_characters_that_are_needed(desk, store, wanted, kept):
    asset = await uploaded(desk, media.font(), "a.ttf")
    job = await finished(desk, await asked(desk, asset, **wanted))
    assert job["status"] == "complete", job
    made = await variants(desk, store, asset)
    font = TTFont(io.BytesIO(made["font/woff2"]))
    assert font.flavor == "woff2"
    assert {chr(c) for c in font.getBestCmap()} == kept


@pytest.mark.parametrize("preset", ["web", "mobile", "lossless"])
@pytest.mark.parametrize("name", ["a.glb", "a.gltf"])
async def test_a_model_loses_what_nobody_sees(desk, store, preset, name):
    content = media.triangles(name)
    asset = await uploaded(desk, content, name)
    job = await finished(desk, await asked(desk, asset, preset=preset))
    assert job["status"] == "complete", job
    assert job["result"]["saving"] > 0
    made = await variants(desk, store, asset)
    assert made["model/gltf-binary"].startswith(b"glTF")
    again = await uploaded(desk, made["model/gltf-binary"], "b.glb")
    shown = (await desk.call("GET", f"/api/v1/assets/{again}", desk.viewer)).json()["data"]
    assert (shown["metadata"]["triangles"], shown["metadata"]["materials"]) == (2, 1)


async def test_a_model_that_names_other_files_is_not_made_smaller(desk):
    content = media.glb(media.gltf(buffers=[{"uri": "a.bin", "byteLength": 4}]))
    asset = await uploaded(desk, content, "a.glb")
    job = await finished(desk, await asked(desk, asset))
    assert (job["status"], job["error"]["code"]) == ("failed", "UNSUPPORTED_MEDIA_TYPE")


async def test_without_its_program_a_model_is_not_made_smaller(serving, desk, tmp_path):
    async with serving(MODELS_DIR=str(tmp_path)) as client:
        desk.client = client
        asset = await uploaded(desk, media.glb(), "a.glb")
        answer = await asked(desk, asset)
    assert (answer.status_code, code(answer)) == (501, "TOOL_MISSING")
    assert answer.json()["error"]["details"] == [{"missing": "packages"}]


@pytest.mark.parametrize(
    ("content", "name", "wanted", "status"),
    [
        (media.drawn(), "a.png", {"preset": "tiny"}, 400),
        (media.drawn(), "a.png", {"width": 100_000}, 400),
        (media.drawn(), "a.png", {"formats": []}, 400),
        (media.drawn(), "a.png", {"bitrate": 64_000}, 400),
        (media.drawn(), "a.png", {"preset": "lossless", "quality": 3}, 400),
        (media.drawn(), "a.png", {"preset": "lossless", "formats": ["avif"]}, 400),
        (media.drawn(), "a.png", {"colour": "red"}, 400),
        (media.font(), "a.ttf", {"unicodes": ["U+62-61"]}, 400),
        (media.font(), "a.ttf", {"unicodes": ["a-z"]}, 400),
        (media.font(), "a.ttf", {"text": "a\0b"}, 400),
        (media.film(), "a.mp4", {}, 415),
        (b"level", "a.txt", {}, 415),
    ],
)
async def test_what_cannot_be_made_is_refused_at_once(desk, content, name, wanted, status):
    asset = await uploaded(desk, content, name)
    answer = await asked(desk, asset, **wanted)
    assert answer.status_code == status, answer.text


async def test_what_fails_says_why(desk):
    asset = await uploaded(desk, media.font(), "a.ttf")
    job = await finished(desk, await asked(desk, asset, text="日本"))
    assert (job["status"], job["error"]["code"]) == ("failed", "UNSUPPORTED_MEDIA_TYPE")
    assert job["result"] is None


async def test_only_an_editor_optimises_and_only_whoever_asked_follows(desk):
    asset = await uploaded(desk, media.drawn(), "a.png")
    assert (await asked(desk, asset, desk.viewer)).status_code == 403
    assert (await asked(desk, asset, desk.stranger)).status_code == 404
    answer = await asked(desk, asset)
    await finished(desk, answer)
    path = answer.headers["location"]
    assert (await desk.call("GET", path, desk.owner)).status_code == 404
    assert (await desk.call("DELETE", path, desk.owner)).status_code == 404
    over = await desk.call("DELETE", path, desk.editor)
    assert (over.status_code, code(over)) == (409, "CONFLICT")


async def test_a_cancelled_job_is_not_done(serving, desk):
    async with serving(JOB_POLL_S="3600") as client:
        desk.client = client
        asset = await uploaded(desk, media.drawn(), "a.png")
        held = await asked(desk, asset)
        path = held.headers["location"]
        cancelled = await desk.call("DELETE", path, desk.editor)
        assert cancelled.status_code in {204, 409}
        job = (await desk.call("GET", path, desk.editor)).json()["data"]
    assert job["status"] == ("cancelled" if cancelled.status_code == 204 else "complete")


async def test_a_job_whose_worker_died_is_done_by_the_next_one(desk):
    asset = await uploaded(desk, noisy((64, 64)), "a.png")
    answer = await asked(desk, asset, formats=["webp"])
    await finished(desk, answer)
    db = desk.means().db
    pool = db._pool  # noqa: SLF001 - time cannot be waited for
    dead = (
        "UPDATE job SET status = 'running', worker_id = $2, completed_at = NULL,"
        " held_until = now() WHERE id = $1"
    )
    await pool.execute(dead, answer.json()["data"]["id"], uuid7())
    job = await finished(desk, answer)
    assert job["status"] == "complete"


async def test_there_are_no_more_jobs_than_may_be(serving, desk):
    async with serving(JOBS_PER_USER_MAX="0") as client:
        desk.client = client
        asset = await uploaded(desk, media.drawn(), "a.png")
        answer = await asked(desk, asset)
    assert (answer.status_code, code(answer)) == (403, "QUOTA_EXCEEDED")


async def test_of_many_who_ask_at_once_no_more_than_may_be_are_open(serving, desk):
    async with serving(JOBS_PER_USER_MAX="3", JOBS_AT_ONCE="0", POOL_WAIT_S="30") as client:
        desk.client = client
        asset = await uploaded(desk, media.drawn(), "a.png")
        answers = await asyncio.gather(*[asked(desk, asset) for _ in range(12)])
        taken = [a for a in answers if a.status_code == 202]
        paths = [a.headers["location"] for a in taken]
        jobs = [(await desk.call("GET", path, desk.editor)).json()["data"] for path in paths]
    assert {a.status_code for a in answers} == {202, 403}
    # whoever else works on the same queue may have done some meanwhile
    assert 3 <= len(taken) <= 3 + len([job for job in jobs if job["completedAt"]])
