"""Draws the game's sprites and plays its sounds into files, from the standard library alone."""  # noqa: INP001 - a script beside its game, no package

import itertools
import math
import struct
import wave
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
SCALE = 2  # pixels for each unit of the game, so that sprites stay crisp on dense screens
SAMPLE_RATE = 22_050

type Point = tuple[float, float]
type Colour = tuple[float, float, float, float]
type Shape = Callable[[float, float], float]  # signed distance: negative is inside
type Paint = Callable[[float, float], Colour]
type Layer = tuple[Shape, Paint]
type Voice = Callable[[float], float]


# Shapes ------------------------------------------------------------------------------------------


def box(left: float, top: float, right: float, bottom: float, radius: float) -> Shape:
    """Return a rectangle with rounded corners."""
    centre_x, centre_y = (left + right) / 2, (top + bottom) / 2
    half_x, half_y = (right - left) / 2 - radius, (bottom - top) / 2 - radius

    def distance(x: float, y: float) -> float:
        out_x, out_y = abs(x - centre_x) - half_x, abs(y - centre_y) - half_y
        outside = math.hypot(max(out_x, 0), max(out_y, 0))
        return outside + min(max(out_x, out_y), 0) - radius

    return distance


def disc(x0: float, y0: float, radius: float) -> Shape:
    """Return a filled circle."""
    return lambda x, y: math.hypot(x - x0, y - y0) - radius


def ring(x0: float, y0: float, radius: float, width: float) -> Shape:
    """Return the outline of a circle."""
    return lambda x, y: abs(math.hypot(x - x0, y - y0) - radius) - width / 2


def stroke(points: Sequence[Point], width: float) -> Shape:
    """Return a line through the points, with round ends."""
    legs = list(itertools.pairwise(points))
    return lambda x, y: min(to_segment(x, y, a, b) for a, b in legs) - width / 2


def polygon(corners: Sequence[Point]) -> Shape:
    """Return a filled polygon."""
    edges = list(zip(corners, [*corners[1:], corners[0]], strict=True))

    def distance(x: float, y: float) -> float:
        nearest = min(to_segment(x, y, a, b) for a, b in edges)
        crossings = sum(crosses(x, y, a, b) for a, b in edges)
        return -nearest if crossings % 2 else nearest

    return distance


def union(*shapes: Shape) -> Shape:
    """Return everything that lies in any of the shapes."""
    return lambda x, y: min(shape(x, y) for shape in shapes)


def to_segment(x: float, y: float, a: Point, b: Point) -> float:
    """Return how far a point is from a segment."""
    run_x, run_y = b[0] - a[0], b[1] - a[1]
    along = ((x - a[0]) * run_x + (y - a[1]) * run_y) / (run_x**2 + run_y**2)
    along = min(max(along, 0), 1)
    return math.hypot(x - a[0] - along * run_x, y - a[1] - along * run_y)


def crosses(x: float, y: float, a: Point, b: Point) -> bool:
    """Say whether a ray to the right of the point meets the edge."""
    if (a[1] > y) == (b[1] > y):
        return False
    return x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])


# Paints ------------------------------------------------------------------------------------------


