"""Sounds: their facts, a picture of their loudness, and the same in fewer bytes."""

from collections.abc import Iterator
from typing import IO, Any

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from PIL import Image, ImageDraw

from assets.studio.messages import RefusedError, Task
from assets.studio.work import pictures, streams

_WIDTH, _HEIGHT = 256, 64
_COLOUR = (72, 118, 190, 255)
# enough to see peaks by, and little to look through
_RATE = 8_000
_SECONDS = 600
_LOUDEST = 32_768
_OPUS_RATE = 48_000
_CHANNELS_MAX = 2


def examine(task: Task, source: IO[bytes], _target: IO[bytes]) -> dict[str, Any]:
    """How long it is and of what kind; one frame is decoded, to see that there is sound in it."""
    with streams.opened(task, source) as container:
        stream = _stream(container)
        facts = {
            "durationMs": streams.duration_ms(task, container),
            "channels": stream.codec_context.channels,
            "sampleRate": stream.codec_context.sample_rate,
            "codec": stream.codec_context.name,
        }
        if next(container.decode(stream), None) is None:
            raise RefusedError("unreadable", "there is no sound in it")
        return facts


def _stream(container: InputContainer) -> Any:  # noqa: ANN401 - its type says too little
    if not container.streams.audio:
        raise RefusedError("unreadable", "there is no sound in it")
    return container.streams.audio[0]


def thumbnail(task: Task, source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    """Its loudness over time, as a picture."""
    samples = bytearray()
    with streams.opened(task, source) as container:
        streams.duration_ms(task, container)
        for frame in _resampled(container, AudioResampler("s16", "mono", _RATE)):
            samples += bytes(frame.planes[0])[: 2 * frame.samples]
            if len(samples) >= 2 * _RATE * _SECONDS:
                break
    image = Image.new("RGBA", (_WIDTH, _HEIGHT), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for column, (low, high) in enumerate(_peaks(memoryview(samples).cast("h"))):
        top, bottom = (_HEIGHT // 2 * (1 - v / _LOUDEST) for v in (high, low))
        draw.line([(column, top), (column, max(bottom, top + 1))], fill=_COLOUR)
    return pictures.save(image, target, "webp")


def _resampled(container: InputContainer, resampler: AudioResampler) -> Iterator[AudioFrame]:
    for frame in container.decode(_stream(container)):
        yield from resampler.resample(frame)


def _peaks(samples: "memoryview[int]") -> Iterator[tuple[int, int]]:
    """The lowest and the highest sample of each column."""
    count = len(samples)
    if not count:
        raise RefusedError("unreadable", "there is no sound in it")
    for column in range(_WIDTH):
        first = column * count // _WIDTH
        part = samples[first : max((column + 1) * count // _WIDTH, first + 1)]
        yield min(part), max(part)


def optimize(task: Task, source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    """The sound as Opus in Ogg."""
    with streams.opened(task, source) as container:
        length = streams.duration_ms(task, container)
        channels = min(_stream(container).codec_context.channels, _CHANNELS_MAX)
        layout = "mono" if channels == 1 else "stereo"
        with av.open(target, mode="w", format="ogg") as made:
            opus = made.add_stream("libopus", rate=_OPUS_RATE, layout=layout)
            opus.bit_rate = int(task.options["bitrate"])
            for frame in _resampled(container, AudioResampler("s16", layout, _OPUS_RATE, 960)):
                made.mux(opus.encode(frame))
            made.mux(opus.encode(None))
    return {"durationMs": length, "channels": channels, "mimeType": "audio/ogg"}
