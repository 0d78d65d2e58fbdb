"""The process that decodes: what it finds out, what it refuses, and that it goes on."""

import zlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image
from services.assets.tests import media

from assets.studio.messages import Answer, Limits, Task
from assets.studio.process import LostError, Worker

LIMITS = Limits(
    memory_bytes=256 << 20,
    cpu_s=20,
    wall_s=30,
    file_bytes=64 << 20,
    pixels_max=1_000_000,
    duration_ms_max=60_000,
)
MIB = 1 << 20


class Hands:
    """A worker, and files for it."""

    def __init__(self, worker: Worker, folder: Path) -> None:
        self.worker = worker
        self.folder = folder
        self.target = folder / "target"

    async def do(self, medium, content, mime, work="examine", limits=LIMITS, **options) -> Answer:
        """Have a task done with that content."""
        source = self.folder / "source"
        source.write_bytes(content)
        return await self.worker.ask(
            Task(
                medium=medium,
                work=work,
                mime_type=mime,
                source=str(source),
                target=str(self.target),
                limits=limits,
                options=options,
            )
        )


@pytest.fixture(scope="module")
async def worker() -> AsyncGenerator[Worker]:
    worker = await Worker.start()
    yield worker
    await worker.end()


@pytest.fixture
def hands(worker, tmp_path):
    return Hands(worker, tmp_path)


PICTURE = {"width": 64, "height": 32, "frames": 1, "hasAlpha": False}
SOUND = {"durationMs": 500, "channels": 1, "sampleRate": 8_000, "codec": "pcm_s16le"}
MODEL = {
    "meshes": 1,
    "materials": 1,
    "nodes": 1,
    "animations": 0,
    "triangles": 2,
    "textures": 0,
    "external": [],
}
FONT = {"family": "Boxes", "style": "Heavy", "glyphs": 10, "weight": 800}
KNOWN = [
    ("pictures", "image/png", media.drawn(), PICTURE),
    ("pictures", "image/png", media.drawn(mode="RGBA"), PICTURE | {"hasAlpha": True}),
    ("pictures", "image/jpeg", media.drawn("JPEG"), PICTURE),
    ("pictures", "image/bmp", media.drawn("BMP"), PICTURE),
    ("pictures", "image/webp", media.drawn("WEBP"), PICTURE),
    ("pictures", "image/avif", media.drawn("AVIF"), PICTURE),
    ("pictures", "image/gif", media.animated(3), {"width": 8, "height": 8, "frames": 3}),
    ("sounds", "audio/wav", media.wav(), SOUND),
    ("sounds", "audio/wav", media.wav(channels=2), SOUND | {"channels": 2}),
    ("sounds", "audio/ogg", media.sound("ogg", "libopus"), {"codec": "opus"}),
    ("sounds", "audio/mpeg", media.sound("mp3", "libmp3lame"), {"sampleRate": 48_000}),
    ("sounds", "audio/flac", media.sound("flac", "flac"), {"durationMs": 500, "codec": "flac"}),
    ("videos", "video/mp4", media.film(), {"width": 64, "height": 48, "durationMs": 1_000}),
    ("videos", "video/webm", media.film("webm", "libvpx"), {"durationMs": 1_000}),
    ("fonts", "font/ttf", media.font(), FONT),
    ("fonts", "font/woff", media.font("woff"), FONT),
    ("fonts", "font/woff2", media.font("woff2"), FONT),
    ("models", "model/gltf-binary", media.glb(), MODEL),
    (
        "models",
        "model/gltf-binary",
        media.glb(media.gltf(buffers=[{"uri": "a.bin"}], images=[{"uri": "data:x"}])),
        MODEL | {"external": ["a.bin"]},
    ),
]


@pytest.mark.parametrize(("medium", "mime", "content", "facts"), KNOWN)
async def test_a_file_tells_what_it_is(hands, medium, mime, content, facts):
    answer = await hands.do(medium, content, mime)
    assert answer.verdict == "done", answer.cause
    assert answer.facts | facts == answer.facts
    assert answer.is_confined


SMALL = [
    ("pictures", "image/png", media.drawn(size=(900, 300)), (256, 85)),
    ("pictures", "image/jpeg", media.drawn("JPEG", (900, 300)), (256, 85)),
    ("pictures", "image/png", media.drawn(size=(9, 3)), (9, 3)),
    ("pictures", "image/gif", media.animated(), (8, 8)),
    ("sounds", "audio/wav", media.wav(), (256, 64)),
    ("videos", "video/mp4", media.film(size=(512, 256)), (256, 128)),
]


@pytest.mark.parametrize(("medium", "mime", "content", "size"), SMALL)
async def test_what_can_be_seen_or_heard_has_a_thumbnail(hands, medium, mime, content, size):
    answer = await hands.do(medium, content, mime, "thumbnail")
    assert answer.verdict == "done", answer.cause
    with Image.open(hands.target) as made:
        assert (made.format, made.size) == ("WEBP", size)


