"""The client of TUS that editors use, unmodified: it resumes, whatever breaks off."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import msgspec
import pytest
from services.assets.tests import media

BASE = "/api/v1/assets/tus"


@asynccontextmanager
async def running(node, service, desk, project, path, **options):
    """Let the client send a file."""
    said = {"projectId": str(project), "filename": "rain.wav", "filetype": "audio/wav"}
    given = [desk.headers(desk.editor), said, str(path), options]
    words = [x if isinstance(x, str) else msgspec.json.encode(x).decode() for x in given]
    made = await asyncio.create_subprocess_exec(
        node.program,
        "upload.mjs",
        f"{service.url}{BASE}",
        *words,
        cwd=node.folder,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield made
    finally:
        if made.returncode is None:
            made.kill()
            await made.wait()


async def facts(made):
    """What the client says, to its end."""
    output, _ = await asyncio.wait_for(made.communicate(), 120)
    assert made.returncode == 0, output.decode()
    return [msgspec.json.decode(line) for line in output.splitlines()]


@pytest.fixture
def sound(tmp_path):
    """A file that is a sound, of twenty million bytes."""
    path = tmp_path / "rain.wav"
    path.write_bytes(media.noise(20_000_000, os.urandom(20_000_000)))
    return path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunkSize": 3_000_000},
        {"uploadDataDuringCreation": True},
        {"uploadDataDuringCreation": True, "chunkSize": 6_000_000},
        {"abortAt": 12_000_000},
        {"abortAt": 12_000_000, "chunkSize": 7_000_000},
    ],
)
async def test_a_file_arrives(node, service, desk, sound, options):
    project = await desk.project()
    async with running(node, service, desk, project, sound, **options) as made:
        said = await facts(made)
    (asset,) = await desk.listed(project)
    assert asset["sha256"] == desk.sha256(sound.read_bytes())
    assert said[-1]["asset"] == asset["id"]
    upload_id = said[-1]["url"].rpartition("/")[2]
    assert await desk.quarantined(upload_id) == []
    assert not await desk.unfinished(upload_id)


async def test_a_file_arrives_though_the_service_dies_again_and_again(node, service, desk, sound):
    project = await desk.project()
    async with running(node, service, desk, project, sound, chunkSize=1_500_000) as made:
        assert made.stdout is not None
        accepted = 0
        for least in (3_000_000, 9_000_000, 15_000_000):
            while accepted < least:
                line = await asyncio.wait_for(made.stdout.readline(), 60)
                accepted = msgspec.json.decode(line).get("accepted", accepted)
            await service.end(signal.SIGKILL)
            await service.start()
        said = await facts(made)
    (asset,) = await desk.listed(project)
    assert asset["sha256"] == desk.sha256(sound.read_bytes())
    assert said[-1]["url"]
