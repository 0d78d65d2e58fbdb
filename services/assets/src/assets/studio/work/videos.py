"""Moving pictures: their facts, and the first picture of them."""

from typing import IO, Any

from PIL import Image

from assets.studio.messages import RefusedError, Task
from assets.studio.work import pictures, streams

_THUMBNAIL = (256, 256)


def examine(task: Task, source: IO[bytes], _target: IO[bytes]) -> dict[str, Any]:
    """How large it is, how long, and of what kind, by its header."""
    with streams.opened(task, source) as container:
        if not container.streams.video:
            raise RefusedError("unreadable", "there is no picture in it")
        codec = container.streams.video[0].codec_context
        width, height = codec.width, codec.height
        if width < 1 or height < 1:
            raise RefusedError("unreadable", "no width or no height")
        if width * height > task.limits.pixels_max:
            raise RefusedError("too_large", "pixels", width=width, height=height)
        return {
            "width": width,
            "height": height,
            "durationMs": streams.duration_ms(task, container),
            "codec": codec.name,
        }


def thumbnail(task: Task, source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    """Its first picture, small."""
    examine(task, source, target)
    with streams.opened(task, source) as container:
        frame = next(container.decode(video=0), None)
        if frame is None:
            raise RefusedError("unreadable", "there is no picture in it")
        image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # the library's own
    image.thumbnail(_THUMBNAIL)
    return pictures.save(image, target, "webp")
