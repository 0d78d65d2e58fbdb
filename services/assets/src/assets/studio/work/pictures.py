"""Pictures: their facts, smaller ones, and ones in fewer bytes."""

import copy
import io
import mmap
from typing import IO, Any

import oxipng
from PIL import Image, ImageColor, ImageFilter, ImageOps, ImagePalette

from assets.studio.messages import RefusedError, Task
from assets.studio.work import headers

# what Pillow imports when it needs it: by then nothing can be opened
NEEDED = (copy, mmap, ImageColor, ImageFilter, ImagePalette)
Image.init()
# the limit is ours, asked before: Pillow's own would only warn
Image.MAX_IMAGE_PIXELS = None
_READABLE = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/bmp": "BMP",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
    "image/x-icon": "ICO",
}
_THUMBNAIL = 256
_HEADER_BYTES = 65_536
# the tag that says how a camera was held; beyond this value it lay on its side
_ORIENTATION = 0x0112
_ON_ITS_HEAD = 4
_QUALITIES: dict[str, dict[str, Any]] = {
    "webp": {"quality": 80, "method": 4},
    "avif": {"quality": 60, "speed": 8, "max_threads": 1},
    "jpeg": {"quality": 82, "optimize": True, "progressive": True},
    "png": {"optimize": True},
}


def examine(task: Task, source: IO[bytes], _target: IO[bytes]) -> dict[str, Any]:
    """Width, height, and what else the header tells; nothing is decoded."""
    size = _checked_size(task, source)
    if size is None:
        return {}
    facts: dict[str, Any] = {"width": size[0], "height": size[1]}
    if task.mime_type not in _READABLE:
        return facts
    with _opened(task, source) as image:
        return facts | {
            "frames": getattr(image, "n_frames", 1),
            "hasAlpha": image.has_transparency_data,
        }


def _checked_size(task: Task, source: IO[bytes]) -> tuple[int, int] | None:
    source.seek(0)
    head = source.read(_HEADER_BYTES)
    size = headers.size_of(source, head, task.mime_type)
    if size is None:
        return None
    width, height = size
    if width < 1 or height < 1:
        raise RefusedError("unreadable", "no width or no height")
    if width * height > task.limits.pixels_max:
        raise RefusedError("too_large", "pixels", width=width, height=height)
    return size


def _opened(task: Task, source: IO[bytes]) -> Image.Image:
    source.seek(0)
    return Image.open(source, formats=[_READABLE[task.mime_type]])


def thumbnail(task: Task, source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    """A small picture of it, for lists."""
    options = {"width": _THUMBNAIL, "height": _THUMBNAIL, "format": "webp"}
    return _made(task, source, target, options)


def variant(task: Task, source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    """The picture within a box, in another format; it is never made larger."""
    return _made(task, source, target, task.options)


def _made(
    task: Task, source: IO[bytes], target: IO[bytes], options: dict[str, Any]
) -> dict[str, Any]:
    image = _decoded(task, source, options.get("width"), options.get("height"))
    return save(image, target, options["format"], options.get("quality"))


def _decoded(
    task: Task, source: IO[bytes], width: int | None = None, height: int | None = None
) -> Image.Image:
    """Its first frame, upright, within the box."""
    size = _checked_size(task, source)
    if size is None:
        raise RefusedError("unreadable", "this kind is not decoded")
    image = _opened(task, source)
    box = (width or max(size), height or max(size))
    if image.getexif().get(_ORIENTATION, 1) > _ON_ITS_HEAD:
        box = box[::-1]
    if width or height:
        # a photograph is not decoded any larger than it must be
        image.draft(None, box)
    image = _plain(image)
    if width or height:
        image.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
    ImageOps.exif_transpose(image, in_place=True)
    return image


def _plain(image: Image.Image) -> Image.Image:
    """In colours that every format takes."""
    if image.mode in {"RGB", "RGBA"}:
        image.load()
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def save(
    image: Image.Image, target: IO[bytes], kind: str, quality: int | None = None
) -> dict[str, Any]:
    """Write a picture in one of the formats that are made here."""
    given = dict(_QUALITIES[kind])
    if quality is not None and "quality" in given:
        given["quality"] = quality
    if kind == "jpeg" and image.mode == "RGBA":
        # it knows no transparency
        behind = Image.new("RGB", image.size, "white")
        behind.paste(image, mask=image.getchannel("A"))
        image = behind
    # what a camera wrote about its owner is not passed on
    _write(image, target, kind.upper(), exif=b"", **given)
    return {"width": image.width, "height": image.height, "mimeType": f"image/{kind}"}


def _write(image: Image.Image, target: IO[bytes], kind: str, **options: Any) -> None:  # noqa: ANN401 - Pillow's own
    # of a file it would ask where that is, which is nobody's business here
    encoded = io.BytesIO()
    image.save(encoded, kind, **options)
    target.write(encoded.getbuffer())


def optimize(task: Task, source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    """The picture in fewer bytes: as it is (PNG), or nearly so."""
    if task.options["format"] == "png" and task.mime_type == "image/png":
        facts = examine(task, source, target)
        source.seek(0)
        level = int(task.options.get("level", 2))
        target.write(oxipng.optimize_from_memory(source.read(), level=level))
        return {"width": facts["width"], "height": facts["height"], "mimeType": "image/png"}
    if not task.options.get("lossless"):
        return _made(task, source, target, task.options)
    image = _decoded(task, source)
    _write(image, target, "WEBP", lossless=True, quality=80, method=4, exact=True, exif=b"")
    return {"width": image.width, "height": image.height, "mimeType": "image/webp"}