def colour(code: str, alpha: float = 1) -> Colour:
    """Read a colour such as ``ff6b6b``."""
    red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue, alpha


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Return the colour at a share of the way from one to the other."""
    red, green, blue, alpha = (p + (q - p) * share for p, q in zip(a, b, strict=True))
    return red, green, blue, alpha


def flat(tone: Colour) -> Paint:
    """Paint everything in one colour."""
    return lambda _x, _y: tone


def falling(top: float, bottom: float, *tones: Colour) -> Paint:
    """Paint a gradient from top to bottom, its tones evenly spaced."""
    last = len(tones) - 1

    def paint(_x: float, y: float) -> Colour:
        place = min(max((y - top) / (bottom - top), 0), 1) * last
        at = min(int(place), last - 1)
        return mix(tones[at], tones[at + 1], place - at)

    return paint


def glowing(x0: float, y0: float, radius: float, inner: Colour, outer: Colour) -> Paint:
    """Paint a gradient from a centre outwards."""
    return lambda x, y: mix(inner, outer, min(math.hypot(x - x0, y - y0) / radius, 1))


# Pictures ----------------------------------------------------------------------------------------


def over(below: Colour, above: Colour, cover: float) -> Colour:
    """Lay one colour over another."""
    alpha = above[3] * cover
    total = alpha + below[3] * (1 - alpha)
    if total == 0:
        return below
    parts = [(above[at] * alpha + below[at] * below[3] * (1 - alpha)) / total for at in range(3)]
    return parts[0], parts[1], parts[2], total


def pixel(layers: Iterable[Layer], x: float, y: float) -> bytes:
    """Return the four bytes of one pixel; an edge covers it in part."""
    seen: Colour = (0, 0, 0, 0)
    for shape, paint in layers:
        cover = min(max(0.5 - shape(x, y) * SCALE, 0), 1)
        if cover > 0:
            seen = over(seen, paint(x, y), cover)
    return bytes(round(part * 255) for part in seen)


def save_picture(name: str, width: int, height: int, layers: Sequence[Layer]) -> None:
    """Write a PNG with transparency."""
    rows = [
        b"\0"
        + b"".join(
            pixel(layers, (column + 0.5) / SCALE, (row + 0.5) / SCALE)
            for column in range(width * SCALE)
        )
        for row in range(height * SCALE)
    ]
    header = struct.pack(">IIBBBBB", width * SCALE, height * SCALE, 8, 6, 0, 0, 0)
    body = zlib.compress(b"".join(rows), 9)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", body), chunk(b"IEND", b""))
    (ASSETS / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


WHITE = colour("ffffff")
INK = colour("0b1024")


def brick(light: str, body: str, deep: str) -> list[Layer]:
    """Return a glossy brick of 56 by 22."""
    return [
        (box(0, 0, 56, 22, 5), flat(colour(deep))),
        (box(0, 0, 56, 20, 5), falling(0, 20, colour(light), colour(body), colour(body))),
        (box(3, 2.2, 53, 9, 3.4), falling(2, 9, colour("ffffff", 0.55), colour("ffffff", 0.08))),
        (box(4, 17, 52, 18.4, 0.7), flat(colour(deep, 0.45))),
        (disc(8, 5.4, 1.3), flat(colour("ffffff", 0.9))),
    ]


def stone(*, cracked: bool) -> list[Layer]:
    """Return the brick that takes two hits, whole or after the first."""
    layers = [
        (box(0, 0, 56, 22, 5), flat(colour("3d4663"))),
        (box(0, 0, 56, 20, 5), falling(0, 20, colour("c9d3ea"), colour("8f9cbd"))),
        (box(3, 2.2, 53, 6, 1.9), flat(colour("ffffff", 0.4))),
        (box(3, 15.8, 53, 17.6, 0.9), flat(colour("3d4663", 0.35))),
    ]
    if cracked:
        crack = [(30.0, 0.0), (26.0, 6.0), (31.0, 10.0), (25.0, 15.0), (28.0, 21.0)]
        twig = [(31.0, 10.0), (39.0, 13.0), (44.0, 12.0)]
        shoot = [(26.0, 6.0), (17.0, 8.0), (12.0, 13.0)]
        layers += [(stroke(line, 1.6), flat(colour("20273f"))) for line in (crack, twig, shoot)]
    return layers


def steel() -> list[Layer]:
    """Return the brick that nothing breaks."""
    rivets = [(6.0, 6.0), (50.0, 6.0), (6.0, 15.0), (50.0, 15.0)]
    hatch = [
        (stroke([(x, 16.0), (x + 8, 4.0)], 2.4), flat(colour("ffc857", 0.85)))
        for x in (14, 21, 28, 35)
    ]
    return [
        (box(0, 0, 56, 22, 3), flat(colour("161b2e"))),
        (box(0, 0, 56, 20.5, 3), falling(0, 20, colour("59627f"), colour("2c3350"))),
        (box(11, 3, 45, 17.5, 2), flat(colour("161b2e"))),
        *hatch,
        *((disc(x, y, 1.7), flat(colour("aeb8d6"))) for x, y in rivets),
    ]


def paddle() -> list[Layer]:
    """Return the paddle of 120 by 24: a dark hull, bright grips, a line of light."""
    grip = falling(0, 22, colour("ffd27a"), colour("ff8a3d"), colour("d9480f"))
    return [
        (box(0, 2, 120, 24, 11), flat(colour("0a0f22"))),
        (box(0, 0, 120, 22, 11), falling(0, 22, colour("eef4ff"), colour("9fb4e8"))),
        (box(0, 0, 26, 22, 11), grip),
        (box(94, 0, 120, 22, 11), grip),
        (box(21, 0, 99, 22, 2), falling(0, 22, colour("f7faff"), colour("8ea6df"))),
        (box(21, 0, 23, 22, 0), flat(colour("0a0f22", 0.4))),
        (box(97, 0, 99, 22, 0), flat(colour("0a0f22", 0.4))),
        (box(34, 8.5, 86, 13.5, 2.5), flat(colour("17224a"))),
        (box(36, 10, 84, 12, 1), falling(10, 12, colour("7df9ff"), colour("33c9ff"))),
        (box(8, 2.4, 112, 6, 1.8), flat(colour("ffffff", 0.55))),
    ]


def ball() -> list[Layer]:
    """Return the ball of 18 by 18."""
    return [
        (disc(9, 9, 8.6), glowing(6.4, 5.8, 12, WHITE, colour("4cc9f0"))),
        (ring(9, 9, 8.1, 1), flat(colour("1b6fa8", 0.5))),
        (disc(6.2, 5.6, 2), flat(colour("ffffff", 0.95))),
    ]


HEART = union(
    disc(13.9, 14.6, 4.5),
    disc(22.1, 14.6, 4.5),
    polygon([(9.9, 16.6), (26.1, 16.6), (18.0, 26.6)]),
    box(13.9, 12.6, 22.1, 17.2, 0),
)
ARROWS = union(
    stroke([(9, 18), (27, 18)], 2.8),
    stroke([(13, 13.6), (8.6, 18), (13, 22.4)], 2.8),
    stroke([(23, 13.6), (27.4, 18), (23, 22.4)], 2.8),
)
CLOCK = union(ring(18, 18, 7.6, 2.4), stroke([(18, 13.4), (18, 18), (21.4, 20)], 2.2))
BOLT = polygon([(20.5, 8), (11, 19.4), (16.8, 19.4), (14.9, 28), (25, 15.9), (18.9, 15.9)])
BALLS = union(disc(18, 12.4, 3.7), disc(12.4, 22, 3.7), disc(23.6, 22, 3.7))


def power(sign: Shape, light: str, deep: str) -> list[Layer]:
    """Return a falling power-up of 36 by 36: a jewel with a sign."""
    return [
        (disc(18, 18, 17.6), flat(colour(deep))),
        (disc(18, 17.4, 16), glowing(13, 9, 26, colour(light), colour(deep))),
        (ring(18, 17.6, 15.2, 1.4), flat(colour("ffffff", 0.6))),
        (lambda x, y: sign(x, y - 0.9), flat(colour("0b1024", 0.35))),
        (sign, flat(WHITE)),
    ]


def save_pictures() -> None:
    """Write every sprite."""
    save_picture("paddle", 120, 24, paddle())
    save_picture("ball", 18, 18, ball())
    for name, tones in {
        "coral": ("ff9a9a", "f0476a", "8f1d44"),
        "amber": ("ffd98a", "f99d1c", "9a4a05"),
        "lime": ("c9f58b", "5cc44a", "1f6b36"),
        "sky": ("9be8ff", "22a7f0", "11518f"),
        "violet": ("d9b8ff", "8f5cf0", "452292"),
    }.items():
        save_picture(f"brick-{name}", 56, 22, brick(*tones))
    save_picture("brick-stone", 56, 22, stone(cracked=False))
    save_picture("brick-stone-cracked", 56, 22, stone(cracked=True))
    save_picture("brick-steel", 56, 22, steel())
    save_picture("power-wide", 36, 36, power(ARROWS, "8cf0a4", "12824c"))
    save_picture("power-multi", 36, 36, power(BALLS, "8fd8ff", "1460b8"))
    save_picture("power-slow", 36, 36, power(CLOCK, "e2c2ff", "6a2fc4"))
    save_picture("power-laser", 36, 36, power(BOLT, "ffd27a", "d9480f"))
    save_picture("power-life", 36, 36, power(HEART, "ff9db0", "c2184b"))


# Sounds ------------------------------------------------------------------------------------------


def chirp(start: float, end: float, seconds: float, decay: float) -> Voice:
    """Return a tone that slides from one pitch to another and fades."""

    def at(time: float) -> float:
        if not 0 <= time < seconds:
            return 0
        bend = (end - start) / (2 * seconds)
        phase = 2 * math.pi * (start + bend * time) * time
        tone = math.sin(phase) + 0.35 * math.sin(2 * phase) + 0.12 * math.sin(3 * phase)
        rise = min(time / 0.003, 1)
        fall = min((seconds - time) / 0.01, 1)
        return tone * rise * fall * math.exp(-decay * time)

    return at


def crackle(seconds: float, decay: float) -> Voice:
    """Return a short burst of noise, the same each time it is made."""

    def at(time: float) -> float:
        if not 0 <= time < seconds:
            return 0
        word = (int(time * SAMPLE_RATE) * 2_654_435_761) & 0xFFFFFFFF
        word = ((word ^ (word >> 15)) * 2_246_822_519) & 0xFFFFFFFF
        return ((word >> 8) / 0x800000 - 1) * math.exp(-decay * time)

    return at


def melody(notes: Sequence[float], step: float, decay: float) -> Voice:
    """Return notes one after another, each ringing into the next."""
    voices = [chirp(note, note, step * 3, decay) for note in notes]
    return lambda time: sum(voice(time - at * step) for at, voice in enumerate(voices))


def blend(*voices: Voice) -> Voice:
    """Return several voices at once."""
    return lambda time: sum(voice(time) for voice in voices)


def save_sound(name: str, seconds: float, voice: Voice, volume: float = 0.8) -> None:
    """Write a WAV: one channel, sixteen bits."""
    heard = [voice(at / SAMPLE_RATE) for at in range(int(seconds * SAMPLE_RATE))]
    peak = max(abs(value) for value in heard)
    words = [round(value / peak * volume * 32_767) for value in heard]
    with wave.open(str(ASSETS / f"{name}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(struct.pack(f"<{len(words)}h", *words))


def save_sounds() -> None:
    """Write every sound."""
    save_sound("bounce", 0.09, chirp(330, 420, 0.09, 34), 0.6)
    save_sound("break", 0.18, blend(chirp(880, 1320, 0.16, 22), crackle(0.12, 40)))
    save_sound("power", 0.42, melody([523.25, 659.25, 783.99, 1046.5], 0.07, 11))
    save_sound("laser", 0.16, chirp(1500, 260, 0.16, 12), 0.5)
    save_sound("lose", 0.7, melody([392, 311.13, 261.63, 196], 0.13, 6))
    save_sound("win", 1.1, melody([523.25, 659.25, 783.99, 659.25, 783.99, 1046.5], 0.13, 5))


if __name__ == "__main__":
    ASSETS.mkdir(exist_ok=True)
    save_pictures()
    save_sounds()
