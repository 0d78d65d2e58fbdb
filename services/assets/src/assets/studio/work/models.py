"""Models in glTF: their facts, by the description in them; the shapes are not looked at."""

import struct
import subprocess
from functools import cache
from pathlib import Path
from typing import IO, Any

import msgspec

from assets.studio.messages import RefusedError, Task

_MAGIC = b"glTF"
_JSON = b"JSON"
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_EXTERNAL_MAX = 32
_URI_MAX = 200
_NODE_S = 10
_RENAMED_IN = 23
_READABLE = ("model/gltf-binary", "model/gltf+json")


class _Version(msgspec.Struct):
    version: str


class _Linked(msgspec.Struct):
    uri: str | None = None


class _Accessor(msgspec.Struct):
    count: int = 0


class _Primitive(msgspec.Struct):
    attributes: dict[str, int] = {}
    indices: int | None = None
    mode: int = _TRIANGLES


class _Mesh(msgspec.Struct):
    primitives: list[_Primitive] = []


class _Document(msgspec.Struct):
    asset: _Version
    meshes: list[_Mesh] = []
    accessors: list[_Accessor] = []
    buffers: list[_Linked] = []
    images: list[_Linked] = []
    materials: list[msgspec.Raw] = []
    nodes: list[msgspec.Raw] = []
    animations: list[msgspec.Raw] = []
    textures: list[msgspec.Raw] = []


def examine(task: Task, source: IO[bytes], _target: IO[bytes]) -> dict[str, Any]:
    """How much of everything there is, and which other files it names."""
    if task.mime_type not in _READABLE:
        return {}
    source.seek(0)
    is_binary = task.mime_type == "model/gltf-binary"
    text = _json_of(source) if is_binary else source.read()
    document = msgspec.json.decode(text, type=_Document)
    linked = [part.uri for part in (*document.buffers, *document.images) if part.uri]
    external = sorted({uri for uri in linked if not uri.startswith("data:")})
    return {
        "meshes": len(document.meshes),
        "materials": len(document.materials),
        "nodes": len(document.nodes),
        "animations": len(document.animations),
        "triangles": sum(_triangles(document, p) for m in document.meshes for p in m.primitives),
        "textures": len(document.textures),
        "external": [_shown(uri) for uri in external[:_EXTERNAL_MAX]],
    }


def _json_of(source: IO[bytes]) -> bytes:
    magic, version, length = struct.unpack("<4sII", source.read(12))
    size, kind = struct.unpack("<I4s", source.read(8))
    text = source.read(size)
    if (magic, version, kind) != (_MAGIC, 2, _JSON) or len(text) != size or size + 20 > length:
        raise RefusedError("unreadable", "the parts do not fit")
    return text


def _triangles(document: _Document, part: _Primitive) -> int:
    number = part.attributes.get("POSITION") if part.indices is None else part.indices
    if number is None:
        return 0
    count = document.accessors[number].count
    if part.mode == _TRIANGLES:
        return count // 3
    return max(count - 2, 0) if part.mode in {_STRIP, _FAN} else 0


def _shown(uri: str) -> str:
    """What can be stored, and is short enough to be shown."""
    return uri.replace("\0", "").encode(errors="replace").decode()[:_URI_MAX]


def optimize_command(task: Task) -> list[str]:
    """The model in fewer bytes: a program of Node's, which may read its own folder alone."""
    node, folder = task.options["node"], Path(task.options["folder"])
    asked = {"mimeType": task.mime_type, "level": task.options["level"]}
    return [
        node,
        _permission(node),
        f"--allow-fs-read={folder}/",
        f"--max-old-space-size={task.limits.memory_bytes >> 20}",
        str(folder / "optimize.mjs"),
        msgspec.json.encode(asked).decode(),
    ]


@cache
def _permission(node: str) -> str:
    """What the option is called that leaves a program no files but those that are named."""
    said = subprocess.run(  # noqa: S603 - the operator's own Node
        [node, "--version"], capture_output=True, check=True, timeout=_NODE_S, env={}
    )
    major = int(said.stdout.decode().removeprefix("v").partition(".")[0])
    return "--permission" if major >= _RENAMED_IN else "--experimental-permission"
