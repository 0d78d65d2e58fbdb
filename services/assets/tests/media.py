"""Small files of every kind, made by the programs that are usual for them; and bad ones."""

import base64
import io
import math
import struct
import wave
import zlib
from typing import Any, cast

import av
import brotli
import msgspec
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from PIL import Image

# of one byte for each moment of a sound
_RATE = (48_000, 48_000)


def drawn(
    kind: str = "PNG", size: tuple[int, int] = (64, 32), mode: str = "RGB", **more: Any
) -> bytes:
    """A picture with something to see in it."""
    image = Image.linear_gradient("L").resize(size).convert(mode)
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


def animated(frames: int = 3) -> bytes:
    """A GIF that moves."""
    pictures = [Image.new("RGB", (8, 8), (40 * n, 0, 0)) for n in range(frames)]
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=100)
    return file.getvalue()


def wav(seconds: float = 0.5, rate: int = 8_000, channels: int = 1) -> bytes:
    """A tone."""
    count = int(seconds * rate)
    samples = [int(20_000 * math.sin(n / 10)) for n in range(count) for _ in range(channels)]
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((channels, 2, rate, count, "NONE", ""))
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return file.getvalue()


def noise(size: int, filler: bytes = b"s") -> bytes:
    """A sound of just so many bytes; ``filler`` is what is heard, again and again."""
    length = size - 44
    head = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", size - 8, b"WAVE", b"fmt ", 16, 1, 1, *_RATE, 1, 8
    )
    heard = filler * (length // len(filler) + 1)
    return head + struct.pack("<4sI", b"data", length) + heard[:length]


def sound(container: str, codec: str, seconds: float = 0.5) -> bytes:
    """The tone in another format."""
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(wav(seconds, 48_000)), "r") as source,
        av.open(file, "w", container) as made,
    ):
        stream = cast("AudioStream", made.add_stream(codec, rate=48_000))
        for frame in source.decode(audio=0):
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return file.getvalue()


def film(container: str = "mp4", codec: str = "mpeg4", size: tuple[int, int] = (64, 48)) -> bytes:
    """Ten pictures, a second long."""
    file = io.BytesIO()
    with av.open(file, "w", container) as made:
        stream = cast("VideoStream", made.add_stream(codec, rate=10))
        stream.width, stream.height = size
        for n in range(10):
            made.mux(stream.encode(VideoFrame.from_image(Image.new("RGB", size, (20 * n, 9, 9)))))
        made.mux(stream.encode(None))
    return file.getvalue()


def font(flavor: str | None = None, characters: str = "ABCabc123") -> bytes:
    """A font whose glyphs are boxes."""
    names = [".notdef", *(f"g{ord(c)}" for c in characters)]
    pen = TTGlyphPen(None)
    for point in ((0, 0), (0, 500), (400, 500)):
        (pen.moveTo if point == (0, 0) else pen.lineTo)(point)
    pen.closePath()
    box = pen.glyph()
    builder = FontBuilder(1_000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(c): f"g{ord(c)}" for c in characters})
    builder.setupGlyf(dict.fromkeys(names, box))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (500, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Heavy"})
    builder.setupOS2(usWeightClass=800)
    builder.setupPost()
    file = io.BytesIO()
    built: TTFont = builder.font
    built.flavor = flavor
    built.save(file)
    return file.getvalue()


def postscript() -> bytes:
    """A font whose only glyph is drawn in the other way that fonts are."""
    builder = FontBuilder(1_000, isTTF=False)
    builder.setupGlyphOrder([".notdef"])
    builder.setupCharacterMap({})
    glyph = T2CharStringPen(500, None).getCharString()
    builder.setupCFF("Boxes", {"FullName": "Boxes"}, {".notdef": glyph}, {})
    builder.setupHorizontalMetrics({".notdef": (500, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Heavy"})
    builder.setupOS2()
    builder.setupPost()
    file = io.BytesIO()
    built: TTFont = builder.font
    built.save(file)
    return file.getvalue()


def gltf(**more: Any) -> dict[str, Any]:
    """The description of a model of two triangles."""
    return {
        "asset": {"version": "2.0"},
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [{"count": 4}, {"count": 6}],
        "nodes": [{"mesh": 0}],
        "materials": [{}],
        **more,
    }


def glb(document: dict[str, Any] | None = None) -> bytes:
    """A model in one file."""
    text = msgspec.json.encode(document or gltf())
    text += b" " * (-len(text) % 4)
    return struct.pack("<4sIII4s", b"glTF", 2, 20 + len(text), len(text), b"JSON") + text


def triangles(name: str) -> bytes:
    """A model of two triangles and much that nobody sees, in one file."""
    points = struct.pack("<12f", *(0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0))
    order = struct.pack("<6H", 0, 1, 2, 0, 2, 3)
    unseen = bytes(4_000)
    views = [
        {"buffer": 0, "byteOffset": 0, "byteLength": len(points)},
        {"buffer": 0, "byteOffset": len(points), "byteLength": len(order)},
        {"buffer": 0, "byteOffset": len(points) + len(order), "byteLength": len(unseen)},
    ]
    corners: dict[str, Any] = {"min": [0, 0, 0], "max": [1, 1, 0]}
    accessors = [
        {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3", **corners},
        {"bufferView": 1, "componentType": 5123, "count": 6, "type": "SCALAR"},
        {"bufferView": 2, "componentType": 5126, "count": 1_000, "type": "SCALAR"},
    ]
    part = {"attributes": {"POSITION": 0}, "indices": 1, "material": 0}
    content = points + order + unseen
    buffer: dict[str, Any] = {"byteLength": len(content)}
    if name.endswith(".gltf"):
        packed = base64.b64encode(content).decode()
        buffer["uri"] = f"data:application/octet-stream;base64,{packed}"
    document = gltf(
        meshes=[{"primitives": [part]}],
        accessors=accessors,
        bufferViews=views,
        buffers=[buffer],
        scenes=[{"nodes": [0]}],
        scene=0,
        materials=[{"name": "seen"}, {"name": "unseen"}],
    )
    if name.endswith(".gltf"):
        return msgspec.json.encode(document)
    model = glb(document)
    whole = len(model) + 8 + len(content)
    head = struct.pack("<4sII", b"glTF", 2, whole) + model[12:]
    return head + struct.pack("<I4s", len(content), b"BIN\0") + content


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    checked = kind + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))


def png(width: int, height: int, *parts: bytes, rows: bytes = b"") -> bytes:
    """A PNG that says of itself what it likes."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    ending = chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(parts) + ending


def woff2_bomb(size: int) -> bytes:
    """A font of a few bytes that wants to be ``size`` of them."""
    packed: bytes = brotli.compress(b"\0" * size, quality=5)

    def base128(number: int) -> bytes:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(number & 0x7F | 0x80)
        return bytes(reversed(digits))

    directory = b"\x05" + base128(size)
    length = 48 + len(directory) + len(packed)
    header = struct.pack(
        ">4sIIHHIIHHIIIII",
        *(b"wOF2", 0x00010000, length, 1, 0, 12 + 16 + size, len(packed)),
        *(1, 0, 0, 0, 0, 0, 0),
    )
    return header + directory + packed