@pytest.mark.parametrize("flavor", [None, "woff", "woff2"])
@pytest.mark.parametrize("characters", ["ABC", "Hamburgefons 123", "日本語"])
async def test_a_font_shows_itself(hands, flavor, characters):
    content = media.font(flavor, characters)
    answer = await hands.do("fonts", content, f"font/{flavor or 'ttf'}", "thumbnail")
    assert answer.verdict == "done", answer.cause
    with Image.open(hands.target) as made:
        assert made.format == "WEBP"


async def test_a_photograph_is_upright_in_its_variant(hands):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = media.drawn("JPEG", (400, 200), exif=exif)
    answer = await hands.do(
        "pictures", content, "image/jpeg", "variant", width=100, height=None, format="png"
    )
    assert (answer.facts["width"], answer.facts["height"]) == (100, 200)


BAD = [
    ("a header of 50k x 50k", "pictures", "image/png", media.png(50_000, 50_000), "too_large"),
    ("half a header", "pictures", "image/png", media.drawn()[:20], "unreadable"),
    ("no width", "pictures", "image/png", media.png(0, 5), "unreadable"),
    (
        "a text that inflates",
        "pictures",
        "image/png",
        media.png(4, 4, media.chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 64 * MIB, 9))),
        "unreadable",
    ),
    (
        "a profile that inflates",
        "pictures",
        "image/png",
        media.png(4, 4, media.chunk(b"iCCP", b"a\0\0" + zlib.compress(b"\0" * 64 * MIB, 9))),
        "unreadable",
    ),
    ("nothing but a name", "sounds", "audio/wav", b"RIFF\0\0\0\0WAVE", "unreadable"),
    ("a sound without sound", "sounds", "audio/wav", media.wav()[:44], "unreadable"),
    ("noise after a name", "sounds", "audio/ogg", b"OggS" + bytes(range(256)) * 9, "unreadable"),
    ("a sound cut off", "sounds", "audio/flac", media.sound("flac", "flac")[:60], "unreadable"),
    ("a sound for hours", "sounds", "audio/wav", media.wav(61, 100), "too_long"),
    ("a film cut off", "videos", "video/mp4", media.film()[:200], "unreadable"),
    ("a font cut off", "fonts", "font/ttf", media.font()[:100], "unreadable"),
    ("a font that inflates", "fonts", "font/woff2", media.woff2_bomb(1 << 30), "demanding"),
    ("no description", "models", "model/gltf-binary", b"glTF\2\0\0\0", "unreadable"),
    ("a length that lies", "models", "model/gltf-binary", media.glb()[:40], "unreadable"),
    ("no such shape", "models", "model/gltf+json", b'{"asset": {}}', "unreadable"),
    ("a list for a word", "models", "model/gltf+json", b'{"asset": [], "meshes": 3}', "unreadable"),
    (
        "more than can be counted",
        "models",
        "model/gltf+json",
        b'{"asset": {"version": "2.0"}, "accessors": [{"count": 1%s}], "meshes": [{"primitives":'
        b' [{"attributes": {"POSITION": 0}}]}]}' % (b"0" * 25),
        "unreadable",
    ),
    ("a deep description", "models", "model/gltf+json", b"[" * 100_000, "unreadable"),
]


@pytest.mark.parametrize(
    ("medium", "mime", "content", "verdict"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
async def test_a_bad_file_is_refused_and_takes_little(hands, medium, mime, content, verdict):
    answer = await hands.do(medium, content, mime)
    assert answer.verdict == verdict, answer
    assert answer.peak_bytes < LIMITS.memory_bytes + 200 * MIB
    well = await hands.do("pictures", media.drawn(), "image/png")
    assert well.verdict == "done"


async def test_a_picture_that_inflates_beyond_its_size_is_no_larger_than_it_says(hands):
    bomb = media.png(64, 64, rows=b"\0" * 64 * MIB)
    answer = await hands.do("pictures", bomb, "image/png", "thumbnail")
    assert answer.peak_bytes < 160 * MIB
    well = await hands.do("pictures", media.drawn(), "image/png")
    assert well.verdict == "done"


async def test_what_takes_too_long_is_ended(hands):
    late = replace(LIMITS, wall_s=0.0)
    answer = await hands.do("pictures", media.drawn(), "image/png", limits=late)
    assert (answer.verdict, answer.cause) == ("demanding", "time")
    well = await hands.do("pictures", media.drawn(), "image/png")
    assert well.verdict == "done"


async def test_what_takes_too_much_memory_is_ended(hands):
    little = replace(LIMITS, memory_bytes=4 * MIB, pixels_max=10_000_000)
    content = media.drawn(size=(3_000, 3_000))
    answer = await hands.do("pictures", content, "image/png", "thumbnail", limits=little)
    assert answer.verdict == "demanding"


async def test_what_would_write_too_much_is_ended(hands):
    little = replace(LIMITS, file_bytes=100)
    content = media.drawn(size=(500, 500))
    answer = await hands.do("pictures", content, "image/png", "thumbnail", limits=little)
    assert answer.verdict == "demanding"


async def test_a_worker_that_is_gone_says_so(tmp_path):
    worker = await Worker.start()
    hands = Hands(worker, tmp_path)
    await worker.end()
    with pytest.raises(LostError):
        await hands.do("pictures", media.drawn(), "image/png")
